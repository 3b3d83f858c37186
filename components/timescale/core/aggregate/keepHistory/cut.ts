/** Where a new version begins to be computed: what is older is copied from the old one. */
import { escapeLiteral } from "../../identifier";
import type { Queryable } from "../../session";
import { rawFloor } from "../floor";
import type { ActualAggregate } from "../inspect";

/**
 * @param sourceId hypertable whose data decides
 * @returns the first bucket of `version` that lies wholly in whole data, as a literal in UTC; null: there is no data
 */
export async function cutOf(
    client: Queryable,
    sourceId: number,
    { bucketWidth, bucketTimezone }: Pick<ActualAggregate, "bucketWidth" | "bucketTimezone">,
): Promise<string | null> {
    const floor = await rawFloor(client, sourceId);
    if (floor === null) return null;
    const width = `${escapeLiteral(bucketWidth ?? "0")}::interval`;
    const zone = bucketTimezone === null ? "" : `, ${escapeLiteral(bucketTimezone)}`;
    const at = `time_bucket(${width}, ${escapeLiteral(floor)}::timestamptz${zone})`;
    const { rows } = await client.query<{ cut: string }>(
        `SELECT to_char((CASE WHEN ${at} < ${escapeLiteral(floor)}::timestamptz THEN ${at} + ${width} ELSE ${at} END)
            AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS cut`,
    );
    return rows[0]?.cut ?? null;
}
