/** The password of a login, for the lifecycle. */
import type { Connection } from "../core/connection/connection";
import { admit } from "../core/login/admit";
import {
    loginPasswordProperties,
    planPassword,
    planRefused,
    validateLoginPassword,
} from "../core/login/plan";
import { connectionOf, type Properties, type ResourceKind } from "./resourceKind";

/** It belongs to no one database that a state could be mistaken about. */
const databaseUuid = "";

export const loginPasswordKind: ResourceKind = {
    name: "LoginPassword",
    ofServer: true,
    properties: loginPasswordProperties,
    liveProperties: [],
    identityOf: (inputs) => {
        const { user } = (inputs["connection"] ?? {}) as Partial<Connection>;
        return typeof user === "string" ? `password of ${user}` : undefined;
    },
    identityProperty: "connection",
    validate: validateLoginPassword,
    validateLive: () => Promise.resolve([]),

    plan({ connection }, inputs, outputs) {
        const refused = connection.password !== passwordOf(inputs);
        const plan = planPassword(refused);
        return Promise.resolve({ plan, databaseUuid, exists: outputs !== undefined, actualInputs: inputs }); // prettier-ignore
    },

    planRefused(inputs, outputs) {
        const container = containerOf(inputs);
        const plan = planRefused(connectionOf(inputs), outputs !== undefined, container);
        return { plan, databaseUuid, exists: outputs !== undefined, actualInputs: inputs };
    },

    admit(inputs, outputs, { onStatus, checkPlan }) {
        return admit({
            connection: connectionOf(inputs),
            previous: outputs?.["connection"] as Connection | undefined,
            container: containerOf(inputs),
            onStatus,
            onChange: () => checkPlan?.(planPassword(true), outputs !== undefined),
        });
    },

    /** The session is open: the password works. */
    converge: () => Promise.resolve({ databaseUuid }),

    /** A password is not taken back. */
    remove: () => Promise.resolve(undefined),
};

function containerOf(inputs: Properties): string | undefined {
    return inputs["container"] as string | undefined;
}

function passwordOf(inputs: Properties): string {
    return connectionOf(inputs).password;
}
