/** Functions of the declared name, and the one that the last apply worked on. */
import type { Queryable } from "../connection/session";
import type { QualifiedName } from "../identifier";
import { knownIn, type ObjectMemory } from "../memory/memory";
import { inspectFunctions } from "./inspect";
import type { ActualFunction } from "./routine";

/** What the last apply made, kept in the outputs. */
export interface RememberedSignature extends QualifiedName {
    /** Numbers of the argument types. */
    readonly argumentTypes: string;
}

export interface FunctionMemory extends ObjectMemory {
    readonly signature?: RememberedSignature;
}

export interface Found {
    readonly databaseUuid: string;
    /** All schemas of the database. */
    readonly schemas: readonly string[];
    /** Under the declared name, with whatever arguments. */
    readonly named: readonly ActualFunction[];
    /** That of the last apply, whatever it is called now. */
    readonly known: ActualFunction | undefined;
}

export async function findFunction(
    client: Queryable,
    name: QualifiedName,
    owner: string,
    { known, signature }: FunctionMemory,
): Promise<Found> {
    const all = await inspectFunctions(client, name, owner, known?.objectId);
    const { databaseUuid, schemas, functions } = all;
    const named = functions.filter((one) => one.schema === name.schema && one.name === name.name);
    // After an upgrade of the server the number may be somebody else's.
    const byNumber = functions.find(
        (one) =>
            one.oid === String(knownIn(databaseUuid, known)) &&
            one.argumentTypes === signature?.argumentTypes &&
            one.kind === "f" &&
            one.extension === null,
    );
    const remembered = byNumber ?? (await bySignature(client, named, name, owner, signature));
    return { databaseUuid, schemas, named, known: remembered };
}

/** Dropped and made again by hand, it has another number. */
async function bySignature(
    client: Queryable,
    named: readonly ActualFunction[],
    name: QualifiedName,
    owner: string,
    signature: RememberedSignature | undefined,
): Promise<ActualFunction | undefined> {
    if (signature === undefined) return undefined;
    const here = signature.schema === name.schema && signature.name === name.name;
    const those = here ? named : (await inspectFunctions(client, signature, owner)).functions;
    return those.find(
        ({ argumentTypes, kind, extension }) =>
            argumentTypes === signature.argumentTypes && kind === "f" && extension === null,
    );
}
