/**
 * Whether a new version says the same as the old one, column by column: below the cut, where it was
 * copied, and above it, where it was computed from raw data.
 */
import type { Queryable } from "../../connection/session";
import { TimescaleError } from "../../errors";
import { displayName, escapeIdentifier, quoteQualified } from "../../identifier";
import { bucketColumn } from "../../query/definition";
import { bucketAt, timeOf, widthOf } from "../bucket";
import type { ActualAggregate } from "../inspect";
import { pendingRanges } from "../pending";
import { commonOf, isExtended } from "./common";
import type { Mapping } from "./mapping";

const numeric = /^(?:smallint|integer|bigint|numeric(?:\(.*\))?|real|double precision)$/;

/** An aggregate, and the one that takes its place. */
export interface Versions {
    readonly old: ActualAggregate;
    readonly version: ActualAggregate;
}

/** Totals of one version, by what they are totals of. */
type Totals = Readonly<Record<string, string | null>>;

/**
 * @param cut literal of the first bucket that was computed; what is before it was copied
 * @throws TimescaleError with both totals of the first column that differs
 */
export async function verifyCopied(
    client: Queryable,
    old: ActualAggregate,
    built: ActualAggregate,
    mapping: Mapping,
    cut: string,
): Promise<void> {
    const typeOf = (name: string): string => old.columns.find((it) => it.name === name)?.type ?? "";
    const whole = mapping.groupBy === undefined;
    const oldTotals = [
        ...(whole ? [["rows", "count(*)"]] : []),
        ...mapping.carried
            .filter(() => whole)
            .flatMap(({ name, was, type }) => [
                [`values of ${name}`, `count(${escapeIdentifier(was)})`],
                ...(numeric.test(typeOf(was)) && numeric.test(type)
                    ? [[`sum of ${name}`, sumOf(`${escapeIdentifier(was)}::${type}`)]]
                    : []),
            ]),
        ...mapping.summed.map((name) => [`sum of ${name}`, sumOf(sourceOf(mapping, name))]),
    ] as [string, string][];
    const newTotals = oldTotals.map(([title]): [string, string] => {
        const name = title.replace(/^(?:values|sum) of /, "");
        if (title === "rows") return [title, "count(*)"];
        return [title, title.startsWith("values") ? `count(${escapeIdentifier(name)})` : sumOf(escapeIdentifier(name))]; // prettier-ignore
    });
    // Retention may have dropped a chunk of the old version since it was copied.
    const first = `(SELECT min(${mapping.newBucket}) FROM ${quoteQualified(old.name)})`;
    const newBucket = escapeIdentifier(mapping.bucketName);
    const bound = timeOf(cut);
    const was = await totals(client, old, oldTotals, `${mapping.newBucket} < ${bound}`);
    const will = await totals(
        client,
        built,
        newTotals,
        `${newBucket} < ${bound} AND ${newBucket} >= ${first}`,
    );
    refuseDifference(old, was, will, `before ${cut}, where history was copied`);
}

function sourceOf({ columns }: Mapping, name: string): string {
    const expression = columns.find((column) => column.name === name)?.expression ?? "NULL";
    return /^sum\((.*)\)::/.exec(expression)?.[1] ?? "NULL";
}

/**
 * Totals that both versions compute alike, over whole buckets that neither has yet to refresh.
 *
 * @param parents the two that they read, in a hierarchy, and what those read: what is pending in one of these is
 *     not in the two yet; and where a column has another meaning in the next parent, totals over it may differ
 * @returns what was compared, in words; empty where the two queries have nothing in common
 * @throws TimescaleError with both totals of the first column that differs
 */
