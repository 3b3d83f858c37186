/** Which resource an operation is about: its kind, its object, and the database that is meant. */
import { TimescaleError } from "../../core/errors";
import { displayName } from "../../core/identifier";
import { continuousAggregateKind } from "../continuousAggregateKind";
import { extensionVersionKind } from "../extensionVersionKind";
import { hypertableKind } from "../hypertableKind";
import { loginPasswordKind } from "../loginPasswordKind";
import type { Subject } from "../planDocument";
import { typeOf } from "../preview";
import { connectionOf, nameOf, type Properties, type ResourceKind } from "../resourceKind";
import { sqlFunctionKind } from "../sqlFunctionKind";
import { viewKind } from "../viewKind";

const kinds: readonly ResourceKind[] = [
    continuousAggregateKind,
    extensionVersionKind,
    hypertableKind,
    loginPasswordKind,
    sqlFunctionKind,
    viewKind,
];

/** The engine names resources by URN; the type token in it tells what kind this one is. */
export function kindOf(properties: Properties): ResourceKind {
    const urn = urnOf(properties);
    const type = typeOf(urn);
    const kind = kinds.find(({ name }) => type === `pulumi-nodejs:dynamic/timescale:${name}`);
    if (kind === undefined)
        throw new Error(`this version of the provider knows no resource of type ${type}`);
    return kind;
}

export function urnOf(properties: Properties): string {
    const urn = properties["__urn"];
    return typeof urn === "string" ? urn : "";
}

/** What the engine and people know it by; undefined while it is not known. */
export function identityOf(kind: ResourceKind, inputs: Properties): string | undefined {
    if (kind.identityOf !== undefined) return kind.identityOf(inputs);
    const { schema, name } = inputs;
    if (typeof name !== "string") return undefined;
    return `${typeof schema === "string" ? schema : "public"}.${name}`;
}

export function subjectOf(kind: ResourceKind, inputs: Properties): Subject {
    // A function's identity is quoted where PostgreSQL needs it already.
    const identity = kind.identityOf === undefined ? undefined : (kind.identityOf(inputs) ?? "");
    return {
        urn: urnOf(inputs),
        kind: kind.name,
        object: identity ?? displayName(nameOf(inputs)),
    };
}

/**
 * Which database may answer: the one named by the input `databaseUuid`; without it the one that the
 * first apply met; any with "any".
 */
export function anotherDatabase(
    inputs: Properties,
    outputs: Properties | undefined,
    databaseUuid: string,
): TimescaleError | undefined {
    const wanted = (inputs["databaseUuid"] ?? outputs?.["metDatabaseUuid"]) as string | undefined;
    if (wanted === undefined || wanted === "any" || wanted === databaseUuid) return undefined;
    const { host, port, database } = connectionOf(inputs);
    return new TimescaleError(`another database answers at ${host}:${port}/${database}`, {
        code: "another_database",
        detail: `its identity is ${databaseUuid}, and this resource belongs to ${wanted}`,
        hint: `correct the connection; if the database was rebuilt on purpose, set databaseUuid to "${databaseUuid}"`,
    });
}
