/**
 * The report and the Grafana dashboard, read by the reader, against raw rows counted by hand; and both of a database
 * in which nothing was written yet.
 */
import type { ReportData } from "../../commands/report/data";
import { pageOf } from "../../commands/report/page";
import { readReport } from "../../commands/report/read";
import { aggregates, queryOf } from "../../components/observatory/aggregates";
import { functions } from "../../components/observatory/functions";
import { helperFunctions, helperViews } from "../../components/observatory/helpers";
import { hypertables } from "../../components/observatory/hypertables";
import { defaultTarget } from "../../components/observatory/slaTargets";
import { withSession } from "../../components/timescale/core/connection/session";
import { withClient } from "../helpers/clients";
import { aggregate, hypertable, sqlFunction, view } from "./declared";
import { expanded, queriesOf, readDashboard, type View } from "./grafana";
import { onEveryServer, type Row } from "./onEveryServer";

const hostile = `<script>alert("model")</script>`;

/** Two a model and quarter of an hour over nine days until a minute and a half ago; some failed, some have no cost. */
const requests = `
    INSERT INTO llm_traces (ts, trace_id, span_id, span_name, provider, model, input_type, total_tokens, total_cost_usd,
        duration_ms, status_code, environment)
    SELECT now() - interval '90 seconds' - i * interval '431 seconds', model || i, 'span', 'chat', 'provider ' || m % 2, model, 'text',
        CASE WHEN i % 5 > 0 THEN 100 + i % 77 END, CASE WHEN i % 7 > 0 THEN (m * 0.01 + i % 13 * 0.0001)::numeric(12, 8) END,
        (200 * m + (i * 7919 % 1499) ^ 2 / 100)::integer,
        (ARRAY['ERROR', 'UNSET', 'OK', 'OK', 'OK', 'OK', 'OK', 'OK', 'OK', 'OK', 'OK'])[1 + i * 13 % 11],
        CASE WHEN i % 4 > 0 THEN 'production' END
    FROM generate_series(0, 1800) i, (VALUES (1, 'small'), (2, 'large'), (3, '${hostile}')) models (m, model)`;

interface Trace {
    readonly ts: Date;
    readonly model: string;
    readonly tokens: number;
    readonly cost: number;
    readonly ms: number;
    readonly status: string;
}

const day = 86_400_000;

/** percentile_cont. */
function percentile(values: readonly number[], fraction: number): number {
    const sorted = [...values].sort((a, b) => a - b);
    const place = fraction * (sorted.length - 1);
    const [low = 0, high = 0] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
    return low + (place - Math.floor(place)) * (high - low);
}

function expectPercentiles(
    found: {
        readonly p50: number | null;
        readonly p99: number | null;
        readonly p95: number | null;
    },
    rows: readonly Trace[],
): void {
    const values = rows.map(({ ms }) => ms);
    for (const [is, fraction] of [
        [found.p50, 0.5],
        [found.p95, 0.95],
        [found.p99, 0.99],
    ] as const) {
        // prettier-ignore
        expect(Math.abs((is ?? 0) / percentile(values, fraction) - 1)).toBeLessThan(0.01);
    }
}

