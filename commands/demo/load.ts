/**
 * Loads generated traces of the last ten days, refreshes what is computed from them and shows it.
 *
 * Loading again adds the time that has passed since: what is already there stays as it is.
 */
import { backOff } from "exponential-backoff";
import type { Client } from "pg";

import { binAggregates } from "../../components/observatory/bins";
import type { Connection } from "../../components/timescale/core/connection/connection";
import { isTransient, serverError } from "../../components/timescale/core/connection/serverErrors";
import { withSession } from "../../components/timescale/core/connection/session";
import { TimescaleError } from "../../components/timescale/core/errors";
import {
    displayName,
    escapeIdentifier,
    escapeLiteral,
    type QualifiedName,
    quoteQualified,
} from "../../components/timescale/core/identifier";
import { readHead, readPercentiles } from "./heads";
import { demoTag, hoursBetween, type Trace, tracesOfHour } from "./traces";

export interface DemoOptions {
    readonly writer: Connection;
    readonly owner: Connection;
    readonly reader: Connection;
    /** Qualified names, `schema.name`; their schema is also that of `llm_traces`. */
    readonly aggregates: readonly string[];
    /** Told what is being waited for. */
    readonly report: (text: string) => void;
    /** Gets the tables. @default - standard output */
    readonly say?: (text: string) => void;
    /** @default 10 */
    readonly days?: number;
}

export interface DemoResult {
    /** Traces that the last days hold, and those of them that were new. */
    readonly traces: number;
    readonly inserted: number;
}

const batchSize = 2000;

/** Nobody reads counts of bins; llm_percentiles does. */
const bins = new Set(binAggregates.map(({ name }) => name));

/** Their buckets are longer than the windows of the others. */
const monthly = new Set(
    binAggregates.map(({ name }) => name).filter((it) => it.endsWith("_1month")),
);

const dayMilliseconds = 86_400_000;

/**
 * Loads, refreshes and shows.
 *
 * Rows go in oldest first, so that no transaction spans old and new time and invalidates all between.
 * Throws `TimescaleError` when a statement fails; what was inserted until then stays, and the next
 * call goes on from there.
 */
export async function loadDemo(options: DemoOptions): Promise<DemoResult> {
    const { writer, owner, reader, report, days = 10 } = options;
    const say = options.say ?? ((text: string) => void process.stdout.write(`${text}\n`));
    const aggregates = options.aggregates.map((name) => parseName(name));
    const schema = aggregates[0]?.schema ?? "public";

    const { result, from, to } = await withSession(writer, async ({ client }) => {
        // The server's clock, not ours: a refresh must not reach into its future.
        const { rows } = await client.query<{ readonly now: Date }>("SELECT now() AS now");
        const to = rows[0]?.now ?? new Date();
        const from = new Date(to.getTime() - days * dayMilliseconds);
        const table = { schema, name: "llm_traces" };
        return { from, to, result: await insertTraces(client, table, from, to, report) };
    });

    await withSession(owner, async ({ client }) => {
        for (const aggregate of aggregates) await refresh(client, aggregate, from, to, report);
    });

    await withSession(reader, async ({ client }) => {
        const shown = aggregates.filter(({ name }) => !bins.has(name));
        for (const aggregate of shown) say(`${await readHead(client, aggregate)}\n`);
        say(`${await readPercentiles(client, { schema, name: "llm_percentiles" }, from, to)}\n`);
    });
    return result;
}

async function insertTraces(
    client: Client,
    table: QualifiedName,
    from: Date,
    to: Date,
    report: (text: string) => void,
): Promise<DemoResult> {
    report("generating traces");
    const hours = hoursBetween(from, to).map((hour) =>
        tracesOfHour(hour).filter(({ ts }) => new Date(ts) <= to),
    );
    const traces = hours.reduce((sum, hour) => sum + hour.length, 0);
    const present = await countTraces(client, table, hours);
    const missing = hours.filter((hour, at) => hour.length > (present[at] ?? 0)).flat();
    const started = Date.now();
    let inserted = 0;
    for (let at = 0; at < missing.length; at += batchSize) {
        try {
            inserted += await insertBatch(client, table, missing.slice(at, at + batchSize));
        } catch (error) {
            const object = displayName(table);
            throw serverError(error, { statement: "insert_traces", object });
        }
        const done = Math.min(at + batchSize, missing.length);
        const rate = Math.round((done * 1000) / Math.max(1, Date.now() - started));
        report(
            `inserting traces: ${grouped(done)} of ${grouped(missing.length)} (${grouped(rate)}/s)`,
        );
    }
    return { traces, inserted };
}

/** Generated rows that the table has already, for each of the hours. */
async function countTraces(
    client: Client,
    table: QualifiedName,
    hours: readonly (readonly Trace[])[],
): Promise<readonly number[]> {
    const first = hours.find((hour) => hour.length > 0)?.[0]?.ts;
    if (first === undefined) return [];
    const { rows } = await client.query<{ readonly hour: number; readonly count: number }>(
        `SELECT floor(extract(epoch FROM ts) / 3600)::int AS hour, count(*)::int AS count
         FROM ${quoteQualified(table)}
         WHERE ts >= $1::timestamptz AND tags @> ARRAY[$2]
         GROUP BY 1`,
        [first, demoTag],
    );
    const counts = new Map(rows.map(({ hour, count }) => [hour, count]));
    return hours.map((hour) => {
        const ts = hour[0]?.ts;
        return ts === undefined ? 0 : (counts.get(Math.floor(Date.parse(ts) / 3_600_000)) ?? 0);
    });
}

