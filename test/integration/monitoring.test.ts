/**
 * The exporter's queries run as the monitoring role on every server, and each alert fires when what it
 * is about is caused in the database: rows become series as the exporter makes them, and promtool judges.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { withClient } from "../helpers/clients";
import { recordEnvironment } from "../helpers/environment";
import { onEveryServer, type Target } from "./onEveryServer";

// eslint-disable-next-line @typescript-eslint/no-require-imports
const yaml = require("js-yaml") as { load(text: string): unknown };

const folder = path.resolve(__dirname, "../../monitoring");

interface Metric {
    readonly metric_name: string;
    readonly key_labels?: readonly string[];
    readonly values: readonly [string];
    readonly query?: string;
    readonly query_ref?: string;
}

interface Collector {
    readonly metrics: readonly Metric[];
    readonly queries: readonly { readonly query_name: string; readonly query: string }[];
}

const collector = yaml.load(
    fs.readFileSync(path.join(folder, "timescale.collector.yml"), "utf8"),
) as Collector;

const hasPromtool = spawnSync("promtool", ["--version"]).error === undefined;
if (!hasPromtool) {
    recordEnvironment(
        "not run: alert rules by promtool, which is not on PATH (Debian: apt-get install prometheus)",
    );
}

interface Series {
    readonly name: string;
    readonly series: string;
    readonly value: number;
}

/** What the exporter would export now. */
async function scrape(target: Target): Promise<readonly Series[]> {
    const login = { ...target.database.admin, user: "observatory_monitor" };
    return await withClient(
        target.server.kind === "embedded" ? login : target.database.admin,
        async (client) => {
            if (target.server.kind !== "embedded") {
                await client.query("SET SESSION AUTHORIZATION observatory_monitor");
            }
            const series: Series[] = [];
            for (const {
                metric_name: name,
                key_labels = [],
                values,
                ...from
            } of collector.metrics) {
                const text =
                    from.query ??
                    collector.queries.find((query) => query.query_name === from.query_ref)?.query;
                const { rows, fields } = await client.query<Record<string, unknown>>(text ?? "");
                expect(fields.map((field) => field.name)).toEqual(
                    expect.arrayContaining([...key_labels, ...values]),
                );
                for (const row of rows) {
                    const labels = key_labels.map((key) => `${key}="${String(row[key])}"`);
                    labels.push('instance="db"');
                    series.push({
                        name,
                        series: `${name}{${labels.join(",")}}`,
                        value: Number(row[values[0]]),
                    });
                }
            }
            return series;
        },
    );
}

/** Names of the alerts that fire when the series stay as they are for an hour. */
function firing(series: readonly Series[]): string[] {
    const work = fs.mkdtempSync(path.join(os.tmpdir(), "alerts-"));
    const names = [
        ...fs.readFileSync(path.join(folder, "alerts.yml"), "utf8").matchAll(/alert: (\w+)/g),
    ].map(([, name]) => name as string);
    const fires = (name: string): boolean => {
        const file = path.join(work, `${name}.json`);
        const inputs = series.map(({ series, value }) => ({
            series,
            values: `${value === Infinity ? "Inf" : value}x60`,
        }));
        const test = {
            rule_files: [path.join(folder, "alerts.yml")],
            evaluation_interval: "1m",
            tests: [
                {
                    interval: "1m",
                    input_series: inputs,
                    promql_expr_test: [
                        {
                            expr: `count(ALERTS{alertname="${name}", alertstate="firing"}) > bool 0`,
                            eval_time: "59m",
                            exp_samples: [{ labels: "{}", value: 1 }],
                        },
                    ],
                },
            ],
        };
        fs.writeFileSync(file, JSON.stringify(test));
        const { status, stdout, stderr } = spawnSync("promtool", ["test", "rules", file]);
        const output = `${String(stdout)}${String(stderr)}`;
        if (status !== 0 && !output.includes("got: nil")) throw new Error(output);
        return status === 0;
    };
    const found = names.filter(fires);
    fs.rmSync(work, { recursive: true });
    return found;
}

