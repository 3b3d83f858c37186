/**
 * Percentiles and ranks of any window against raw rows, on distributions that break what is only
 * plausible; and the views and functions for dashboards, as the reader sees them.
 */
import { createRandom } from "../../commands/demo/random";
import { aggregates, commentOf, queryOf } from "../../components/observatory/aggregates";
import { functions } from "../../components/observatory/functions";
import { helperFunctions, helperViews } from "../../components/observatory/helpers";
import { hypertables } from "../../components/observatory/hypertables";
import { defaultTarget } from "../../components/observatory/slaTargets";
import { withClient } from "../helpers/clients";
import { aggregate, expectNoChange, hypertable, sqlFunction, view } from "./declared";
import { onEveryServer, type Row } from "./onEveryServer";

/** By model, in SQL over i, and u between 0 and 1; each has its own way to be misjudged. */
const distributions: Readonly<Record<string, string>> = {
    constant: "777",
    "one value a day": "CASE WHEN i % 20 = 10 THEN 4321 END",
    zeros: "CASE WHEN i % 3 = 0 THEN i % 7 ELSE 0 END",
    "small numbers": "i * 7919 % 120",
    bimodal: "CASE WHEN u < 0.5 THEN 10 + i % 3 ELSE 1000000 + i % 1000 END",
    "a gap at the tail": "CASE WHEN u < 0.95 THEN 100 + i % 50 ELSE 30000 END",
    "heavy tail": "least(2147483647, 40 / power(1 - u, 3))",
    "maximum integer": "CASE WHEN u < 0.3 THEN 2147483647 ELSE 2147483647 - i END",
    "time-outs at a wall": "least(60000, exp(7 + 3 * (u - 0.3)) * 10)",
};

/** Twenty a day and distribution, over 75 days until now: whole months are among them. */
const requests = Object.entries(distributions)
    .map(
        ([name, value]) => `
    INSERT INTO llm_traces (ts, trace_id, span_id, span_name, provider, model, input_type, total_tokens, total_cost_usd,
        duration_ms, ttft_ms, status_code, error_message, user_id, environment)
    SELECT ts, '${name} ' || i, 'span', 'chat', 'provider ' || length('${name}') % 2, '${name}', 'text',
        CASE WHEN i % 5 > 0 THEN value::integer END, CASE WHEN i % 7 > 0 THEN least(9999, value / 1e8)::numeric(12, 8) END,
        value::integer, CASE WHEN i % 2 = 0 THEN value::integer END,
        (ARRAY['ERROR', 'UNSET', 'OK', 'OK', 'OK', 'OK', 'OK'])[1 + i * 13 % 7], NULL, 'user ' || i % 3,
        CASE WHEN i % 4 > 0 THEN 'production' END
    FROM generate_series(0, 1499) i, LATERAL (SELECT (i * 7919 % 1499) / 1499.0::double precision AS u) spread,
        LATERAL (SELECT now() - i * interval '72 minutes' - u * interval '70 minutes' AS ts, (${value})::double precision AS value) x
    WHERE value IS NOT NULL`,
    )
    .join(";");

const standard = [0, 0.5, 0.9, 0.95, 0.99, 1];