/** Types of the columns that a trace fills, for `jsonb_to_recordset`. */
const columnTypes: Readonly<Record<keyof Trace, string>> = {
    ts: "timestamptz",
    trace_id: "text",
    span_id: "text",
    span_name: "text",
    span_kind: "text",
    provider: "text",
    model: "text",
    input_type: "text",
    input_text: "text",
    output_text: "text",
    finish_reason: "text",
    prompt_tokens: "integer",
    completion_tokens: "integer",
    total_tokens: "integer",
    prompt_cost_usd: "numeric",
    completion_cost_usd: "numeric",
    total_cost_usd: "numeric",
    duration_ms: "integer",
    ttft_ms: "integer",
    status_code: "text",
    error_message: "text",
    user_id: "text",
    session_id: "text",
    environment: "text",
    tags: "text[]",
    attributes: "jsonb",
    resource_attributes: "jsonb",
};

/** One statement and so one transaction; returns how many of the rows were new. */
async function insertBatch(
    client: Client,
    table: QualifiedName,
    batch: readonly Trace[],
): Promise<number> {
    const names = Object.keys(columnTypes).join(", ");
    const typed = Object.entries(columnTypes).map(([name, type]) => `${name} ${type}`);
    const { rowCount } = await client.query(
        `INSERT INTO ${quoteQualified(table)} (${names})
         SELECT ${names} FROM jsonb_to_recordset($1::jsonb) AS trace (${typed.join(", ")})
         ON CONFLICT (ts, trace_id, span_id) DO NOTHING`,
        [JSON.stringify(batch)],
    );
    return rowCount ?? 0;
}

/** Day by day, oldest first; the last window ends now and holds the last complete bucket. */
async function refresh(
    client: Client,
    aggregate: QualifiedName,
    from: Date,
    to: Date,
    report: (text: string) => void,
): Promise<void> {
    const procedure = `${await extensionSchema(client)}.refresh_continuous_aggregate`;
    const windows = refreshWindows(aggregate.name, from, to);
    for (const [at, { start, end }] of windows.entries()) {
        report(`refreshing ${displayName(aggregate)}: ${at + 1} of ${windows.length}`);
        // One statement of its own and no bound parameters: it commits inside, so it takes no
        // transaction block.
        const statement = `CALL ${procedure}(${escapeLiteral(quoteQualified(aggregate))}::regclass, '${start.toISOString()}', '${end.toISOString()}')`;
        try {
            await backOff(() => client.query(statement), {
                numOfAttempts: 5,
                startingDelay: 500,
                // The aggregate's own job may be at work.
                retry: isTransient,
            });
        } catch (error) {
            if (isWithoutCompleteBucket(error)) continue;
            const object = displayName(aggregate);
            throw serverError(error, { statement: "refresh_continuous_aggregate", object });
        }
    }
}

/** Today has no complete bucket of a daily aggregate yet, and often no month has ended in this time. */
function isWithoutCompleteBucket(error: unknown): boolean {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    return code === "22023" && message.includes("refresh window too small");
}

/** Days, or for an aggregate by month one window of whole months, which hold those that have ended. */
export function refreshWindows(
    aggregate: string,
    from: Date,
    to: Date,
): ReturnType<typeof dailyWindows> {
    if (!monthly.has(aggregate)) return dailyWindows(from, to);
    return [{ start: new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth())), end: to }];
}

/** Cut at midnight UTC, where the buckets of all widths up to a day are cut. */
export function dailyWindows(
    from: Date,
    to: Date,
): readonly { readonly start: Date; readonly end: Date }[] {
    const first = Math.floor(from.getTime() / dayMilliseconds);
    const last = Math.ceil(to.getTime() / dayMilliseconds) - 1;
    return Array.from({ length: last - first + 1 }, (_, i) => ({
        start: new Date((first + i) * dayMilliseconds),
        end: new Date(Math.min((first + i + 1) * dayMilliseconds, to.getTime())),
    }));
}

async function extensionSchema(client: Client): Promise<string> {
    const { rows } = await client.query<{ readonly schema: string }>(
        `SELECT nspname AS schema FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
         WHERE extname = 'timescaledb'`,
    );
    return escapeIdentifier(rows[0]?.schema ?? "public");
}

function parseName(qualified: string): QualifiedName {
    const at = qualified.lastIndexOf(".");
    if (at <= 0) {
        throw new TimescaleError(`"${qualified}" is not a qualified name`, {
            code: "invalid_name",
            detail: "an aggregate is named as schema.name",
        });
    }
    return { schema: qualified.slice(0, at), name: qualified.slice(at + 1) };
}

function grouped(count: number): string {
    return count.toLocaleString("en-US");
}
