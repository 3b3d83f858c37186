/** Where a new version begins to be computed: what is older is copied from the old one. */
import { escapeIdentifier, escapeLiteral, quoteQualified } from "../../identifier";
import type { Queryable } from "../../session";
import { rawFloor } from "../floor";
import type { ActualAggregate } from "../inspect";

type Buckets = Pick<ActualAggregate, "bucketWidth" | "bucketTimezone">;

/** The bucket that a time lies in, as SQL. @param time the same */
function bucketOf({ bucketWidth, bucketTimezone }: Buckets, time: string): string {
    const zone = bucketTimezone === null ? "" : `, ${escapeLiteral(bucketTimezone)}`;
    return `time_bucket(${widthOf({ bucketWidth })}, ${time}${zone})`;
}

/** The first bucket that begins at a time or after it. */
function bucketFrom(version: Buckets, time: string): string {
    const at = bucketOf(version, time);
    return `(CASE WHEN ${at} < ${time} THEN ${at} + ${widthOf(version)} ELSE ${at} END)`;
}

function widthOf({ bucketWidth }: Pick<Buckets, "bucketWidth">): string {
    return `${escapeLiteral(bucketWidth ?? "0")}::interval`;
}

function literal(time: string): string {
    return `to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

/**
 * @param sourceId hypertable whose data decides
 * @returns the first bucket of `version` that lies wholly in whole data, the present one where there is no data at all; a literal in UTC
 */
export async function cutOf(
    client: Queryable,
    sourceId: number,
    version: Buckets,
): Promise<string> {
    const floor = await rawFloor(client, sourceId);
    const at =
        floor === null
            ? bucketOf(version, "now()")
            : bucketFrom(version, `${escapeLiteral(floor)}::timestamptz`);
    const { rows } = await client.query<{ cut: string }>(`SELECT ${literal(at)} AS cut`);
    return rows[0]?.cut ?? "";
}

/**
 * Where the new version begins to be filled, and from when on both versions have every bucket. What the old
 * one's retention has dropped is filled only as far as the new one's would keep it. Literals in UTC.
 *
 * @param retention of the new version; null: it keeps everything
 */
export async function beginsOf(
    client: Queryable,
    { old, version, cut, retention }: {
        readonly old: ActualAggregate;
        readonly version: Buckets;
        readonly cut: string;
        readonly retention: string | null;
    }, // prettier-ignore
): Promise<{ readonly from: string; readonly both: string }> {
    const at = `${escapeLiteral(cut)}::timestamptz`;
    const kept = `now() - ${escapeLiteral(retention ?? "0")}::interval`;
    const { rows } = await client.query<{ from: string; both: string }>(
        [
            `SELECT ${literal(retention === null ? at : `greatest(${at}, ${bucketOf(version, `least(oldest, ${kept})`)})`)} AS from,`,
            `    ${literal(`greatest(${at}, ${bucketFrom(version, "oldest")})`)} AS both`,
            `FROM (SELECT min(${escapeIdentifier(old.timeColumn)}) AS oldest FROM ${quoteQualified(old.materialization)}) o`,
        ].join("\n"),
    );
    return rows[0] ?? { from: cut, both: cut };
}
