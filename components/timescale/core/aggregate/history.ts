/** What exists in an aggregate alone, because raw data no longer has it. */
import type { Queryable } from "../connection/session";
import { TimescaleError } from "../errors";
import { escapeIdentifier, type QualifiedName, quoteQualified } from "../identifier";
import { parseInterval, sameInterval } from "../interval";
import { describeTime } from "../removal/extent";
import { readSql } from "../sqlFile";
import type { ActualAggregate } from "./inspect";

export interface HistoryAtStake {
    readonly rows: number;
    /** First and last bucket, as the server prints them; null when there is none. */
    readonly oldest: string | null;
    readonly newest: string | null;
    /** Where raw data stands; a gap is what retention took below a late row. */
    readonly raw: readonly RawRange[];
    /** How long it is in all, without what raw data covers in between. Default: not known. */
    readonly seconds?: number;
    /** Width of a bucket, as the server prints it. Default: not known. */
    readonly bucket?: string | null;
}

/** Inclusive and exclusive, as the server prints them. */
export interface RawRange {
    readonly begins: string;
    readonly ends: string;
}

/** How many chunks are looked into by one statement. */
const batch = 200;

/** Where there are raw rows, as far as chunks tell: one that DELETE has emptied computes nothing. */
export async function rawRanges(client: Queryable, sourceId: number): Promise<RawRange[]> {
    const { rows: chunks } = await client.query<QualifiedName & RawRange & Record<string, unknown>>(
        readSql("catalog/raw_chunks.sql"),
        [sourceId],
    );
    const ranges: RawRange[] = [];
    for (let from = 0; from < chunks.length; from += batch) {
        const some = chunks.slice(from, from + batch);
        const { rows } = await client.query<{ filled: boolean[] }>(
            `SELECT ARRAY[${some.map((chunk) => `EXISTS (SELECT FROM ${quoteQualified(chunk)})`).join(", ")}] AS filled`,
        );
        some.forEach(({ begins, ends }, at) => {
            if (rows[0]?.filled[at] !== true) return;
            const last = ranges.at(-1);
            const follows = last?.ends === begins || last?.begins === begins;
            if (follows) ranges[ranges.length - 1] = { begins: last.begins, ends };
            else ranges.push({ begins, ends });
        });
    }
    return ranges;
}

/** Buckets of which no chunk of raw data covers a part. */
export async function historyAtStake(
    client: Queryable,
    actual: ActualAggregate,
): Promise<HistoryAtStake> {
    const raw = await rawRanges(client, actual.sourceId);
    const bucket = escapeIdentifier(actual.timeColumn);
    const { rows } = await client.query<{
        rows: string;
        oldest: string | null;
        newest: string | null;
        seconds: string | null;
    }>(
        [
            "WITH raw AS (SELECT * FROM unnest($1::timestamptz[], $2::timestamptz[]) raw (begins, ends)),",
            `lost AS (SELECT count(*) AS rows, min(${bucket}) AS oldest, max(${bucket}) AS newest`,
            `    FROM ${quoteQualified(actual.materialization)}`,
            // A bucket that begins before the chunk which its raw rows are in can be computed.
            "    WHERE NOT EXISTS (SELECT FROM raw",
            `        WHERE raw.begins < ${bucket} + $3::interval AND raw.ends > ${bucket}))`,
            "SELECT rows, oldest::text, newest::text,",
            "    extract(epoch FROM newest + $3::interval - oldest::timestamptz) - coalesce((",
            "        SELECT sum(extract(epoch FROM least(ends, newest + $3::interval) - greatest(begins, oldest)))",
            "        FROM raw WHERE begins < newest AND ends > oldest), 0) AS seconds",
            "FROM lost",
        ].join("\n"),
        [raw.map(({ begins }) => begins), raw.map(({ ends }) => ends), actual.bucketWidth ?? "0"],
    );
    const row = rows[0];
    return {
        rows: Number(row?.rows ?? 0),
        oldest: row?.oldest ?? null,
        newest: row?.newest ?? null,
        raw,
        bucket: actual.bucketWidth,
        ...(row?.seconds != null && { seconds: Number(row.seconds) }),
    };
}

/** Such as `raw data begins 2026-08-24`; with its gaps where it has some. */
export function describeRaw({ raw }: HistoryAtStake): string {
    const [first, ...others] = raw;
    if (first === undefined) return "there is no raw data";
    if (others.length === 0) return `raw data begins ${describeTime(first.begins)}`;
    const parts = raw
        .slice(0, -1)
        .map(({ begins, ends }) => `from ${describeTime(begins)} to ${describeTime(ends)}`);
    return `raw data stands ${parts.join(", ")} and from ${describeTime(raw.at(-1)?.begins ?? "")} on`;
}

/**
 * Such as `118 days of hourly history exist only in this aggregate, 2832 rows from 2026-04-28
 * 00:00:00+00 to 2026-08-23 23:00:00+00; raw data begins 2026-08-24`.
 */
export function describeStake(stake: HistoryAtStake): string {
    const rows = `${stake.rows} rows from ${stake.oldest} to ${stake.newest}`;
    const { seconds } = stake;
    if (seconds === undefined) {
        return `${rows} exist only in this aggregate; ${describeRaw(stake)}`;
    }
    const history = [length(seconds), "of", ...describeBucket(stake.bucket), "history"].join(" ");
    return `${history} exist only in this aggregate, ${rows}; ${describeRaw(stake)}`;
}

/** In days from two of them on, else in hours or minutes. */
function length(seconds: number): string {
    const [unit, size] =
        seconds >= 2 * 86_400
            ? (["day", 86_400] as const)
            : seconds >= 2 * 3600
              ? (["hour", 3600] as const)
              : (["minute", 60] as const);
    const count = Math.round(seconds / size);
    return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

const buckets: readonly (readonly [string, string])[] = [
    ["1 hour", "hourly"],
    ["1 day", "daily"],
    ["7 days", "weekly"],
    ["1 month", "monthly"],
    ["1 year", "yearly"],
];

/** `hourly`, or `15-minute` where there is no such word. */
function describeBucket(width: string | null | undefined): string[] {
    if (width == null) return [];
    const named = buckets.find(([interval]) => sameInterval(interval, width));
    if (named !== undefined) return [named[1]];
    const parsed = parseInterval(width);
    if (parsed === undefined) return [];
    const { months, days, microseconds } = parsed;
    if (months > 0) return days + microseconds === 0 ? [`${months}-month`] : [];
    const minutes = days * 1440 + microseconds / 60_000_000;
    if (minutes % 1440 === 0) return [`${minutes / 1440}-day`];
    if (minutes % 60 === 0) return [`${minutes / 60}-hour`];
    return Number.isInteger(minutes) ? [`${minutes}-minute`] : [`${minutes * 60}-second`];
}

export function lossRefused(
    object: string,
    stake: HistoryAtStake,
    accepted: number,
): TimescaleError {
    return new TimescaleError(`dropping continuous aggregate ${object} would lose history`, {
        code: "loses_history",
        detail: `${describeStake(stake)}, and acceptLoss covers ${accepted} rows`,
        hint: `keep it out of the rollback, or accept the loss with acceptLoss: { upToRows: ${stake.rows} } and run up before destroy`,
        object,
    });
}
