/**
 * What a version that was replaced lacks of the history that the aggregate has: it goes on refreshing, but
 * late rows that were computed by hand, or a job that did not run, are in one of the two alone.
 */
import type { Queryable } from "../../connection/session";
import { escapeIdentifier, escapeLiteral, quoteQualified } from "../../identifier";
import { bucketColumn } from "../../query/definition";
import type { ActualAggregate } from "../inspect";
import { commonOf } from "./common";

export interface Lacking {
    readonly buckets: number;
    readonly oldest: string | null;
    readonly newest: string | null;
}

/**
 * @param cut literal of the first bucket that raw data gives as a whole; null: none is
 * @param retention interval after which buckets go by themselves; null: they are kept
 */
export async function lackingHistory(
    client: Queryable,
    { old, version, cut, retention }: {
        readonly old: ActualAggregate;
        readonly version: ActualAggregate;
        readonly cut: string | null;
        readonly retention: string | null;
    }, // prettier-ignore
): Promise<Lacking> {
    const bucket = escapeIdentifier(old.timeColumn);
    const conditions = [
        `${bucket} < ${escapeLiteral(cut ?? "infinity")}::timestamptz`,
        ...(retention === null
            ? []
            : [`${bucket} >= now() - ${escapeLiteral(retention)}::interval`]),
    ];
    const { rows } = await client.query<Record<keyof Lacking, string | null>>(
        [
            "SELECT count(DISTINCT bucket) AS buckets, min(bucket)::text AS oldest, max(bucket)::text AS newest",
            `FROM (${comparison(old, version, conditions) ?? newer(old, version, conditions)}) lacking`,
        ].join("\n"),
    );
    const { buckets, oldest, newest } = rows[0] ?? { buckets: "0", oldest: null, newest: null };
    return { buckets: Number(buckets), oldest, newest };
}

/** Where the two select other rows, a bucket may well be missing; one behind all that it has is not. */
function newer(old: ActualAggregate, version: ActualAggregate, conditions: string[]): string {
    const [was, is] = [old, version].map(({ timeColumn }) => escapeIdentifier(timeColumn));
    const [oldName, name] = [quoteQualified(old.name), quoteQualified(version.name)];
    return [
        `SELECT ${was} AS bucket FROM ${oldName} o WHERE ${conditions.join(" AND ")}`,
        `AND ${was} >= (SELECT max(${is}) FROM ${name})`,
        `AND NOT EXISTS (SELECT FROM ${name} v WHERE v.${is} = o.${was})`,
    ].join("\n");
}

/** Rows of the same source, by what both are grouped by, with what both count. */
function comparison(
    old: ActualAggregate,
    version: ActualAggregate,
    conditions: string[],
): string | undefined {
    const both = commonOf(old, version);
    if (both === undefined) return undefined;
    const [was, is] = [bucketColumn(both.before), bucketColumn(both.after)];
    if (was?.expression !== is?.expression) return undefined;
    const { columns: common } = both;
    const keys = common.filter((it) => old.groupColumns.includes(it.was) && version.groupColumns.includes(it.is)); // prettier-ignore
    const counts = common.filter(({ expression }) => /^count\((?!DISTINCT )[^;]*\)$/.test(expression) && !/ FILTER /.test(expression)); // prettier-ignore
    const rows = (side: "was" | "is"): string => {
        const { name, timeColumn } = side === "was" ? old : version;
        const columns = [
            `${escapeIdentifier(timeColumn)} AS bucket`,
            ...keys.map((key, at) => `${escapeIdentifier(key[side])} AS k${at}`),
            ...counts.map((count, at) => `${escapeIdentifier(count[side])} AS c${at}`),
            `${side === "was"} AS old`,
        ];
        return `SELECT ${columns.join(", ")} FROM ${quoteQualified(name)}`;
    };
    const of = (value: string, old: boolean): string =>
        `coalesce(${value} FILTER (WHERE ${old ? "" : "NOT "}old), 0)`;
    return [
        `SELECT bucket FROM (${rows("was")} WHERE ${conditions.join(" AND ")} UNION ALL ${rows("is")}) r`,
        `GROUP BY ${["bucket", ...keys.map((_, at) => `k${at}`)].join(", ")}`,
        `HAVING ${of("count(*)", true)} > 0 AND (${[
            `${of("count(*)", false)} = 0`,
            ...counts.map((_, at) => `${of(`sum(c${at})`, false)} < ${of(`sum(c${at})`, true)}`),
        ].join(" OR ")})`,
    ].join("\n");
}
