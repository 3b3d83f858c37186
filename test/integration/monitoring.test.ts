/**
 * The exporter's queries run as the role of role.sql on every server, and each alert fires when the
 * catalog shows its reason and no other does. monitoring-causes.test.ts has the reasons themselves.
 */
import { spawnSync } from "node:child_process";
import path from "node:path";

import type { Connection } from "../../components/timescale/core/connection/connection";
import { withClient } from "../helpers/clients";
import {
    collector,
    createMonitor,
    firing,
    isPlain,
    itWithPromtool,
    judgeByPromtool,
    metricsOf,
    monitor,
    monitoringFolder,
    rules,
    scrape,
    type Series,
    shortOfDisk,
    steady,
} from "./monitoringRules";
import { onEveryServer, type Target } from "./onEveryServer";

describe("alerts.yml", () => {
    it("compares metrics that are exported with numbers, and leaves only the trend to Prometheus", () => {
        const exported = collector.metrics.map(({ metric_name }) => metric_name);
        expect(exported).toEqual(expect.arrayContaining(rules.flatMap(metricsOf)));
        expect(rules.filter((rule) => !isPlain(rule)).map(({ alert }) => alert)).toEqual([
            "TimescaleDiskFills",
        ]);
    });

    it("names labels that its metrics have", () => {
        for (const rule of rules) {
            const [metric] = metricsOf(rule);
            const labels =
                collector.metrics.find(({ metric_name }) => metric_name === metric)?.key_labels ??
                [];
            const named = Object.values(rule.annotations).flatMap((text) =>
                [...text.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label),
            );
            expect([rule.alert, labels]).toEqual([rule.alert, expect.arrayContaining(named)]);
            // Prometheus has these itself.
            expect(labels).not.toEqual(expect.arrayContaining(["job"]));
            expect(labels).not.toEqual(expect.arrayContaining(["instance"]));
        }
    });

    itWithPromtool("is part of a configuration that Prometheus takes", () => {
        const file = path.join(monitoringFolder, "prometheus.yml");
        const { status, stdout, stderr } = spawnSync("promtool", ["check", "config", file]);
        expect([status, `${String(stdout)}${String(stderr)}`]).toEqual([0, expect.anything()]);
    });

    itWithPromtool("TimescaleDiskFills fires for a disk that fills, and not for a full one", () => {
        const size = (values: string, alerts: readonly string[]) => ({
            series: [
                { series: 'timescale_database_bytes{instance="db"}', values },
                { series: 'timescale_disk_limit_bytes{instance="db"}', values: "1000x600" },
            ],
            minutes: 600,
            alerts,
        });
        // In ten hours by 1.2 %, by 12 %, and by nothing.
        judgeByPromtool([
            size("500+0.02x600", []),
            size("500+0.2x600", ["TimescaleDiskFills"]),
            size("900x600", []),
        ]);
    });
});

interface State {
    readonly name: string;
    readonly alerts: readonly (readonly [string, string])[];
    cause(): Promise<unknown>;
    mend(): Promise<unknown>;
}

function statesOf(target: Target): readonly State[] {
    const admin = (text: string) => target.asAdmin(text);
    const stat = (change: string) => () =>
        admin(`UPDATE _timescaledb_internal.bgw_job_stat SET ${change} WHERE job_id =
            (SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate')`);
    const watermark = (age: string) =>
        admin(`UPDATE _timescaledb_catalog.continuous_aggs_watermark
            SET watermark = _timescaledb_functions.to_unix_microseconds(now() - interval '${age}')`);
    const nothing = () => Promise.resolve();
    return [
        { name: "all is well", alerts: [], cause: nothing, mend: nothing },
        {
            name: "a refresh has failed",
            alerts: [["TimescaleRefreshFailing", "public.hourly"]],
            cause: stat("consecutive_failures = 2"),
            mend: stat("consecutive_failures = 0"),
        },
        {
            name: "a refresh runs after one failure, and counts as crashed until it ends",
            alerts: [],
            cause: stat(
                "consecutive_failures = 1, consecutive_crashes = 1, last_finish = '-infinity', next_start = '-infinity'",
            ),
            mend: stat(
                "consecutive_failures = 0, consecutive_crashes = 0, last_finish = now(), next_start = now() + interval '5 minutes'",
            ),
        },
        {
            name: "a refresh is due",
            alerts: [["TimescaleWorkersStarved", "public.hourly"]],
            cause: stat("next_start = now() - interval '20 minutes'"),
            mend: stat("next_start = now() + interval '5 minutes'"),
        },
        {
            name: "a job was never started",
            alerts: [["TimescaleWorkersStarved", "never"]],
            cause: async () => {
                await target.byHand(
                    "CREATE PROCEDURE never(job_id int, config jsonb) LANGUAGE sql AS 'SELECT 1'",
                );
                await target.byHand("SELECT add_job('never', '1 hour', fixed_schedule => false)");
            },
            mend: () =>
                target.byHand(
                    "SELECT delete_job(job_id) FROM timescaledb_information.jobs WHERE proc_name = 'never'",
                ),
        },
        {
            name: "a chunk stands longer than its retention policy says",
            alerts: [["TimescaleRetentionNotRunning", "public.raw"]],
            cause: () => target.byHand("INSERT INTO raw VALUES (now() - interval '100 days', 1)"),
            mend: () => target.byHand("SELECT drop_chunks('raw', interval '90 days')"),
        },
        {
            name: "a policy stands still",
            alerts: [["TimescaleAggregateLags", "public.hourly"]],
            cause: async () => {
                await stat("last_successful_finish = now() - interval '1 day'")();
                await watermark("1 day");
            },
            mend: async () => {
                await stat("last_successful_finish = now()")();
                await watermark("1 hour");
            },
        },
        {
            name: "the disk is hardly larger than the database",
            alerts: [["TimescaleDiskNearlyFull", ""]],
            cause: () => admin(shortOfDisk),
            mend: () =>
                admin(
                    "DO $$BEGIN EXECUTE format('ALTER DATABASE %I RESET observatory.disk_bytes', current_database()); END$$",
                ),
        },
    ];
}

