/**
 * What the Observatory declares, on a real database: three hypertables, and aggregates that
 * equal what a plain reading of the raw rows gives, bucket by bucket.
 */
import { aggregates, onQueryChange, queryOf } from "../../components/observatory/aggregates";
import { hypertables } from "../../components/observatory/hypertables";
import type { Connection } from "../../components/timescale/core/connection/connection";
import { withClient } from "../helpers/clients";
import { aggregate, type Declared, expectNoChange, hypertable } from "./declared";
import { onEveryServer, type Row, type Target } from "./onEveryServer";

/**
 * 4,800 requests: 12 in every ninth minute of three days. Some have no tokens, no cost, no user or no
 * environment; some take longer than 46,341 ms, whose square is no integer any more.
 */
const requests = `
    INSERT INTO llm_traces (ts, trace_id, span_id, span_name, provider, model, input_type, input_text,
        prompt_tokens, completion_tokens, total_tokens, prompt_cost_usd, completion_cost_usd, total_cost_usd,
        duration_ms, status_code, error_message, user_id, session_id, environment)
    SELECT
        date_trunc('minute', now()) - interval '3 days' + i / 12 * interval '9 minutes' + i % 12 * interval '4.5 s',
        'trace ' || i, 'span', 'chat', 'provider ' || i % 2, 'model ' || i * 31 % 4 % 3, 'text', 'a secret of user ' || i,
        tokens, tokens * 2, tokens * 3, tokens * 0.00000123, tokens * 0.00000246, cost,
        CASE WHEN i = 4321 THEN 2147483647 WHEN i % 97 = 0 THEN 46341 + i ELSE i * 7919 % 3000 END,
        (ARRAY['ERROR', 'UNSET', 'OK', 'OK', 'OK', 'OK', 'OK'])[1 + i * 13 % 7],
        CASE WHEN i * 13 % 7 = 0 THEN 'failure ' || i || repeat('.', i % 400) END,
        CASE WHEN i % 4 > 0 THEN 'user ' || i % 29 END,
        CASE WHEN i % 9 > 0 THEN 'session ' || i % 53 END,
        CASE WHEN i % 5 > 0 THEN (ARRAY['production', 'staging'])[1 + i % 2] END
    FROM generate_series(0, 4799) i,
        LATERAL (SELECT CASE WHEN i % 11 > 0 THEN i * 17 % 4001 END AS tokens,
                        CASE WHEN i % 13 > 0 THEN (i * 37 % 100003)::numeric / 100000 END AS cost) known`;

interface Request {
    readonly ts: Date;
    readonly provider: string;
    readonly model: string;
    readonly status_code: string;
    readonly environment: string | null;
    readonly prompt_tokens: number | null;
    readonly completion_tokens: number | null;
    readonly total_tokens: number | null;
    readonly prompt_cost_usd: string | null;
    readonly completion_cost_usd: string | null;
    readonly total_cost_usd: string | null;
    readonly duration_ms: number;
    readonly error_message: string | null;
    readonly user_id: string | null;
    readonly session_id: string | null;
}

type Column = keyof Request;
/** What a column of an aggregate should hold for the requests of one row. */
type Rule = (rows: readonly Request[]) => unknown;

function known(rows: readonly Request[], column: Column): number[] {
    return rows.flatMap((row) => (row[column] === null ? [] : [Number(row[column])]));
}

/** Eight digits after the point, as costs have them, without rounding. */
function exact(value: unknown): bigint {
    const [whole = "", fraction = ""] = String(value).split(".");
    return BigInt(whole + fraction.padEnd(8, "0").slice(0, 8));
}

const sum =
    (column: Column) =>
    (rows: readonly Request[]): bigint | null => {
        const values = rows.flatMap((row) => (row[column] === null ? [] : [exact(row[column])]));
        return values.length === 0 ? null : values.reduce((total, value) => total + value, 0n);
    };

const squares: Rule = (rows) =>
    rows.reduce((total, { duration_ms: ms }) => total + exact(BigInt(ms) * BigInt(ms)), 0n);

const average =
    (column: Column): Rule =>
    (rows) => {
        const total = sum(column)(rows);
        return total === null ? null : Number(total) / 1e8 / known(rows, column).length;
    };

const count =
    (column: Column): Rule =>
    (rows) =>
        known(rows, column).length;

const distinct =
    (column: Column): Rule =>
    (rows) =>
        new Set(rows.flatMap((row) => (row[column] === null ? [] : [row[column]]))).size;

const having =
    (...statuses: readonly string[]): Rule =>
    (rows) =>
        rows.filter(({ status_code }) => statuses.includes(status_code)).length;

