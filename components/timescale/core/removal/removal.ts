/** What stands in the way of dropping something, in words. */
import type { Queryable } from "../connection/session";
import { TimescaleError } from "../errors";
import { displayName, type QualifiedName, quoteQualified } from "../identifier";
import type { KnownObject } from "../memory/memory";
import { inspectDependants, listDependants } from "../relation/dependants";
import { readSql } from "../sqlFile";

export interface Reader {
    /** Such as `view` or `continuous aggregate`. */
    readonly kind: string;
    readonly name: QualifiedName;
}

/** Views, aggregates and functions that read an object. */
export async function readersOf(client: Queryable, name: QualifiedName): Promise<Reader[]> {
    const { rows } = await client.query<QualifiedName & { kind: string }>(
        readSql("catalog/dependants.sql"),
        [quoteQualified(name)],
    );
    return rows.map(({ kind, schema, name: reader }) => ({ kind, name: { schema, name: reader } }));
}

/** The same, such as `view public.shares`. */
export async function dependantsOf(client: Queryable, name: QualifiedName): Promise<string[]> {
    return (await readersOf(client, name)).map(describeReader);
}

function describeReader({ kind, name }: Reader): string {
    return `${kind} ${displayName(name)}`;
}

/**
 * @throws TimescaleError that names every view and aggregate that reads the object
 */
export async function refuseDependants(
    client: Queryable,
    kind: string,
    name: QualifiedName,
): Promise<void> {
    const readers = await readersOf(client, name);
    if (readers.length > 0) throw readByOthers(kind, displayName(name), readers);
}

/** @param kind such as `hypertable` */
export function readByOthers(
    kind: string,
    object: string,
    readers: readonly Reader[],
): TimescaleError {
    return notDropped(`${kind} ${object} is read`, readers.map(describeReader).join(", "), object);
}

/**
 * @param title such as `view public.v`
 * @throws TimescaleError that names whatever uses the view or function
 */
export async function refuseUsed(
    client: Queryable,
    catalog: "pg_class" | "pg_proc",
    oid: string,
    title: string,
    object: string,
): Promise<void> {
    const dependants = await inspectDependants(client, catalog, oid);
    if (dependants.length === 0) return;
    throw notDropped(`${title} is used`, listDependants(dependants), object);
}

function notDropped(use: string, dependants: string, object: string): TimescaleError {
    return new TimescaleError(`${use} by others and was not dropped`, {
        code: "2BP01",
        detail: dependants,
        hint: "drop or redefine these first; nothing is ever dropped with CASCADE",
        object,
    });
}

/**
 * Names change hands: what stands under the name now may be another object than that of the last
 * apply. Where both stand, nobody can tell which one is to go.
 *
 * @param standing - number of the hypertable under the name; undefined: something else stands there
 * @throws TimescaleError that says where the object of the last apply is now
 */
export async function refuseAnother(
    client: Queryable,
    kind: string,
    name: QualifiedName,
    known: KnownObject | undefined,
    standing: { readonly databaseUuid: string; readonly hypertableId?: number },
): Promise<void> {
    if (known?.databaseUuid !== standing.databaseUuid) return;
    if (known.objectId === standing.hypertableId) return;
    const { rows } = await client.query<QualifiedName & Record<string, unknown>>(
        readSql("catalog/hypertable_name.sql"),
        [known.objectId],
    );
    const [former] = rows;
    if (former === undefined) return;
    const object = displayName(name);
    throw new TimescaleError(`${object} is not the ${kind} of the last deployment any more`, {
        code: "another_object",
        detail: `that one stands as ${displayName(former)} now, and something else has its name; neither was dropped`,
        hint: "rename it back and run the same command again; or drop by hand what is to go, and take the resource out of the state with pulumi state delete",
        object,
    });
}
