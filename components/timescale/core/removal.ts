/** What stands in the way of dropping something, in words. */
import { inspectDependants, listDependants } from "./dependants";
import { TimescaleError } from "./errors";
import { displayName, type QualifiedName, quoteQualified } from "./identifier";
import type { Queryable } from "./session";
import { readSql } from "./sqlFile";

/** Views and aggregates that read an object, such as `view public.shares`. */
export async function dependantsOf(client: Queryable, name: QualifiedName): Promise<string[]> {
    const { rows } = await client.query<QualifiedName & { kind: string }>(
        readSql("catalog/dependants.sql"),
        [quoteQualified(name)],
    );
    return rows.map((row) => `${row.kind} ${displayName(row)}`);
}

/**
 * @throws TimescaleError that names every view and aggregate that reads the object
 */
export async function refuseDependants(
    client: Queryable,
    kind: string,
    name: QualifiedName,
): Promise<void> {
    const dependants = await dependantsOf(client, name);
    if (dependants.length === 0) return;
    const object = displayName(name);
    throw notDropped(`${kind} ${object} is read`, dependants.join(", "), object);
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