onEveryServer((target) => {
    const states = statesOf(target);
    const scraped = new Map<string, readonly Series[]>();
    let login: Connection;

    const seriesOf = (name: string): readonly Series[] => scraped.get(name) ?? [];

    beforeAll(async () => {
        login = await createMonitor(target.database.admin);
        for (const text of [
            "CREATE TABLE raw (ts timestamptz NOT NULL, v int)",
            "SELECT create_hypertable('raw', 'ts', chunk_time_interval => interval '1 day')",
            "INSERT INTO raw SELECT now() - interval '1 hour' * g, g FROM generate_series(0, 240) g",
            `CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS
                SELECT time_bucket('1 hour', ts) AS bucket, count(*) AS n FROM raw GROUP BY 1 WITH NO DATA`,
            "SELECT add_continuous_aggregate_policy('hourly', interval '1 day', interval '1 hour', interval '5 minutes')",
            "SELECT add_retention_policy('raw', interval '90 days')",
            "SELECT add_retention_policy('hourly', interval '90 days')",
            "CALL refresh_continuous_aggregate('hourly', NULL, now() - interval '1 hour')",
        ]) {
            await target.byHand(text);
        }
        // The statistics that a server's workers write; here they stand still.
        await target.asAdmin(`INSERT INTO _timescaledb_internal.bgw_job_stat (job_id, last_start, last_finish, next_start,
            last_successful_finish, last_run_success, total_runs, total_duration, total_duration_failures, total_successes,
            total_failures, total_crashes, consecutive_failures, consecutive_crashes)
            SELECT job_id, now(), now(), now() + interval '5 minutes', now(), true, 1, '1 s', '0', 1, 0, 0, 0, 0
            FROM timescaledb_information.jobs
            ON CONFLICT (job_id) DO UPDATE SET next_start = excluded.next_start, last_finish = now(), last_successful_finish = now()`);
        for (const { name, cause, mend } of states) {
            await cause();
            scraped.set(name, await scrape(login));
            await mend();
        }
    });

    // The embedded server goes with its database; elsewhere that is gone by now.
    afterAll(async () => {
        const { admin } = target.server;
        if (admin !== undefined) {
            await withClient(admin, (client) => client.query(`DROP ROLE ${monitor}`));
        }
    });

    it("every metric has values, and none is NaN", () => {
        const series = seriesOf("the disk is hardly larger than the database");
        expect(series.filter(({ value }) => Number.isNaN(value))).toEqual([]);
        const names = new Set(series.map(({ name }) => name));
        const missing = collector.metrics.filter(({ metric_name }) => !names.has(metric_name));
        // Nobody else is connected who runs something.
        expect(missing.map(({ metric_name }) => metric_name)).toEqual([
            "timescale_longest_query_seconds",
        ]);
    });

    it("the monitoring role reads no data", async () => {
        await withClient(login, async (client) => {
            await expect(client.query("SELECT * FROM raw")).rejects.toMatchObject({
                code: "42501",
            });
        });
    });

    it.each(states)("when $name", ({ name, alerts }) => {
        expect(firing(seriesOf(name))).toEqual(alerts);
    });

    itWithPromtool("promtool finds the same alerts", () => {
        judgeByPromtool([
            ...states.map(({ name, alerts }) =>
                steady(
                    seriesOf(name),
                    alerts.map(([alert]) => alert),
                ),
            ),
            steady([], ["TimescaleNotWatched"]),
        ]);
    });
});
