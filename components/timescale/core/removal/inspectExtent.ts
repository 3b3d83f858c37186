/** How much a hypertable or the buckets of an aggregate hold, by the catalog alone: no row is read. */
import type { Queryable } from "../connection/session";
import { displayName, escapeIdentifier, type QualifiedName, quoteQualified } from "../identifier";
import { bucketsOf } from "../plan/locks";
import type { RelationName } from "../relation/relations";
import { readSql } from "../sqlFile";
import type { Extent } from "./extent";

export interface ExtentOptions {
    /** Adds size and rows. Default false: they take a look at every chunk. */
    readonly measured?: boolean;
    /** Only chunks that ended so long ago. Default: all. */
    readonly olderThan?: string;
}

/** @param of its number, or names as a query writes them, of which the first that is one counts */
export async function inspectExtent(
    client: Queryable,
    of: number | readonly RelationName[],
    { measured = false, olderThan }: ExtentOptions = {},
): Promise<Extent | undefined> {
    const names = typeof of === "number" ? [] : of.map(written);
    const { rows } = await client.query<
        QualifiedName & Omit<Extent, "object"> & { aggregate: boolean } & Record<string, unknown>
    >(readSql("catalog/extent.sql"), [
        typeof of === "number" ? of : null,
        names,
        measured,
        olderThan ?? null,
    ]);
    const row = rows[0];
    if (row === undefined) return undefined;
    const { chunks, begins, ends, bytes } = row;
    const name = displayName(row);
    return {
        object: row.aggregate ? bucketsOf(name) : name,
        chunks,
        begins,
        ends,
        rows: row["rows"],
        bytes,
    };
}

function written({ schema, name }: RelationName): string {
    return schema === undefined ? escapeIdentifier(name) : quoteQualified({ schema, name });
}
