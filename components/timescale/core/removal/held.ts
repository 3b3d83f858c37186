/** How much a hypertable, or the buckets of an aggregate, hold: small ones are counted, of others the statistics tell. */
import { rowRange } from "../backup/dump";
import { countOf, describeRows, sizeOf } from "../backup/manifest";
import type { Queryable } from "../connection/session";
import { counted } from "../health/words";
import type { QualifiedName } from "../identifier";
import { readSql } from "../sqlFile";

export interface Held {
    readonly chunks: number;
    /** On disk, indexes included. */
    readonly bytes: number;
    /** Null where the server has no statistics to estimate them from. */
    readonly rows: number | null;
    /** Of rows, or the edges of chunks where it is estimated; as the server prints them. Null: there is no row. */
    readonly oldest: string | null;
    readonly newest: string | null;
    readonly estimated: boolean;
}

/** What is counted: reading it takes less than a second. */
const smallBytes = 50_000_000;

/** @param id of the hypertable, or of that with the buckets @param relation its name */
export async function inspectHeld(
    client: Queryable,
    id: number,
    relation: QualifiedName,
    timeColumn: string,
): Promise<Held> {
    const { rows } = await client.query<{
        rows: string;
        size: string;
        chunks: number;
        oldest: string | null;
        newest: string | null;
    }>(readSql("catalog/hypertable_size.sql"), [id]);
    const found = rows[0];
    const bytes = Number(found?.size ?? 0);
    if (found === undefined || found.chunks === 0) {
        return { chunks: 0, bytes, rows: 0, oldest: null, newest: null, estimated: false };
    }
    const { chunks, oldest, newest } = found;
    if (bytes < smallBytes) {
        const range = await rowRange(client, relation, timeColumn);
        return { chunks, bytes, ...range, estimated: false };
    }
    const estimate = found.rows === "0" ? null : Number(found.rows);
    return { chunks, bytes, rows: estimate, oldest, newest, estimated: true };
}

/** Such as `5,040 rows from … to …, in 12 chunks, 1.2 MB`; undefined: no row. */
export function describeHeld(held: Held): string | undefined {
    const { chunks, bytes, rows, oldest, newest, estimated } = held;
    if (rows === 0) return undefined;
    const where = `${counted(chunks, "chunk")}, ${sizeOf(bytes)}`;
    if (rows !== null && !estimated) {
        return `${describeRows({ rows, oldest, newest })}, in ${where}`;
    }
    const about = rows === null ? "rows" : `about ${countOf(rows)}`;
    return `${about} in chunks from ${oldest} to ${newest}, in ${where}`;
}