onEveryServer((target) => {
    const declared: { inputs: object }[] = [];
    const helpers = [...helperViews([{ ...defaultTarget, model: "constant", p95Ms: 100 }, defaultTarget])]; // prettier-ignore
    const calls = [...functions("public"), ...helperFunctions("public")];
    const reading = (text: string): Promise<Row[]> =>
        withClient(target.database.reader, async (client) => {
            const { rows } = await client.query<Record<string, unknown>>(text);
            return rows;
        });

    beforeAll(async () => {
        for (const table of hypertables) await hypertable(target, table).up();
        await withClient(target.database.writer, (client) => client.query(requests));
        for (const declaration of aggregates) {
            const { file: _file, ...inputs } = declaration;
            const one = aggregate(target, {
                ...inputs,
                query: queryOf(declaration),
                comment: commentOf(declaration),
            });
            await one.up();
            declared.push(one);
        }
        for (const { name: _name, ...inputs } of calls) {
            const one = sqlFunction(target, inputs);
            await one.up();
            declared.push(one);
        }
        for (const inputs of helpers) {
            const one = view(target, inputs);
            await one.up();
            declared.push(one);
        }
    }, 240_000);

    it("have no index on a grouping column", async () => {
        const made = await target.byHand(
            `SELECT DISTINCT format('%s: %s', c.view_name, substring(i.indexdef FROM '[(].*')) AS index
             FROM timescaledb_information.continuous_aggregates c
             JOIN pg_indexes i ON i.tablename = c.materialization_hypertable_name
             WHERE c.view_name LIKE 'llm_latency_bins_%' ORDER BY 1`,
        );
        expect(made.map(({ index }) => index)).toEqual([
            "llm_latency_bins_1day: (bucket DESC)",
            "llm_latency_bins_1hour: (bucket DESC)",
            "llm_latency_bins_1month: (bucket DESC)",
        ]);
    });

    it("stand as declared", async () => {
        for (const one of declared)
            await expectNoChange(one as Parameters<typeof expectNoChange>[0]);
    }, 60_000);

    /** Windows of all lengths, some cut at hours or days, some up to now. */
    function windows(seed: string, count: number): { from: string; to: string }[] {
        const random = createRandom(seed);
        const start = Date.now() - 75 * 86_400_000;
        const cut = (time: number): number => {
            const unit = [1, 1, 3_600_000, 86_400_000][random.below(4)] ?? 1;
            return Math.floor(time / unit) * unit;
        };
        return Array.from({ length: count }, () => {
            const length = 75 * 86_400_000 * random.next() ** 3;
            const end = random.chance(0.2) ? Date.now() : start + random.next() * 75 * 86_400_000;
            // Not before raw rows, where windows are widened.
            const begin = Math.max(start, end - length);
            const [from = 0, to = 0] = [cut(begin), cut(end)].sort((a, b) => a - b);
            return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
        });
    }

    /** The largest relative error of each model and fraction, and how many were looked at. */
    async function compare(measure: string, seed: string, count: number): Promise<Row[]> {
        const random = createRandom(`${seed} fractions`);
        const all: Row[] = [];
        const some = windows(seed, count);
        while (some.length > 0) {
            const fractions = [...standard, random.next()];
            const list = some.splice(0, 50).map(({ from, to }) => `('${from}', '${to}')`);
            all.push(
                ...(await target.byHand(`
                WITH windows (begins, ends) AS (
                    SELECT a::timestamptz, b::timestamptz FROM (VALUES ${list.join(", ")}) w (a, b)
                ), exact AS (
                    SELECT begins, ends, model, exact.fraction, exact.value, exact.n
                    FROM windows, LATERAL (
                        SELECT model, unnest(ARRAY[${fractions.join(", ")}]::double precision[]) AS fraction, n, unnest(values) AS value
                        FROM (SELECT model, count(${measure}) AS n,
                                  percentile_cont(ARRAY[${fractions.join(", ")}]::double precision[]) WITHIN GROUP (ORDER BY ${measure}) AS values
                              FROM llm_traces WHERE ts >= begins AND ts < ends AND ${measure} IS NOT NULL GROUP BY model) x) exact
                ), estimated AS (
                    SELECT begins, ends, e.model, e.fraction, e.value, e.request_count AS n, window_from = begins AND window_to = ends AS asked
                    FROM windows, LATERAL llm_percentiles('${measure}', ARRAY[${fractions.join(", ")}], begins, ends, '{model}') e
                )
                SELECT model, CASE WHEN fraction IN (${standard.join(", ")}) THEN fraction END AS fraction, count(*)::int AS compared,
                    count(*) FILTER (WHERE exact.n IS DISTINCT FROM estimated.n OR NOT coalesce(asked, false))::int AS missed,
                    max(CASE WHEN exact.value = estimated.value THEN 0 ELSE abs(estimated.value - exact.value) / nullif(exact.value, 0) END) AS error,
                    count(*) FILTER (WHERE exact.value = 0 AND estimated.value <> 0)::int AS no_zero
                FROM exact FULL JOIN estimated USING (begins, ends, model, fraction)
                GROUP BY 1, 2`)),
            );
        }
        return all;
    }

    function largest(rows: readonly Row[]): Map<string, number> {
        const errors = new Map<string, number>();
        for (const { model, fraction, error } of rows) {
            const key = `${String(model)} p${fraction === null ? "*" : Number(fraction) * 100}`;
            errors.set(key, Math.max(errors.get(key) ?? 0, Number(error)));
        }
        return errors;
    }

    it("are within 1 % of percentile_cont in every one of 1,000 windows, for every distribution", async () => {
        const rows = await compare("duration_ms", "latency", 1000);

        const compared = rows.reduce((sum, row) => sum + Number(row["compared"]), 0);
        expect(compared).toBeGreaterThan(40_000);
        expect(rows.filter(({ missed, no_zero }) => missed !== 0 || no_zero !== 0)).toEqual([]);
        const errors = largest(rows);
        expect(errors.size).toBe(9 * 7);
        expect([...errors].filter(([, error]) => !(error <= 0.01))).toEqual([]);
        // A bound that nothing comes near would be tested by nothing.
        expect(Math.max(...errors.values())).toBeGreaterThan(0.005);
        if (process.env["SHOW_ERRORS"] !== undefined) process.stdout.write(`${target.server.name}\n${[...errors].sort().map(([key, error]) => `${key}: ${(error * 100).toFixed(3)} %`).join("\n")}\n`); // prettier-ignore
    }, 400_000);

    it.each(["ttft_ms", "total_tokens", "total_cost_usd"])(
        "of %s are as well",
        async (measure) => {
            const rows = await compare(measure, measure, 100);

            expect(rows.filter(({ missed, no_zero }) => missed !== 0 || no_zero !== 0)).toEqual([]);
            expect([...largest(rows)].filter(([, error]) => !(error <= 0.01))).toEqual([]);
        },
        120_000,
    );

    it("are filtered and grouped as asked, and a rank is that of a value within 1 %", async () => {
        const [one] = await target.byHand(`
            SELECT llm_latency_percentile(0.9, now() - interval '40 days', now(), model => 'heavy tail', status => 'OK', environment => 'production') AS estimated,
                (SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY duration_ms) FROM llm_traces
                 WHERE ts >= now() - interval '40 days' AND ts < now() AND model = 'heavy tail' AND status_code = 'OK' AND environment = 'production') AS exact`);
        expect(Math.abs(Number(one!["estimated"]) / Number(one!["exact"]) - 1)).toBeLessThan(0.01);

        const groups = await target.byHand(`
            SELECT provider, status_code, request_count::int AS n FROM llm_percentiles('duration_ms', '{0.5}', now() - interval '50 days', now(), '{provider,status_code}')
            EXCEPT SELECT provider, status_code, count(*)::int FROM llm_traces WHERE ts >= now() - interval '50 days' GROUP BY 1, 2`);
        expect(groups).toEqual([]);

        const list = windows("rank", 100).map(({ from, to }) => `('${from}', '${to}')`);
        const ranks = await target.byHand(`
            SELECT count(*)::int AS compared, count(*) FILTER (WHERE NOT found BETWEEN low - 1e-9 AND high + 1e-9)::int AS outside
            FROM (VALUES ${list.join(", ")}) w (a, b), (VALUES (0), (1), (49), (51), (110), (777), (2000), (60000), (2147483647)) v (x),
                LATERAL (SELECT llm_rank(x, a::timestamptz, b::timestamptz) AS found) f,
                LATERAL (SELECT avg((duration_ms <= 0.99 * x)::int) AS low, avg((duration_ms <= 1.01 * x)::int) AS high
                         FROM llm_traces WHERE ts >= a::timestamptz AND ts < b::timestamptz) exact
            WHERE low IS NOT NULL`);
        expect(ranks).toEqual([{ compared: expect.any(Number) as number, outside: 0 }]);
        expect(Number(ranks[0]!["compared"])).toBeGreaterThan(500);
    }, 120_000);

    it("need no policy to have run: what is not materialized is read below", async () => {
        const [{ before } = {}] = await target.byHand(
            "SELECT count(*)::int AS before FROM llm_traces",
        );
        await withClient(target.database.writer, (client) =>
            client.query(`INSERT INTO llm_traces (ts, trace_id, span_id, span_name, provider, model, input_type, duration_ms, status_code)
                          SELECT now() - interval '1 second', 'new', 'span', 'chat', 'p', 'new', 'text', 5, 'OK'`),
        );
        const text = `SELECT sum(request_count)::int AS n FROM llm_percentiles('duration_ms', '{0.5}', now() - interval '80 days', now())`;

        expect(await target.byHand(text)).toEqual([{ n: Number(before) + 1 }]);
        await target.byHand("BEGIN");
        for (const name of ["1hour", "1day", "1month"]) {
            await target.byHand(`DELETE FROM ${await materialized(`llm_latency_bins_${name}`)} WHERE bucket > now() - interval '60 days'`); // prettier-ignore
        }
        const behind = await target.byHand(text);
        await target.byHand("ROLLBACK");
        expect(behind).toEqual([{ n: Number(before) + 1 }]);
    });

    async function materialized(name: string): Promise<string> {
        const [row] = await target.byHand(
            `SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name) AS name
             FROM timescaledb_information.continuous_aggregates WHERE view_name = '${name}'`,
        );
        return String(row!["name"]);
    }

    it("of windows that begin where raw rows or hours are gone say which window they answer", async () => {
        const asked = (from: string): string => `
            SELECT window_from = date_trunc('hour', ${from}, 'UTC') AS hour, window_from = date_trunc('day', ${from}, 'UTC') AS day
            FROM llm_percentiles('duration_ms', '{0.5}', ${from}, now())`;

        expect(await target.byHand(asked("date_trunc('day', now(), 'UTC') - interval '100 days' + interval '90 minutes'"))).toEqual([{ hour: true, day: false }]); // prettier-ignore
        expect(await target.byHand(asked("date_trunc('day', now(), 'UTC') - interval '300 days' + interval '90 minutes'"))).toEqual([{ hour: false, day: true }]); // prettier-ignore
    });

    it.each(["llm_latency_percentile(0.5, begins, now())", "llm_rank(2000, begins, now())"])(
        "of one number say by a notice that the window was widened: %s",
        async (call) => {
            const told = (begins: string): Promise<unknown[]> =>
                withClient(target.database.reader, async (client) => {
                    const notices: unknown[] = [];
                    client.on("notice", ({ message }) => notices.push(message));
                    const { rows } = await client.query<{ begins: Date }>(
                        `SELECT ${call}, date_trunc('hour', begins, 'UTC') AS begins FROM (SELECT ${begins} AS begins) w`,
                    );
                    const whole = rows[0]!.begins.toISOString().slice(0, 13).replace("T", " ");
                    return notices.map((text) => String(text).replace(whole, "<the hour>"));
                });

            expect(await told("now() - interval '50 days'")).toEqual([]);
            expect(await told("date_trunc('hour', now(), 'UTC') - interval '100 days'")).toEqual(
                [],
            );
            // The session's time zone is UTC.
            expect(await told("date_trunc('hour', now(), 'UTC') - interval '100 days' + interval '90 seconds'")).toEqual([
            expect.stringMatching(/^the window is widened: it is answered from <the hour>:00:00\+00 to /),
        ]); // prettier-ignore
        },
    );

    it.each([
        [
            "llm_percentiles('duration', '{0.5}', now(), now())",
            'there is no distribution of "duration"',
        ],
        [
            "llm_percentiles('duration_ms', '{50}', now(), now())",
            "fractions are numbers from 0 to 1",
        ],
        ["llm_percentiles('duration_ms', '{}', now(), now())", "fractions are numbers from 0 to 1"],
        ["llm_percentiles('duration_ms', '{0.5}', now(), now(), '{user_id}')", "group_by knows"],
        ["llm_latency_percentile(0.5, now(), now() - interval '1 day')", "the window ends before it begins"], // prettier-ignore
        ["llm_latency_percentile(0.5, NULL, now())", "the window has no beginning or no end"],
        [
            "llm_latency_percentile(0.5, '-infinity', now())",
            "the window has no beginning or no end",
        ],
    ])("%s is refused", async (call, message) => {
        await expect(reading(`SELECT * FROM ${call}`)).rejects.toThrow(message);
    });

    describe("for the reader", () => {
        beforeAll(() =>
            withClient(target.database.writer, (client) =>
                client.query(
                    `INSERT INTO llm_traces (ts, trace_id, span_id, span_name, provider, model, input_type, duration_ms, status_code)
                     VALUES (now() - interval '1 minute', 'recent', 'span', 'chat', 'p', 'recent', 'text', 5, 'OK')`,
                ),
            ),
        );

        it.each([
            ...[
                "llm_percentiles_realtime",
                "llm_percentiles_hourly",
                "llm_percentiles_approximate",
            ],
            ...["llm_sla_targets", "llm_sla_monitoring", "cost_analysis_hourly"],
            "llm_percentiles('duration_ms', '{0.5,0.99}', now() - interval '7 days', now(), '{model}')",
            "llm_latency_percentile(0.5, now() - interval '7 days', now(), model => 'constant')",
            "llm_rank(2000, now() - interval '7 days', now())",
            "compare_model_percentiles(interval '2 days')",
            "user_percentiles('user 1', interval '2 days')",
        ])("%s answers", async (from) => {
            expect((await reading(`SELECT * FROM ${from}`)).length).toBeGreaterThan(0);
        });

        it.each([
            ["writer", "SELECT llm_rank(1, now(), now())"],
            ["writer", "SELECT * FROM user_percentiles('user 1')"],
            ["reader", "SELECT llm_bins_of('duration_ms', now(), now(), '')"],
            ["writer", "SELECT * FROM llm_sla_monitoring"],
        ] as const)("not for the %s: %s", async (login, text) => {
            await expect(
                withClient(target.database[login], (client) => client.query(text)),
            ).rejects.toMatchObject({ code: "42501" });
        });

        const columns: Readonly<Record<string, string>> = {
            llm_percentiles_realtime:
                "bucket provider model status_code request_count p50_duration_ms p90_duration_ms p95_duration_ms p99_duration_ms avg_duration_ms min_duration_ms max_duration_ms p50_ttft_ms p95_ttft_ms p99_ttft_ms p50_tokens p95_tokens p50_cost_usd p95_cost_usd",
            llm_percentiles_hourly:
                "bucket provider model environment request_count p50_duration_ms p90_duration_ms p95_duration_ms p99_duration_ms avg_duration_ms total_cost_usd avg_cost_usd p95_cost_usd total_tokens avg_tokens p95_tokens error_rate",
            llm_percentiles_approximate:
                "bucket provider model status_code request_count avg_duration_ms min_duration_ms max_duration_ms stddev_duration_ms approx_p50_duration_ms approx_p90_duration_ms approx_p95_duration_ms approx_p99_duration_ms",
            llm_sla_monitoring:
                "bucket provider model request_count p95_duration_ms p99_duration_ms p95_sla_2s p99_sla_5s error_rate error_rate_sla_1pct",
            cost_analysis_hourly:
                "bucket provider model user_id environment total_cost prompt_cost completion_cost request_count total_tokens avg_cost_per_request",
            "compare_model_percentiles()":
                "model provider request_count p50_duration_ms p95_duration_ms p99_duration_ms avg_cost_usd p95_cost_usd error_rate",
            "user_percentiles('user 1')":
                "time_bucket model request_count p50_duration_ms p95_duration_ms total_cost_usd avg_cost_per_request",
        };

        it.each(Object.entries(columns))(
            "%s has the original's columns first",
            async (from, names) => {
                const fields = await withClient(target.database.reader, async (client) => {
                    const result = await client.query(`SELECT * FROM ${from} LIMIT 0`);
                    return result.fields.map(({ name }) => name);
                });

                expect(fields.slice(0, names.split(" ").length)).toEqual(names.split(" "));
            },
        );

        it("windows are whole buckets, the running one marked, and hold what raw rows say", async () => {
            const [hourly] = await target.byHand(
                `SELECT min(bucket) >= time_bucket('1 hour', now()) - interval '24 hours' AS begins,
                    bool_and(is_running = (bucket = time_bucket('1 hour', now()))) AS marked,
                    sum(request_count) = (SELECT count(*) FROM llm_traces WHERE ts >= time_bucket('1 hour', now()) - interval '24 hours') AS complete,
                    round(sum(error_rate * request_count)) = (SELECT count(*) FROM llm_traces WHERE status_code = 'ERROR' AND ts >= time_bucket('1 hour', now()) - interval '24 hours') AS errors
                 FROM llm_percentiles_hourly`,
            );
            expect(hourly).toEqual({ begins: true, marked: true, complete: true, errors: true });
            const [approximate] = await target.byHand(
                `SELECT count(*) > 100 AS many, bool_and(approx_p95_duration_ms BETWEEN min_duration_ms AND max_duration_ms) AS between_,
                    bool_and(stddev_duration_ms = 0) FILTER (WHERE model = 'constant') AS still FROM llm_percentiles_approximate`,
            );
            expect(approximate).toEqual({ many: true, between_: true, still: true });
            const [cost] = await target.byHand(
                `SELECT sum(request_count) = (SELECT count(total_cost_usd) FROM llm_traces WHERE ts < (SELECT max(bucket) + interval '1 hour' FROM llm_metrics_1hour)) AS counted,
                    bool_and(abs(avg_cost_per_request * request_count - total_cost) <= 1e-9 * total_cost) AS averaged, count(user_id)::int AS users
                 FROM cost_analysis_hourly`,
            );
            expect(cost).toEqual({ counted: true, averaged: true, users: 0 });
        });

        describe("say of each bucket exactly what percentile_cont says of its raw rows", () => {
            beforeAll(async () => {
                // A heavy tail with a wall, over two days and, densely, over the last quarter of an hour.
                await target.byHand(`
                    INSERT INTO llm_traces (ts, trace_id, span_id, span_name, provider, model, input_type, total_tokens, total_cost_usd,
                        duration_ms, ttft_ms, status_code, environment)
                    SELECT now() - CASE WHEN i % 2 = 0 THEN u * interval '2 days' ELSE u * interval '20 minutes' END, 'exact ' || i, 'span', 'chat',
                        'exact', 'model ' || i % 3, 'text', 10 / (1.001 - v), (0.0001 / (1.001 - v))::numeric(12, 8),
                        least(60000, 40 / power(1.0001 - v, 3)), CASE WHEN i % 5 > 0 THEN 7 / (1.001 - v) END,
                        (ARRAY['OK', 'OK', 'OK', 'ERROR', 'UNSET'])[1 + i % 5], (ARRAY['production', 'staging', NULL])[1 + i % 7 % 3]
                    FROM generate_series(0, 5999) i,
                        LATERAL (SELECT (i * 7919 % 6007) / 6007.0::double precision AS u, (i * 3571 % 6007) / 6007.0::double precision AS v) x`);
                for (const name of ["llm_metrics_1min", "llm_metrics_1hour"]) {
                    await target.byHand(`CALL refresh_continuous_aggregate('${name}', now() - interval '3 days', now())`); // prettier-ignore
                }
            }, 120_000);

            const byMinute = ["1 minute", "provider", "model", "status_code"];
            const byHour = ["1 hour", "provider", "model", "environment"];
            const latency = [50, 90, 95, 99].map((p) => `p${p}_duration_ms`);

            it.each([
                [
                    "llm_percentiles_realtime",
                    byMinute,
                    [...latency, ..."p50_ttft_ms p95_ttft_ms p99_ttft_ms p50_tokens p95_tokens p50_cost_usd p95_cost_usd".split(" ")], // prettier-ignore
                    "true",
                    40,
                ],
                ["llm_percentiles_hourly", byHour, [...latency, "p95_cost_usd", "p95_tokens"], "true", 150], // prettier-ignore
                ["llm_percentiles_approximate", byMinute, latency.map((name) => `approx_${name}`), "true", 1000], // prettier-ignore
                ["llm_metrics_1min", byMinute, latency, "true", 1000],
                ["llm_metrics_1hour", byHour, latency, "true", 400],
                [
                    "llm_sla_monitoring",
                    ["5 minutes", "provider", "model", "environment"],
                    ["p95_duration_ms", "p99_duration_ms"],
                    "status_code <> 'ERROR'",
                    20,
                ],
            ])(
                "%s",
                async (name, [width, ...keys], columns, judged, atLeast) => {
                    const exact = columns.map((column) => {
                        const [, p, of] = /p(\d+)_(.*)$/.exec(column) ?? [];
                        const value = { tokens: "total_tokens", cost_usd: "total_cost_usd" }[String(of)] ?? of; // prettier-ignore
                        return `percentile_cont(${Number(p) / 100}) WITHIN GROUP (ORDER BY ${value}) FILTER (WHERE ${judged}) AS ${column}`;
                    });

                    const rows = await target.byHand(`
                        WITH exact AS (
                            SELECT time_bucket('${width}', ts) AS bucket, ${keys.join(", ")}, count(*) AS n, ${exact.join(", ")}
                            FROM llm_traces WHERE ts >= now() - interval '3 days' GROUP BY 1, 2, 3, 4
                        )
                        SELECT count(*)::int AS compared, count(*) FILTER (WHERE v.request_count IS DISTINCT FROM e.n OR ${columns
                            .map((column) => `v.${column} IS DISTINCT FROM e.${column}`)
                            .join(" OR ")})::int AS different
                        FROM ${name} v LEFT JOIN exact e ON e.bucket = v.bucket AND ${keys.map((key) => `e.${key} IS NOT DISTINCT FROM v.${key}`).join(" AND ")}
                        WHERE v.bucket >= now() - interval '2 days' AND v.request_count > 0`);

                    expect(rows).toEqual([{ compared: expect.any(Number) as number, different: 0 }]); // prettier-ignore
                    expect(Number(rows[0]!["compared"])).toBeGreaterThan(atLeast);
                },
                60_000,
            );
        });

        it("targets are those of the model, failures count as errors alone, and silent models show", async () => {
            await target.byHand(
                `INSERT INTO llm_traces (ts, trace_id, span_id, span_name, provider, model, input_type, duration_ms, status_code)
                 SELECT time_bucket('5 minutes', now()) - interval '12 minutes', model || i, 'sla', 'chat', 'sla', model, 'text',
                     CASE WHEN i = 0 THEN 60000 ELSE 200 END, CASE WHEN i = 0 THEN 'ERROR' ELSE 'OK' END
                 FROM generate_series(0, 9) i, (VALUES ('constant'), ('quick')) m (model)`,
            );

            expect(
                await reading(
                    `SELECT model, request_count::int AS n, p95_duration_ms, p95_target_ms, p95_sla_2s, p99_sla_5s, error_rate, error_rate_sla_1pct
                     FROM llm_sla_monitoring WHERE provider = 'sla' AND request_count > 0 ORDER BY 1`,
                ),
            ).toEqual([
                { model: "constant", n: 10, p95_duration_ms: 200, p95_target_ms: 100, p95_sla_2s: "FAIL", p99_sla_5s: "PASS", error_rate: 0.1, error_rate_sla_1pct: "FAIL" }, // prettier-ignore
                { model: "quick", n: 10, p95_duration_ms: 200, p95_target_ms: 2000, p95_sla_2s: "PASS", p99_sla_5s: "PASS", error_rate: 0.1, error_rate_sla_1pct: "FAIL" }, // prettier-ignore
            ]);
            // Its last request was twelve hours ago.
            const silent = await reading(
                "SELECT DISTINCT request_count::int AS n, p95_sla_2s, error_rate_sla_1pct, is_running FROM llm_sla_monitoring WHERE model = 'one value a day' AND request_count = 0",
            );
            expect(silent).toEqual([
                { n: 0, p95_sla_2s: "NO DATA", error_rate_sla_1pct: "NO DATA", is_running: true },
            ]);
        });

        it("comments say how far behind they may be", async () => {
            const comments = await target.byHand(
                "SELECT relname AS name, obj_description(oid, 'pg_class') AS comment FROM pg_class WHERE relname IN ('llm_percentiles_approximate', 'llm_metrics_1hour', 'llm_latency_bins_1day') ORDER BY 1",
            );
            expect(
                comments.map(({ comment }) => /at most (.*?) ago/.exec(String(comment))?.[1]),
            ).toEqual(["1 day 4 hours", "2 hours 5 minutes", "2 minutes 30 seconds"]);
        });
    });
});