export async function verifyComputed(
    client: Queryable,
    old: ActualAggregate,
    built: ActualAggregate,
    cut: string,
    parents: readonly Versions[] = [],
): Promise<string[]> {
    const both = commonOf(old, built);
    const alike = parents.every((parent) => isExtended(commonOf(parent.old, parent.version)));
    if (both === undefined || !alike) return [];
    const [oldBucket, newBucket] = [bucketColumn(both.before), bucketColumn(both.after)];
    if (oldBucket === undefined || newBucket === undefined) return [];
    const common = both.columns.filter(({ expression }) => isAdditive(expression));
    if (common.length === 0) return [];
    const where = await settled(client, [{ old, version: built }, ...parents], built, cut);
    const was = await totals(
        client,
        old,
        common.map(({ was: column, is }) => [`sum of ${is}`, sumOf(escapeIdentifier(column))]),
        where(escapeIdentifier(oldBucket.name)),
    );
    const will = await totals(
        client,
        built,
        common.map(({ is: column }) => [`sum of ${column}`, sumOf(escapeIdentifier(column))]),
        where(escapeIdentifier(newBucket.name)),
    );
    refuseDifference(old, was, will, `from ${cut} on, where it was computed from raw data`);
    return common.map(({ is: column }) => column);
}

function isAdditive(expression: string): boolean {
    return /^\(?(?:[\w"]+\.)?(?:count|sum)\((?!DISTINCT )[^;]*\)(?:\)::[\w ]+)?$/.test(expression) && !/ FILTER /.test(expression); // prettier-ignore
}

/** Whole buckets of the wider of the two that lie between the cut and what all of them have refreshed. */
async function settled(
    client: Queryable,
    versions: readonly Versions[],
    built: ActualAggregate,
    cut: string,
): Promise<(bucket: string) => string> {
    const found = await pendingRanges(
        client,
        versions.flatMap((it) => [it.old.materializationId, it.version.materializationId]),
    );
    const pending = [...found.values()].flat();
    const from = (text: string): string =>
        text === "-infinity" ? timeOf(text) : bucketAt(built, timeOf(text));
    const to = (text: string): string =>
        text === "infinity" ? timeOf(text) : `${bucketAt(built, timeOf(text))} + ${widthOf(built)}`;
    return (bucket) =>
        [
            `${bucket} >= ${timeOf(cut)}`,
            ...pending.map(
                ({ begins, ends }) =>
                    `NOT (${bucket} >= ${from(begins)} AND ${bucket} < ${to(ends)})`,
            ),
        ].join(" AND ");
}

function sumOf(value: string): string {
    return `sum((${value})::numeric)`;
}

async function totals(
    client: Queryable,
    { name }: ActualAggregate,
    wanted: readonly (readonly [string, string])[],
    where: string,
): Promise<Totals> {
    if (wanted.length === 0) return {};
    const list = wanted.map(([, sql]) => `(${sql})::text`);
    const { rows } = await client.query<{ totals: (string | null)[] }>(
        `SELECT ARRAY[${list.join(", ")}] AS totals FROM ${quoteQualified(name)} WHERE ${where}`,
    );
    return Object.fromEntries(wanted.map(([title], at) => [title, rows[0]?.totals[at] ?? null]));
}

/** Sums of floating point depend on their order in the last digits. */
const tolerance = 1e-9;

function refuseDifference(old: ActualAggregate, was: Totals, will: Totals, where: string): void {
    for (const [title, before] of Object.entries(was)) {
        const after = will[title] ?? null;
        const [one, other] = [Number(before ?? 0), Number(after ?? 0)];
        const near = Math.abs(one - other) <= tolerance * Math.max(Math.abs(one), Math.abs(other));
        if (before === after || near || (Number.isNaN(one) && Number.isNaN(other))) continue;
        const object = displayName(old.name);
        throw new TimescaleError(
            `the new version of ${object} does not say what the old one says`,
            {
                code: "verification_failed",
                detail: `${title}, ${where}: ${before} in the old version, ${after} in the new one; nothing was exchanged, and readers see the old one`,
                hint: "look for rows that were deleted from raw data or from the aggregate since they were materialized; then run the same command again, or give the new aggregate another name",
                object,
            },
        );
    }
}