const smallest: Rule = (rows) => Math.min(...known(rows, "duration_ms"));
const largest: Rule = (rows) => Math.max(...known(rows, "duration_ms"));

/** SQL's percentile_cont: between the two nearest values, in proportion. */
const percentile =
    (fraction: number): Rule =>
    (rows) => {
        const values = known(rows, "duration_ms").sort((a, b) => a - b);
        const at = fraction * (values.length - 1);
        const low = values[Math.floor(at)] ?? NaN;
        const high = values[Math.ceil(at)] ?? NaN;
        return low + (at - Math.floor(at)) * (high - low);
    };

const latestError: Rule = (rows) => {
    const latest = [...rows].sort((a, b) => a.ts.getTime() - b.ts.getTime()).at(-1);
    return latest?.error_message?.slice(0, 200) ?? null;
};

const durations = {
    avg_duration_ms: average("duration_ms"),
    min_duration_ms: smallest,
    max_duration_ms: largest,
    sum_duration_ms: sum("duration_ms"),
};

const distribution = {
    sum_duration_ms_squared: squares,
    p50_duration_ms: percentile(0.5),
    p90_duration_ms: percentile(0.9),
    p95_duration_ms: percentile(0.95),
    p99_duration_ms: percentile(0.99),
};

const statuses = {
    request_count: (rows: readonly Request[]) => rows.length,
    success_count: having("OK"),
    error_count: having("ERROR"),
    unset_count: having("UNSET"),
};

const tokens = {
    total_tokens: sum("total_tokens"),
    total_prompt_tokens: sum("prompt_tokens"),
    total_completion_tokens: sum("completion_tokens"),
    avg_prompt_tokens: average("prompt_tokens"),
    avg_completion_tokens: average("completion_tokens"),
    prompt_tokens_count: count("prompt_tokens"),
    completion_tokens_count: count("completion_tokens"),
    total_cost_usd: sum("total_cost_usd"),
};

interface Expected {
    readonly width: number;
    readonly keys: readonly Column[];
    readonly of?: (row: Request) => boolean;
    readonly columns: Readonly<Record<string, Rule>>;
}

const minute = 60_000;

const expected: Readonly<Record<string, Expected>> = {
    llm_metrics_1min: {
        width: minute,
        keys: ["provider", "model", "status_code"],
        columns: { ...statuses, ...tokens, ...durations, ...distribution },
    },
    llm_metrics_1hour: {
        width: 60 * minute,
        keys: ["provider", "model", "environment"],
        columns: {
            ...statuses,
            ...tokens,
            ...durations,
            ...distribution,
            total_prompt_cost: sum("prompt_cost_usd"),
            total_completion_cost: sum("completion_cost_usd"),
            total_cost_usd_count: count("total_cost_usd"),
        },
    },
    llm_metrics_1day: {
        width: 24 * 60 * minute,
        keys: ["provider", "model"],
        columns: {
            ...statuses,
            ...tokens,
            ...durations,
            prompt_cost_usd: sum("prompt_cost_usd"),
            completion_cost_usd: sum("completion_cost_usd"),
            avg_cost_per_request: average("total_cost_usd"),
            total_cost_usd_count: count("total_cost_usd"),
            unique_users: distinct("user_id"),
            unique_sessions: distinct("session_id"),
        },
    },
    llm_error_summary: {
        width: 60 * minute,
        keys: ["provider", "model", "status_code", "environment"],
        of: ({ status_code }) => status_code === "ERROR",
        columns: {
            error_count: statuses.request_count,
            sample_error_message: latestError,
            avg_duration_ms: durations.avg_duration_ms,
            sum_duration_ms: durations.sum_duration_ms,
            total_cost_usd: tokens.total_cost_usd,
            affected_users: distinct("user_id"),
            affected_sessions: distinct("session_id"),
        },
    },
};

type Buckets = Map<string, Readonly<Record<string, unknown>>>;

/** Aggregate rows by bucket and keys. */
function compute(
    all: readonly Request[],
    { width, keys, of = () => true, columns }: Expected,
    until: number,
): Buckets {
    const groups = new Map<string, Request[]>();
    for (const row of all.filter(of)) {
        const bucket = Math.floor(row.ts.getTime() / width) * width;
        if (bucket + width > until) continue;
        const key = JSON.stringify([bucket, ...keys.map((column) => row[column])]);
        groups.set(key, [...(groups.get(key) ?? []), row]);
    }
    return new Map(
        [...groups].map(([key, rows]) => [
            key,
            Object.fromEntries(Object.entries(columns).map(([name, rule]) => [name, rule(rows)])),
        ]),
    );
}

