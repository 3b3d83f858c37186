/**
 * What the alerts are about, caused on a server with background workers: a refresh that overflows, policies
 * that are paused, the only worker taken, a query that runs long, a small disk. Nothing is written into the
 * catalog by hand. The embedded server has no workers and one session: monitoring.test.ts covers it.
 */
import type { Connection } from "../../components/timescale/core/connection/connection";
import { withClient } from "../helpers/clients";
import { recordEnvironment } from "../helpers/environment";
import { findServerBinaries, whyNoServer } from "../helpers/serverBinaries";
import { type Cluster, startCluster } from "../helpers/throwawayCluster";
import { until } from "./embeddedFolders";
import {
    createMonitor,
    firing,
    itWithPromtool,
    judgeByPromtool,
    scrape,
    type Series,
    shortOfDisk,
    steady,
} from "./monitoringRules";

const binaries = findServerBinaries().find(({ timescaledb }) => timescaledb !== undefined);
const obstacle = whyNoServer() ?? (binaries === undefined ? "it has no TimescaleDB" : undefined);
if (obstacle !== undefined) {
    recordEnvironment(`not run: alerts for what is caused on a server with workers: ${obstacle}`);
}

(obstacle === undefined ? describe : describe.skip)("on a server with one worker for jobs", () => {
    let cluster: Cluster;
    let owner: Connection;
    let admin: Connection;
    let well: readonly Series[];
    let ill: readonly Series[];

    const sqlAs = (login: Connection, ...texts: readonly string[]) =>
        withClient(login, async (client) => {
            for (const text of texts) await client.query(text);
        });
    const isTrue = (condition: string) => () =>
        withClient(admin, async (client) => {
            const { rows } = await client.query<{ yes: boolean }>(`SELECT (${condition}) AS yes`);
            return rows[0]?.yes === true;
        });
    /** As the roles that run them; they end with the server. */
    const startQuery = (login: Connection, text: string) =>
        void withClient(login, (client) => client.query(text)).catch(() => undefined);

    beforeAll(async () => {
        if (binaries === undefined) return;
        // One for the launcher, one for the scheduler of the database, one for jobs.
        const settings = () => ({ "timescaledb.max_background_workers": "3" });
        cluster = await startCluster(binaries, { settings });
        await sqlAs(
            cluster.admin,
            "CREATE ROLE maker LOGIN PASSWORD 'maker'",
            "CREATE ROLE dashboard LOGIN PASSWORD 'dashboard'",
            "CREATE DATABASE watched OWNER maker",
        );
        admin = { ...cluster.admin, database: "watched" };
        owner = { ...admin, user: "maker", password: "maker" };
        await sqlAs(admin, "CREATE EXTENSION timescaledb", "ALTER SCHEMA public OWNER TO maker");
        const aggregate = (name: string, total: string) =>
            `CREATE MATERIALIZED VIEW ${name} WITH (timescaledb.continuous) AS
             SELECT time_bucket('1 minute', ts) AS bucket, ${total} AS total FROM raw GROUP BY 1 WITH NO DATA`;
        await sqlAs(
            owner,
            "CREATE TABLE raw (ts timestamptz NOT NULL, v int)",
            "SELECT create_hypertable('raw', 'ts', chunk_time_interval => interval '1 day')",
            "INSERT INTO raw SELECT now() - interval '1 minute' * g, 2000000000 FROM generate_series(0, 3000) g, generate_series(1, 2)",
            aggregate("sound", "sum(v::bigint)"),
            aggregate("overflowing", "sum(v)::int"),
            aggregate("paused", "count(*)"),
            "CREATE TABLE kept (ts timestamptz NOT NULL)",
            "SELECT create_hypertable('kept', 'ts', chunk_time_interval => interval '1 day')",
            "SELECT add_continuous_aggregate_policy('sound', NULL, interval '1 minute', interval '1 hour')",
        );
        const login = await createMonitor(admin);
        await until(isTrue("SELECT count(*) > 0 FROM sound"), "the first refresh", 30_000);
        await until(
            isTrue(
                "SELECT bool_or(last_run_status = 'Success') FROM timescaledb_information.job_stats WHERE job_id >= 1000",
            ),
            "its end",
        );
        well = await scrape(login);

        const overflowing = `(SELECT max(job_id) FROM timescaledb_information.jobs
            WHERE proc_name = 'policy_refresh_continuous_aggregate')`;
        startQuery({ ...owner, user: "dashboard", password: "dashboard" }, "SELECT pg_sleep(120)");
        startQuery(owner, "SELECT pg_sleep(120)");

        await sqlAs(
            owner,
            // Before a worker sees them.
            `BEGIN; SELECT alter_job(add_continuous_aggregate_policy('paused', NULL, interval '1 minute', interval '1 hour'),
                scheduled => false); COMMIT`,
            "CALL refresh_continuous_aggregate('paused', NULL, now() - interval '1 day')",
            "BEGIN; SELECT alter_job(add_retention_policy('kept', interval '90 days'), scheduled => false); COMMIT",
            "INSERT INTO kept VALUES (now() - interval '100 days'), (now())",
            "SELECT add_continuous_aggregate_policy('overflowing', NULL, interval '1 minute', interval '1 hour')",
            `SELECT alter_job(${overflowing}, retry_period => interval '1 second')`,
        );
        await until(
            isTrue(
                `SELECT total_failures >= 2 FROM timescaledb_information.job_stats WHERE job_id = ${overflowing}`,
            ),
            "two failed refreshes",
            60_000,
        );

        await sqlAs(
            owner,
            "CREATE PROCEDURE sleeping(job_id int, config jsonb) LANGUAGE sql AS 'SELECT pg_sleep(300)'",
            "CREATE PROCEDURE waiting(job_id int, config jsonb) LANGUAGE sql AS 'SELECT 1'",
            "SELECT add_job('sleeping', '1 hour', initial_start => now())",
        );
        await until(
            isTrue(
                "SELECT bool_or(application_name LIKE 'User-Defined Action%') FROM pg_stat_activity",
            ),
            "the worker to be taken",
            30_000,
        );
        await sqlAs(
            owner,
            "SELECT add_job('waiting', '1 hour', initial_start => now() - interval '1 hour')",
        );
        await sqlAs(admin, shortOfDisk);
        await until(
            async () => {
                ill = await scrape(login);
                return firing(ill).some(([alert]) => alert === "TimescaleSlowQuery");
            },
            "the long query",
            60_000,
        );
    }, 150_000);

    afterAll(() => cluster.stop());

    it("nothing fires after a policy has run", () => {
        expect(firing(well)).toEqual([]);
    });

    it("each alert fires for what was caused, and for nothing else", () => {
        expect(firing(ill)).toEqual([
            ["TimescaleRefreshFailing", "public.overflowing"],
            ["TimescaleAggregateLags", "public.overflowing"],
            ["TimescaleAggregateLags", "public.paused"],
            ["TimescaleSlowQuery", "dashboard"],
            ["TimescaleWorkersStarved", "waiting"],
            ["TimescaleRetentionNotRunning", "public.kept"],
            ["TimescaleDiskNearlyFull", ""],
        ]);
    });

    itWithPromtool("promtool finds the same alerts", () => {
        judgeByPromtool(
            [well, ill].map((series) =>
                steady(
                    series,
                    firing(series).map(([alert]) => alert),
                ),
            ),
        );
    });
});