onEveryServer((target) => {
    const admin = (text: string) => target.asAdmin(text);

    beforeAll(async () => {
        await admin(
            "DO $$BEGIN CREATE ROLE observatory_monitor LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END$$",
        );
        await admin("GRANT pg_monitor TO observatory_monitor");
        await target.byHand("CREATE TABLE raw (ts timestamptz NOT NULL, v int)");
        await target.byHand(
            "SELECT create_hypertable('raw', 'ts', chunk_time_interval => interval '1 day')",
        );
        await target.byHand(
            "INSERT INTO raw SELECT now() - interval '1 hour' * g, g FROM generate_series(0, 240) g",
        );
        await target.byHand(`CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS
            SELECT time_bucket('1 hour', ts) AS bucket, count(*) AS n FROM raw GROUP BY 1 WITH NO DATA`);
        await target.byHand(
            "SELECT add_continuous_aggregate_policy('hourly', interval '1 day', interval '1 hour', interval '5 minutes')",
        );
        await target.byHand("SELECT add_retention_policy('raw', interval '90 days')");
        await target.byHand(
            "CALL refresh_continuous_aggregate('hourly', NULL, now() - interval '1 hour')",
        );
        // The statistics that a server's workers write.
        await admin(`INSERT INTO _timescaledb_internal.bgw_job_stat (job_id, last_start, last_finish, next_start,
            last_successful_finish, last_run_success, total_runs, total_duration, total_duration_failures, total_successes,
            total_failures, total_crashes, consecutive_failures, consecutive_crashes)
            SELECT job_id, now(), now(), now() + interval '5 minutes', now(), true, 1, '1 s', '0', 1, 0, 0, 0, 0
            FROM timescaledb_information.jobs WHERE job_id >= 1000
            ON CONFLICT (job_id) DO UPDATE SET next_start = excluded.next_start, last_successful_finish = now()`);
    });

    const refresh =
        "job_id = (SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate')";
    const stat = (change: string) =>
        admin(`UPDATE _timescaledb_internal.bgw_job_stat SET ${change} WHERE ${refresh}`);

    const causes: readonly (readonly [
        string,
        string,
        () => Promise<unknown>,
        () => Promise<unknown>,
    ])[] = [
        [
            "TimescaleRefreshFailing",
            "timescale_job_failures_in_a_row",
            () => stat("consecutive_failures = 3"),
            () => stat("consecutive_failures = 0"),
        ],
        [
            "TimescaleWorkersStarved",
            "timescale_job_overdue_seconds",
            () => stat("next_start = now() - interval '20 minutes'"),
            () => stat("next_start = now() + interval '5 minutes'"),
        ],
        [
            "TimescaleRetentionNotRunning",
            "timescale_retention_overdue_seconds",
            () => target.byHand("INSERT INTO raw VALUES (now() - interval '100 days', 1)"),
            () => target.byHand("SELECT drop_chunks('raw', older_than => interval '90 days')"),
        ],
    ];

    it("every query gives its columns to the monitoring role, and nothing fires while all is well", async () => {
        const series = await scrape(target);
        for (const { name, value } of series) expect([name, value]).not.toContain(NaN);
        expect(series.map(({ name }) => name)).toEqual(
            expect.arrayContaining([
                "timescale_job_failures_in_a_row",
                "timescale_aggregate_lag_seconds",
                "timescale_aggregate_allowed_lag_seconds",
                "timescale_retention_overdue_seconds",
                "timescale_database_bytes",
            ]),
        );
        if (hasPromtool) expect(firing(series)).toEqual([]);
    });

    it.each(causes)("%s fires for its reason", async (alert, metric, cause, mend) => {
        await cause();
        const series = await scrape(target);
        await mend();
        expect(series.some(({ name, value }) => name === metric && value > 2)).toBe(true);
        if (hasPromtool) expect(firing(series)).toEqual([alert]);
    });

    it("TimescaleAggregateLags fires for a policy that stands still", async () => {
        await target.byHand(
            "SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs WHERE " +
                refresh,
        );
        await stat("last_successful_finish = now() - interval '1 day'");
        await admin(
            "UPDATE _timescaledb_catalog.continuous_aggs_watermark SET watermark = _timescaledb_functions.to_unix_microseconds(now() - interval '1 day')",
        );
        const series = await scrape(target);
        if (hasPromtool) expect(firing(series)).toEqual(["TimescaleAggregateLags"]);
        const lag = series.find(({ name }) => name === "timescale_aggregate_lag_seconds");
        expect(lag?.value).toBeGreaterThan(86_000);
    });

    it("the rest fires on what the exporter gives for it", () => {
        if (!hasPromtool) return;
        const at = (name: string, labels: string, value: number): Series => ({
            name,
            series: `${name}{${labels}}`,
            value,
        });
        expect(
            firing([
                at(
                    "timescale_longest_query_seconds",
                    'role="observatory_reader",instance="db"',
                    45,
                ),
            ]),
        ).toEqual(["TimescaleSlowQuery"]);
        expect(
            firing([
                at("timescale_database_bytes", 'instance="db"', 90),
                at("timescale_disk_limit_bytes", 'instance="db"', 100),
            ]),
        ).toEqual(["TimescaleDiskFills"]);
    });
});