onEveryServer((target) => {
    let raw: Trace[];
    let empty: ReportData;
    const dashboard = readDashboard();

    const report = (length: number, until?: Date): Promise<ReportData> =>
        withSession(target.database.reader, (session) =>
            readReport(session, { from: undefined, to: until?.toISOString(), length }, undefined),
        );
    const reading = (text: string): Promise<Row[]> =>
        withClient(target.database.reader, async (client) => {
            const { rows } = await client.query<Record<string, unknown>>(text);
            return rows;
        });

    beforeAll(async () => {
        for (const table of hypertables) await hypertable(target, table).up();
        for (const declaration of aggregates) {
            const { file: _file, ...inputs } = declaration;
            await aggregate(target, { ...inputs, query: queryOf(declaration) }).up();
        }
        for (const { name: _name, ...inputs } of [
            ...functions("public"),
            ...helperFunctions("public"),
        ]) {
            // prettier-ignore
            await sqlFunction(target, inputs).up();
        }
        for (const inputs of helperViews([defaultTarget])) await view(target, inputs).up();
        empty = await report(7 * day);
        await withClient(target.database.writer, (client) => client.query(requests));
        for (const { name } of aggregates) {
            await target.byHand(`CALL refresh_continuous_aggregate('${name}', NULL, now())`);
        }
        const rows = await target.byHand(
            "SELECT ts, model, coalesce(total_tokens, 0) AS tokens, coalesce(total_cost_usd, 0)::float8 AS cost, duration_ms AS ms, status_code AS status FROM llm_traces",
        );
        raw = rows as unknown as Trace[];
    }, 240_000);

    it("says of a database without rows that there are none, in every panel", () => {
        expect(empty.totals).toMatchObject({ requests: 0, errorRate: null, p95: null, costUsd: 0 });
        expect(empty.bands).toEqual([]);
        expect(empty.sla).toEqual({ stands: true, rows: [] });
        expect(new Set(empty.freshness.map(({ state }) => state))).toEqual(new Set(["empty"]));
        const page = pageOf(empty);
        expect(page).not.toContain("data-chart=");
        expect(page.match(/No requests in this window/g)).toHaveLength(5);
        expect(page).toContain("No requests in the last hour");
    });

    it.each([
        ["an hour by minutes", day / 24, 60],
        ["a day by quarters of an hour", day, 900],
        ["seven days by hours", 7 * day, 3600],
        ["thirty days by six hours", 30 * day, 21_600],
        ["ninety days by days", 90 * day, 86_400],
        ["three years by weeks", 1095 * day, 604_800],
    ])(
        "of %s counts what raw rows say",
        async (_, length, step) => {
            const data = await report(length);

            expect(data.window.stepSeconds).toBe(step);
            const [from, to] = [Date.parse(data.window.from), Date.parse(data.window.to)];
            expect(from).toBeLessThanOrEqual(Date.parse(data.at) - length);
            // Minutes end where the newest request was, not two hours earlier.
            expect(Date.parse(data.at) - to).toBeLessThan(5 * 60_000 + 60_000);
            const within = raw.filter(({ ts }) => ts.getTime() >= from && ts.getTime() < to);
            const sum = (pick: (row: Trace) => number, rows = within): number =>
                rows.reduce((total, row) => total + pick(row), 0);
            const count = (status: string): number =>
                within.filter((row) => row.status === status).length;

            expect(within.length).toBeGreaterThan(20);
            expect(data.totals).toMatchObject({
                requests: within.length,
                errors: count("ERROR"),
                success: count("OK"),
                unset: count("UNSET"),
                errorRate: count("ERROR") / within.length,
                tokens: sum(({ tokens }) => tokens),
            });
            expect(data.totals.costUsd).toBeCloseTo(sum(({ cost }) => cost), 8); // prettier-ignore
            expectPercentiles(data.totals, within);

            for (const [at, point] of data.traffic.entries()) {
                const begins = Date.parse(point.at);
                const rows = within.filter(({ ts }) => ts.getTime() >= begins && ts.getTime() < begins + step * 1000); // prettier-ignore
                expect(point.requests).toBe(rows.length);
                expect(point.errors).toBe(rows.filter(({ status }) => status === "ERROR").length);
                const cost = data.cost[at]?.costUsd.reduce((total, one) => total + one, 0);
                expect(cost).toBeCloseTo(sum(({ cost: one }) => one, rows), 8); // prettier-ignore
                const band = data.bands.find((one) => one.at === point.at);
                expect(band?.requests ?? 0).toBe(rows.length);
                if (band !== undefined) expectPercentiles(band, rows);
            }
            expect(data.models.map(({ model }) => model)).toEqual([hostile, "large", "small"]);
            for (const one of data.models) {
                const rows = within.filter(({ model }) => model === one.model);
                expect(one.requests).toBe(rows.length);
                expect(one.costUsd).toBeCloseTo(sum(({ cost }) => cost, rows), 8); // prettier-ignore
                expectPercentiles(one, rows);
            }
        },
        60_000,
    );

    it("of a time that is over ends where it was asked to", async () => {
        const until = new Date(Math.floor(Date.now() / day) * day - 2 * day);

        const data = await report(3 * day, until);

        expect(data.window.to).toBe(until.toISOString());
        expect(data.totals.requests).toBe(
            raw.filter(({ ts }) => ts < until && ts.getTime() >= Date.parse(data.window.from))
                .length,
        );
    });

    it("holds the targets of the last hour, and how far each aggregate reaches", async () => {
        const data = await report(day);

        const seen = await target.byHand(
            `SELECT model, environment, count(*)::int AS n FROM llm_traces
             WHERE ts >= time_bucket('5 minutes', now()) - interval '1 hour' AND ts < time_bucket('5 minutes', now()) GROUP BY 1, 2`,
        );
        expect(seen.length).toBeGreaterThan(3);
        for (const { model, environment, n } of seen) {
            const row = data.sla.rows.find((one) => one.model === model && one.environment === environment); // prettier-ignore
            expect(row).toMatchObject({ requests: n, p95: { target: 2000 }, p99: { target: 5000 }, errorRate: { target: 0.01 } }); // prettier-ignore
            const passed = row!.buckets.filter(({ verdict }) => verdict === "PASS").length;
            expect(passed).toBeLessThanOrEqual(row!.p95.passed);
        }
        const newest = await target.byHand(
            "SELECT max(bucket) + interval '1 hour' AS ends FROM llm_metrics_1hour",
        );
        const hour = data.freshness.find(({ aggregate: name }) => name === "llm_metrics_1hour");
        expect(hour).toMatchObject({
            completeTo: (newest[0]!["ends"] as Date).toISOString(),
            allowedSeconds: 7500,
            state: "fresh",
        });
    });

    it("takes allowed ages and steps from the policies as they are in the database", async () => {
        const job = (name: string, kind: string): string =>
            `(SELECT j.id FROM _timescaledb_config.bgw_job j JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = j.hypertable_id WHERE a.user_view_name = '${name}' AND j.proc_name = 'policy_${kind}')`;
        const alter = (minutes: number, kept: string): Promise<Row[]> =>
            target.byHand(
                `SELECT alter_job(${job("llm_metrics_1hour", "refresh_continuous_aggregate")}, schedule_interval => interval '${minutes} minutes'),
                     alter_job(id, config => config || '{"drop_after": "${kept}"}') FROM _timescaledb_config.bgw_job WHERE id = ${job("llm_metrics_1min", "retention")}`,
            );
        const asked = async (): Promise<unknown[]> => {
            const data = await report(day / 24, new Date(Date.now() - 40 * day));
            const hour = data.freshness.find((one) => one.aggregate === "llm_metrics_1hour");
            return [data.window.stepSeconds, hour?.allowedSeconds];
        };
        expect(await asked()).toEqual([3600, 7500]);

        await alter(30, "60 days");
        expect(await asked()).toEqual([60, 9000]);

        await alter(5, "37 days");
        const removed = "SELECT remove_continuous_aggregate_policy('llm_error_summary')";
        await target.byHand(removed);
        const { freshness } = await report(day);
        expect(freshness.find((one) => one.aggregate === "llm_error_summary")).toMatchObject({
            ...{ allowedSeconds: null, state: "old" },
        });
        expect(await asked()).toEqual([3600, 7500]);
    });

    it("writes names from the database as text", async () => {
        const page = pageOf(await report(7 * day));

        expect(page).not.toContain("<script>alert");
        expect(page).toContain("&lt;script&gt;alert(&quot;model&quot;)&lt;/script&gt;");
    });

    it("asks which observatory is meant where there are none or several", async () => {
        const asking = (schema?: string): Promise<unknown> =>
            withSession(target.database.reader, (session) =>
                readReport(session, { from: undefined, to: undefined, length: day }, schema),
            );
        await expect(asking("elsewhere")).rejects.toMatchObject({ code: "42P01" });
        await target.asAdmin("CREATE SCHEMA other; GRANT USAGE ON SCHEMA other TO PUBLIC; CREATE VIEW other.llm_metrics_1hour AS SELECT 1 AS a; GRANT SELECT ON other.llm_metrics_1hour TO PUBLIC"); // prettier-ignore
        await expect(asking()).rejects.toMatchObject({ code: "several_observatories" });
        await expect(asking("public")).resolves.toBeDefined();
        await target.asAdmin("DROP SCHEMA other CASCADE");
        const writer = withSession(target.database.writer, (session) =>
            readReport(session, { from: undefined, to: undefined, length: day }, undefined),
        );
        await expect(writer).rejects.toMatchObject({ code: "no_observatory" });
    });

    describe("the Grafana dashboard", () => {
        /** From so long ago until now, as the browser would say it. */
        const since = (length: number, more: Partial<View> = {}): View => ({
            from: new Date(Date.now() - length),
            to: new Date(),
            chosen: {},
            timescaledb: true,
            ...more,
        });
        const views: readonly (readonly [string, () => View])[] = [
            ["the last hour", () => since(day / 24)],
            ["seven days", () => since(7 * day)],
            ["seven days, without the switch TimescaleDB", () => since(7 * day, { timescaledb: false })],
            ["three years", () => since(1095 * day)],
            [
                "what was chosen",
                () => since(7 * day, { chosen: { provider: ["provider 1", "it's none"], model: [hostile], environment: ["production"] } }),
            ],
        ]; // prettier-ignore
        const cases = queriesOf(dashboard).flatMap((query) =>
            views.map(([name, of]) => [query.title, name, query, of] as const),
        );

        it.each(cases)(
            "%s of %s",
            async (_, __, query, of) => {
                const rows = await reading(expanded(query.sql, dashboard, of()));

                expect(rows.length).toBeGreaterThan(0);
                const [first = {}] = rows;
                if (query.format === "time_series") {
                    const times = rows.map((row) => Number(row["time"] instanceof Date ? row["time"].getTime() / 1000 : row["time"])); // prettier-ignore
                    expect(times).toEqual([...times].sort((a, b) => a - b));
                    expect(times.every((time) => time > 1.6e9 && time < Date.now() / 1000)).toBe(
                        true,
                    );
                    if ("metric" in first) {
                        expect(Object.keys(first)).toHaveLength(3);
                        expect(rows.every(({ metric }) => typeof metric === "string")).toBe(true);
                    }
                    const values = Object.keys(first).filter((name) => !["time", "metric"].includes(name)); // prettier-ignore
                    expect(values.length).toBeGreaterThan(0);
                    for (const name of values) {
                        expect(rows.every((row) => row[name] === null || typeof row[name] === "number")).toBe(true); // prettier-ignore
                        expect(rows.some((row) => typeof row[name] === "number")).toBe(true);
                    }
                } else if (query.format === "table") {
                    expect(Object.values(first).some((value) => value !== null)).toBe(true);
                } else {
                    expect(Object.keys(first)).toHaveLength(1);
                }
            },
            60_000,
        );

        it("says what the report says", async () => {
            const data = await report(7 * day);
            const shown = { from: new Date(data.window.from), to: new Date(data.window.to), chosen: {}, timescaledb: true }; // prettier-ignore
            const rowsOf = async (title: string): Promise<Row[]> => {
                const query = queriesOf(dashboard).find((one) => one.title.endsWith(title));
                return reading(expanded(query!.sql, dashboard, shown));
            };

            const [totals] = await rowsOf(" p95 latency");
            expect(totals).toEqual({ requests: data.totals.requests, p95: data.totals.p95 });
            const [failed] = await rowsOf("3 Error rate");
            expect(failed!["error rate"]).toBeCloseTo(data.totals.errorRate!, 12);
            const [cost] = await rowsOf("4 Cost");
            expect(cost!["cost"]).toBeCloseTo(data.totals.costUsd, 8);
            const models = await rowsOf(" Models");
            expect(models.map(({ model, requests: n, p95 }) => ({ model, n, p95 })).sort(byModel)).toEqual(
                data.models.map(({ model, requests: n, p95 }) => ({ model, n, p95 })).sort(byModel),
            ); // prettier-ignore
            const requestsByMinute = await rowsOf(" Requests per minute");
            const hours = requestsByMinute.filter(({ time }) => (time as Date).getTime() + 3_600_000 <= shown.to.getTime()); // prettier-ignore
            const counted = hours.reduce((sum, row) => sum + Number(row["requests"]) * 60, 0);
            const whole = Math.floor(shown.to.getTime() / 3_600_000) * 3_600_000;
            expect(Math.round(counted)).toBe(
                raw.filter(({ ts }) => ts >= shown.from && ts.getTime() < whole).length,
            );
        });
    });

    it("says where helpers are left out that there are no targets", async () => {
        await target.byHand("DROP VIEW llm_sla_monitoring");

        const data = await report(day);

        expect(data.sla).toEqual({ stands: false, rows: [] });
        expect(pageOf(data)).toContain(
            "llm_sla_monitoring does not stand: helpers is false in config",
        );
    });
});

function byModel(a: { readonly model: unknown }, b: { readonly model: unknown }): number {
    return String(a.model).localeCompare(String(b.model));
}
