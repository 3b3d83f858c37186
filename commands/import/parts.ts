/** What stands on a table that no property of a resource says: it is kept, and listed. */
import type { Queryable } from "../../components/timescale/core/connection/session";
import { type QualifiedName, quoteQualified } from "../../components/timescale/core/identifier";
import { readSql } from "../../components/timescale/core/sqlFile";

export interface Part {
    readonly kind: string;
    /** Such as the column's name. */
    readonly object: string;
    /** Such as `CHECK constraint positive`. */
    readonly what: string;
    readonly why: string;
}

const reasons: Readonly<Record<string, string>> = {
    generated: "the column is not declared, and kept",
    identity: "the column is declared without it; it is kept",
    collation: "the column is declared without it; it is kept",
};

export async function undeclarable(client: Queryable, table: QualifiedName): Promise<Part[]> {
    const { rows } = await client.query<{ kind: string; object: string; what: string }>(
        readSql("import/undeclarable.sql"),
        [quoteQualified(table)],
    );
    return rows.map(({ kind, object, what }) => ({
        kind,
        object,
        what: what === object ? what : `${what} ${object}`,
        why: reasons[kind] ?? "no property says it; it is kept",
    }));
}

export interface OddIndex {
    readonly name: string;
    readonly why: string;
}

export async function oddIndexes(client: Queryable, table: QualifiedName): Promise<OddIndex[]> {
    const { rows } = await client.query<{ name: string; why: string | null }>(
        readSql("import/indexes.sql"),
        [quoteQualified(table)],
    );
    return rows.flatMap(({ name, why }) =>
        why === null ? [] : [{ name, why: `${why}; it is kept` }],
    );
}
