/** What hypertables hold, as far as the login may read them: by their first and last chunks, and counted where they are small. */
import { utcText } from "../aggregate/bucket";
import type { Queryable } from "../connection/session";
import { escapeIdentifier, quoteQualified } from "../identifier";
import type { HypertableRow } from "./rows";

export interface Contents {
    /** First bucket of an aggregate. */
    readonly oldest: string | null;
    /** Last row of a table; of an aggregate the watermark tells. */
    readonly newest: string | null;
    /** Null: too many to count. */
    readonly rows: number | null;
}

/** Counting reads all of it: no more than this of one, and of all together. */
const countable = { bytes: 32 << 20, bytesOfAll: 256 << 20, chunks: 60, chunksOfAll: 600 };

/** Of relations in one statement: the time to plan one grows with the square of their number. */
const batch = 50;

/** By hypertable id; without those that hold nothing, or that the login may not read. */
export async function inspectContents(
    client: Queryable,
    hypertables: readonly HypertableRow[],
): Promise<ReadonlyMap<number, Contents>> {
    const found = hypertables.filter(({ readable, chunks }) => readable && chunks > 0);
    const counted = new Set(small(found).map(({ id }) => id));
    const parts = found.map(({ id, timeColumn, integerTime, ...one }) => {
        const at = escapeIdentifier(timeColumn);
        const edge = (relation: string | null, which: "min" | "max"): string =>
            relation === null || integerTime
                ? "NULL::text"
                : `(SELECT ${utcText(`${which}(${at})::timestamptz`)} FROM ${relation})`;
        const rows = counted.has(id)
            ? `(SELECT count(*)::float8 FROM ${quoteQualified(one)})`
            : "NULL::float8";
        return `SELECT ${id} AS id, ${edge(one.raw ? null : one.oldestRelation, "min")} AS oldest, ${edge(one.raw ? one.newestRelation : null, "max")} AS newest, ${rows} AS rows`;
    });
    const contents = new Map<number, Contents>();
    for (let at = 0; at < parts.length; at += batch) {
        const { rows } = await client.query<{ id: number } & Contents & Record<string, unknown>>(
            parts.slice(at, at + batch).join("\nUNION ALL\n"),
        );
        for (const { id, oldest, newest, rows: count } of rows) {
            contents.set(id, { oldest, newest, rows: count });
        }
    }
    return contents;
}

/** The smallest first, as long as all of them together stay quick. */
function small(hypertables: readonly HypertableRow[]): HypertableRow[] {
    let [bytes, chunks] = [0, 0];
    return [...hypertables]
        .sort((one, other) => one.bytes - other.bytes)
        .filter((one) => {
            if (one.bytes > countable.bytes || one.chunks > countable.chunks) return false;
            bytes += one.bytes;
            chunks += one.chunks;
            return bytes <= countable.bytesOfAll && chunks <= countable.chunksOfAll;
        });
}