async function stored(
    target: Target,
    name: string,
    { width, keys, columns }: Expected,
    until: number,
): Promise<Buckets> {
    const names = ["bucket", ...keys, ...Object.keys(columns)];
    const found: Buckets = new Map();
    for (const row of await target.byHand(`SELECT * FROM ${name}`)) {
        const bucket = (row["bucket"] as Date).getTime();
        if (bucket + width > until) continue;
        expect(Object.keys(row).sort()).toEqual([...names].sort());
        found.set(JSON.stringify([bucket, ...keys.map((column) => row[column])]), row);
    }
    return found;
}

/** pg gives bigint and numeric as text. Everything is the same to the last digit, averages to the twelfth. */
function same(column: string, is: unknown, wanted: unknown): boolean {
    if (is === null || wanted === null || is === undefined) return is === wanted;
    if (typeof wanted === "bigint") return exact(is) === wanted;
    if (typeof wanted !== "number") return is === wanted;
    return column.startsWith("avg_")
        ? Math.abs(Number(is) - wanted) <= 1e-12 * Math.abs(wanted)
        : Number(is) === wanted;
}

onEveryServer((target) => {
    let tables: Declared<(typeof hypertables)[number]>[];
    let declared: Declared<Parameters<typeof aggregate>[1]>[];
    let raw: Request[];
    let until: number;

    beforeAll(async () => {
        tables = hypertables.map((table) => hypertable(target, table));
        for (const table of tables) await table.up();
        await withClient(target.database.writer, (client) => client.query(requests));
        const [now] = await target.byHand("SELECT now() AS now");
        until = (now?.["now"] as Date).getTime();
        declared = aggregates.map((declaration) => {
            const { file: _file, ...inputs } = declaration;
            return aggregate(target, { ...inputs, query: queryOf(declaration) });
        });
        for (const one of declared) await one.up();
        raw = (await target.byHand("SELECT * FROM llm_traces")) as unknown as Request[];
    }, 60_000);

    it("stands as declared", async () => {
        for (const table of tables) await expectNoChange(table);
        for (const one of declared) await expectNoChange(one);
        expect(raw).toHaveLength(4800);
    });

    it.each(Object.entries(expected))("%s equals raw in every bucket", async (name, rules) => {
        const wanted = compute(raw, rules, until);
        expect(wanted.size).toBeGreaterThan(10);

        const found = await stored(target, name, rules, until);

        expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort());
        for (const [key, columns] of wanted) {
            const row = found.get(key) ?? {};
            for (const [column, value] of Object.entries(columns)) {
                if (same(column, row[column], value)) continue;
                throw new Error(
                    `${name} ${key} ${column}: ${String(row[column])}, raw gives ${String(value)}`,
                );
            }
        }
    });

    it("counts every request as success, error or neither", async () => {
        for (const name of ["llm_metrics_1min", "llm_metrics_1hour", "llm_metrics_1day"]) {
            expect(
                await target.byHand(
                    `SELECT count(*)::int AS wrong FROM ${name}
                     WHERE success_count + error_count + unset_count IS DISTINCT FROM request_count`,
                ),
            ).toEqual([{ wrong: 0 }]);
        }
        // Errors are the same ones wherever they are counted.
        const errors = await target.byHand(
            `SELECT hourly.errors, summary.errors AS summarised FROM
                 (SELECT bucket, sum(error_count) AS errors FROM llm_metrics_1hour WHERE error_count > 0 GROUP BY 1) hourly
                 FULL JOIN (SELECT bucket, sum(error_count) AS errors FROM llm_error_summary GROUP BY 1) summary USING (bucket)`,
        );
        expect(errors.length).toBeGreaterThan(10);
        for (const { errors: hourly, summarised } of errors) expect(summarised).toBe(hourly);
        const [sums] = await target.byHand(
            "SELECT sum(unset_count) > 0 AS unset, sum(error_count) > 0 AS errors, max(sum_duration_ms_squared) > 4e18 AS large FROM llm_metrics_1min",
        );
        expect(sums).toEqual({ unset: true, errors: true, large: true });
    });

    it("is refreshed by its policies to the same", async () => {
        const before = await target.byHand("SELECT * FROM llm_metrics_1hour ORDER BY 1, 2, 3, 4");

        const jobs = await target.asAdmin(
            "SELECT id FROM _timescaledb_config.bgw_job WHERE proc_name = 'policy_refresh_continuous_aggregate' ORDER BY id",
        );
        expect(jobs).toHaveLength(aggregates.length);
        for (const { id } of jobs) await target.byHand(`CALL run_job(${String(id)})`);

        const after = await target.byHand("SELECT * FROM llm_metrics_1hour ORDER BY 1, 2, 3, 4");
        expect(after.length).toBeGreaterThanOrEqual(before.length);
        expect(after.slice(0, before.length)).toEqual(before);
        for (const one of declared) await expectNoChange(one);
    });

    it("keeps its history when a query of it changes", async () => {
        const day = declared.find(({ inputs }) => inputs.name === "llm_metrics_1day")!;
        // As an earlier release had it, with history that raw data no longer has.
        const before = {
            ...day.inputs,
            name: "earlier_1day",
            query: day.inputs.query.replace(/ *count\(\*\) FILTER .*\n/g, ""),
        };
        const earlier = aggregate(target, before);
        await earlier.up();
        const kept = await target.byHand(
            "SELECT bucket, request_count FROM earlier_1day ORDER BY 1, 2",
        );

        const present = { ...before, query: day.inputs.query, onQueryChange };
        expect(before.query).not.toBe(present.query);
        expect(await earlier.preview(present)).toEqual(
            expect.arrayContaining(["query: changed", expect.stringMatching(/^build it beside/)]),
        );
        await earlier.up(present);

        expect(
            await target.byHand("SELECT bucket, request_count FROM earlier_1day ORDER BY 1, 2"),
        ).toEqual(kept);
        await expectNoChange(earlier, present);
        const versions = await target.byHand(
            "SELECT view_name FROM timescaledb_information.continuous_aggregates WHERE view_name LIKE 'earlier%' ORDER BY 1",
        );
        for (const { view_name: version } of versions) {
            await target.byHand(`DROP MATERIALIZED VIEW ${String(version)}`);
        }
    });

    describe("privileges", () => {
        const attempt = (login: Connection, text: string): Promise<string> =>
            withClient(login, (client) =>
                client.query(text).then(
                    () => "allowed",
                    (error: unknown) => (error as { readonly code: string }).code,
                ),
            );
        const first = "(SELECT bucket FROM llm_metrics_1hour ORDER BY 1 LIMIT 1)";

        it.each([
            ["reader", "SELECT * FROM llm_metrics_1min", "allowed"],
            ["reader", "SELECT * FROM llm_metrics_1hour", "allowed"],
            ["reader", "SELECT * FROM llm_metrics_1day", "allowed"],
            ["reader", "SELECT * FROM llm_error_summary", "allowed"],
            ["reader", "SELECT input_text FROM llm_traces LIMIT 1", "42501"],
            ["reader", "SELECT count(*) FROM llm_logs", "42501"],
            ["reader", "SELECT * FROM llm_metrics LIMIT 1", "42501"],
            ["reader", "DELETE FROM llm_metrics_1hour", "42501"],
            [
                "reader",
                "CALL refresh_continuous_aggregate('llm_metrics_1hour', NULL, NULL)",
                "42501",
            ],
            [
                "writer",
                "INSERT INTO llm_logs (ts, log_level, message) VALUES (now(), 'INFO', 'x')",
                "allowed",
            ],
            ["writer", "SELECT count(*) FROM llm_traces", "allowed"],
            ["writer", "DELETE FROM llm_traces", "42501"],
            ["writer", "TRUNCATE llm_traces", "42501"],
            ["writer", "ALTER TABLE llm_traces ADD COLUMN x int", "42501"],
            ["writer", "SELECT * FROM llm_metrics_1hour", "42501"],
            [
                "writer",
                `UPDATE llm_metrics_1hour SET request_count = 0 WHERE bucket = ${first}`,
                "42501",
            ],
            ["writer", "INSERT INTO llm_metrics_1hour (bucket) VALUES (now())", "42501"],
            ["writer", "DELETE FROM llm_metrics_1day", "42501"],
            ["writer", "DROP MATERIALIZED VIEW llm_metrics_1day", "42501"],
            ["writer", "CREATE TABLE mine (a int)", "42501"],
        ] as const)("%s: %s: %s", async (role, text, result) => {
            expect(await attempt(target.database[role], text)).toBe(result);
        });

        it("keeps the reader from the chunks of raw text", async () => {
            const chunks = await target.asAdmin(
                "SELECT format('%I.%I', chunk_schema, chunk_name) AS name FROM timescaledb_information.chunks WHERE hypertable_name = 'llm_traces' LIMIT 1",
            );
            expect(chunks).toHaveLength(1);

            const name = String((chunks[0] as Row)["name"]);

            expect(await attempt(target.database.reader, `SELECT * FROM ${name}`)).toBe("42501");
        });
    });

    it("is removed from the top down", async () => {
        for (const one of [...declared].reverse()) await one.remove();
        for (const table of tables) await table.remove();

        expect(
            await target.asAdmin(
                "SELECT count(*)::int AS n FROM _timescaledb_catalog.hypertable WHERE schema_name = 'public'",
            ),
        ).toEqual([{ n: 0 }]);
    });
});
