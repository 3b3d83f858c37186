/** Where a new version begins to be computed: what is older is copied from the old one. */
import type { Queryable } from "../../connection/session";
import { escapeIdentifier, escapeLiteral, quoteQualified } from "../../identifier";
import { bucketAt, bucketFrom, type Buckets, timeOf, utcText } from "../bucket";
import { rawFloor } from "../floor";
import type { ActualAggregate } from "../inspect";

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
    const at = floor === null ? bucketAt(version, "now()") : bucketFrom(version, timeOf(floor));
    const { rows } = await client.query<{ cut: string }>(`SELECT ${utcText(at)} AS cut`);
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
    const at = timeOf(cut);
    const kept = `now() - ${escapeLiteral(retention ?? "0")}::interval`;
    const { rows } = await client.query<{ from: string; both: string }>(
        [
            `SELECT ${utcText(retention === null ? at : `greatest(${at}, ${bucketAt(version, `least(oldest, ${kept})`)})`)} AS from,`,
            `    ${utcText(`greatest(${at}, ${bucketFrom(version, "oldest")})`)} AS both`,
            `FROM (SELECT min(${escapeIdentifier(old.timeColumn)}) AS oldest FROM ${quoteQualified(old.materialization)}) o`,
        ].join("\n"),
    );
    return rows[0] ?? { from: cut, both: cut };
}
