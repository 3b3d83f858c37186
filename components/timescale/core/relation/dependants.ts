/** What stands on a view or function, so that PostgreSQL drops neither without CASCADE. */
import type { Queryable } from "../connection/session";
import { readSql } from "../sqlFile";

export interface Dependant {
    /** In PostgreSQL's words, such as "view", "function" or "trigger". */
    readonly kind: string;
    /** Qualified and quoted where PostgreSQL needs it. */
    readonly identity: string;
}

/** In one line. */
export function listDependants(dependants: readonly Dependant[]): string {
    return dependants.map(({ kind, identity }) => `${kind} ${identity}`).join(", ");
}

export async function inspectDependants(
    client: Queryable,
    catalog: "pg_class" | "pg_proc",
    oid: string,
): Promise<Dependant[]> {
    const { rows } = await client.query<Dependant & Record<string, unknown>>(
        readSql("catalog/object_dependants.sql"),
        [catalog, oid],
    );
    return rows;
}
