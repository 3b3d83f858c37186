/** The version of TimescaleDB in a database, for the lifecycle. */
import { desiredExtension, extensionProperties, validateExtension } from "../core/extension/spec";
import { planLiveExtension, updateExtension } from "../core/extension/update";
import type { ResourceKind } from "./resourceKind";

/** It belongs to no one database that a state could be mistaken about. */
const databaseUuid = "";

export const extensionVersionKind: ResourceKind = {
    name: "ExtensionVersion",
    ofServer: true,
    properties: extensionProperties,
    liveProperties: [],
    identityOf: () => "extension timescaledb",
    identityProperty: "connection",
    validate: validateExtension,
    validateLive: () => Promise.resolve([]),

    async plan(session, inputs, outputs) {
        const { plan } = await planLiveExtension(session.connection, desiredExtension(inputs));
        const exists = outputs !== undefined || plan.lines.length > 0;
        return { plan, databaseUuid, exists, actualInputs: inputs };
    },

    async converge(session, inputs, _outputs, hooks) {
        const desired = desiredExtension(inputs);
        if (hooks.checkPlan !== undefined) {
            const { plan } = await planLiveExtension(session.connection, desired);
            hooks.checkPlan(plan, true);
        }
        await updateExtension(session.connection, desired, hooks.onStatus);
        return { databaseUuid };
    },

    /** A version is not taken back. */
    remove: () => Promise.resolve(undefined),
};
