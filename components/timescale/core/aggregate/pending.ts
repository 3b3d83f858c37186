/** What aggregates still have to be refreshed for, as far as refreshes were told. */
import type { Queryable } from "../connection/session";
import { readSql } from "../sqlFile";

/** Inclusive and exclusive, literals in UTC, or `-infinity` and `infinity`. */
export interface PendingRange {
    readonly begins: string;
    readonly ends: string;
}

/** By materialization hypertable id, in order of time. Behind what was refreshed last, everything is pending. */
export async function pendingRanges(
    client: Queryable,
    materializationIds: readonly number[],
): Promise<ReadonlyMap<number, readonly PendingRange[]>> {
    const { rows } = await client.query<{ id: number } & PendingRange & Record<string, unknown>>(
        readSql("catalog/pending_ranges.sql"),
        [materializationIds],
    );
    const found = new Map<number, PendingRange[]>();
    for (const { id, begins, ends } of rows) {
        found.set(id, [...(found.get(id) ?? []), { begins, ends }]);
    }
    return found;
}
