/** From when on raw data is whole: older buckets can no longer be computed, only kept. */
import type { Queryable } from "../session";
import { readSql } from "../sqlFile";

/**
 * @param sourceId hypertable that the aggregate is computed from
 * @returns a literal in UTC; null where the source holds no data at all
 */
export async function rawFloor(client: Queryable, sourceId: number): Promise<string | null> {
    const { rows } = await client.query<{ floor: string }>(readSql("catalog/floor.sql"), [
        sourceId,
    ]);
    return rows[0]?.floor ?? null;
}
