/** From when on raw data is whole: older buckets can no longer be computed, only kept. */
import type { Queryable } from "../connection/session";
import { readSql } from "../sqlFile";

export interface Floor {
    /** Hypertable that aggregates are computed from. */
    readonly id: number;
    /** A literal in UTC. */
    readonly floor: string;
    /** What lies before it was dropped; null where nothing is known to have been. A literal in UTC. */
    readonly cut: string | null;
}

/** @returns none for a source that holds no data at all */
export async function rawFloors(client: Queryable, sourceIds: readonly number[]): Promise<Floor[]> {
    const { rows } = await client.query<Floor & Record<string, unknown>>(
        readSql("catalog/floor.sql"),
        [sourceIds],
    );
    return rows.map(({ id, floor, cut }) => ({ id, floor, cut }));
}

/**
 * @param sourceId hypertable that the aggregate is computed from
 * @returns a literal in UTC; null where the source holds no data at all
 */
export async function rawFloor(client: Queryable, sourceId: number): Promise<string | null> {
    const [found] = await rawFloors(client, [sourceId]);
    return found?.floor ?? null;
}
