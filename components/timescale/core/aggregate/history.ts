/** What exists in an aggregate alone, because raw data no longer has it. */
import { TimescaleError } from "../errors";
import { escapeIdentifier, type QualifiedName, quoteQualified } from "../identifier";
import type { Queryable } from "../session";
import { readSql } from "../sqlFile";
import type { ActualAggregate } from "./inspect";

export interface HistoryAtStake {
    readonly rows: number;
    /** First and last bucket, as the server prints them; null when there is none. */
    readonly oldest: string | null;
    readonly newest: string | null;
    /** Where raw data stands; a gap is what retention took below a late row. */
    readonly raw: readonly RawRange[];
}

/** Inclusive and exclusive, as the server prints them. */
export interface RawRange {
    readonly begins: string;
    readonly ends: string;
}

/** How many chunks are looked into by one statement. */
const batch = 200;

/** Where there are raw rows, as far as chunks tell: one that DELETE has emptied computes nothing. */
async function rawRanges(client: Queryable, sourceId: number): Promise<RawRange[]> {
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
    }>(
        [
            `SELECT count(*) AS rows, min(${bucket})::text AS oldest, max(${bucket})::text AS newest`,
            `FROM ${quoteQualified(actual.materialization)}`,
            // A bucket that begins before the chunk which its raw rows are in can be computed.
            "WHERE NOT EXISTS (SELECT FROM unnest($1::timestamptz[], $2::timestamptz[]) raw (begins, ends)",
            `    WHERE raw.begins < ${bucket} + $3::interval AND raw.ends > ${bucket})`,
        ].join("\n"),
        [raw.map(({ begins }) => begins), raw.map(({ ends }) => ends), actual.bucketWidth ?? "0"],
    );
    const row = rows[0];
    return {
        rows: Number(row?.rows ?? 0),
        oldest: row?.oldest ?? null,
        newest: row?.newest ?? null,
        raw,
    };
}

/** Such as `raw data begins 2026-08-24 00:00:00+00`; with its gaps where it has some. */
export function describeRaw({ raw }: HistoryAtStake): string {
    const [first, ...others] = raw;
    if (first === undefined) return "there is no raw data";
    if (others.length === 0) return `raw data begins ${first.begins}`;
    const parts = raw.slice(0, -1).map(({ begins, ends }) => `from ${begins} to ${ends}`);
    return `raw data stands ${parts.join(", ")} and from ${raw.at(-1)?.begins} on`;
}

export function describeStake(stake: HistoryAtStake): string {
    return `${stake.rows} rows from ${stake.oldest} to ${stake.newest} exist only in it; ${describeRaw(stake)}`;
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
