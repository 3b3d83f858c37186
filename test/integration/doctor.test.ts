/** `npm run doctor`: each reason is caused by hand, found with its evidence, mended, and then not found any more. */
import { examine, type Examined, type ExamineOptions } from "../../commands/doctor/examine";
import { mend } from "../../commands/doctor/fix";
import { withSession } from "../../components/timescale/core/connection/session";
import { aggregate, hypertable } from "./declared";
import { onEveryServer, type Target } from "./onEveryServer";

interface Illness {
    readonly code: string;
    /** As the owner, unless it takes the superuser. */
    readonly cause: readonly string[];
    readonly asAdmin?: boolean;
    readonly evidence: RegExp;
    readonly object?: RegExp;
    /** Statements that mend it where doctor leaves that to people. */
    readonly cure?: readonly string[];
    /** Only where a server runs jobs. */
    readonly jobs?: boolean;
    /** SQL that gives a row once what was caused has come about. */
    readonly until?: string;
    /** The same once it is cured. */
    readonly cured?: string;
    readonly options?: Partial<ExamineOptions>;
    readonly on?: (version: string) => boolean;
}

const refreshJob =
    "(SELECT j.id FROM _timescaledb_config.bgw_job j JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = j.hypertable_id WHERE a.user_view_name = 'hourly' AND proc_name ~ 'refresh')";
const config = (start: string): string =>
    `SELECT alter_job(id, config => config || '{"start_offset": "${start}"}', next_start => now()) FROM _timescaledb_config.bgw_job WHERE id = ${refreshJob}`;
const stat = "FROM _timescaledb_internal.bgw_job_stat WHERE job_id";
// From its start to its end a run has no next one, and counts as failed.
const refreshed = `SELECT 1 ${stat} = ${refreshJob} AND last_run_success AND next_start > now()`;
const materialization = (name: string): string =>
    `SELECT format('%I.%I', h.schema_name, h.table_name) FROM _timescaledb_catalog.continuous_agg a JOIN _timescaledb_catalog.hypertable h ON h.id = a.mat_hypertable_id WHERE a.user_view_name = '${name}'`;
const sleeper = "(SELECT min(id) FROM _timescaledb_config.bgw_job WHERE proc_name = 'sleeps')";
const stopSleepers = [
    "UPDATE _timescaledb_config.bgw_job SET scheduled = false WHERE proc_name = 'sleeps'",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '\\[\\d+\\]$'",
    "SELECT pg_sleep(1)",
    "SELECT delete_job(id) FROM _timescaledb_config.bgw_job WHERE proc_name = 'sleeps'",
];
const day = (days: number): string => `date_trunc('day', now(), 'UTC') - interval '${days} days'`;

const illnesses: readonly Illness[] = [
    {
        code: "job_paused",
        cause: [`SELECT alter_job(${refreshJob}, scheduled => false)`],
        evidence: /scheduled is false/,
        object: /^refresh of public\.hourly \(job \d+\)$/,
    },
    {
        code: "unreachable_changes",
        cause: [`INSERT INTO seen VALUES (${day(4)} + interval '90 minutes', 1)`],
        evidence: /1 range older than .* UTC, where the refresh window begins: .* 01:/,
    },
    {
        code: "wrong_buckets",
        cause: [`DELETE FROM hourly WHERE bucket = ${day(4)} + interval '3 hours'`],
        options: { complete: true },
        evidence:
            /1 of all that the source still has: .* 03:00 UTC: 6 in public\.seen, no row in the aggregate/,
    },
    {
        code: "duplicate_policy",
        asAdmin: true,
        cause: [
            `INSERT INTO _timescaledb_config.bgw_job SELECT (jsonb_populate_record(j, jsonb_build_object('id', nextval('_timescaledb_config.bgw_job_id_seq')))).* FROM _timescaledb_config.bgw_job j WHERE id = ${refreshJob}`,
        ],
        evidence: /both have the config .*start_offset/,
    },
    {
        code: "view_gone",
        // Later versions rename the aggregate with it.
        on: (version) => version.startsWith("2.14"),
        cause: ["ALTER TABLE hourly RENAME TO elsewhere"],
        evidence: /the catalog knows it by this name, and no relation has it/,
        cure: ["ALTER TABLE elsewhere RENAME TO hourly"],
    },
    {
        code: "view_gone",
        on: (version) => version.startsWith("2.14"),
        cause: ["CREATE OR REPLACE VIEW hourly AS SELECT now() AS bucket, 1::bigint AS n"],
        evidence: /reads something other than its buckets/,
        cure: [
            "DO $$ BEGIN EXECUTE (SELECT format('CREATE OR REPLACE VIEW hourly AS SELECT bucket, n FROM %I.%I', h.schema_name, h.table_name) FROM _timescaledb_catalog.continuous_agg a JOIN _timescaledb_catalog.hypertable h ON h.id = a.mat_hypertable_id WHERE a.user_view_name = 'hourly'); END $$",
        ],
    },
    {
        code: "refresh_below_floor",
        cause: [
            `SELECT alter_job(id, scheduled => true, next_start => now() + interval '1 day', config => config || '{"start_offset": "30 days"}') FROM _timescaledb_config.bgw_job WHERE id = ${refreshJob}`,
            `SELECT drop_chunks('seen', ${day(5)})`,
        ],
        evidence: /the window begins at .*, public\.seen is whole from .* on \(5 d/,
        cure: [config("2 days")],
    },
    {
        code: "integer_product",
        cause: [
            "CREATE MATERIALIZED VIEW squares WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS SELECT time_bucket('1 hour', ts) AS bucket, count(*) AS n, sum(v * v) AS s FROM seen GROUP BY 1 WITH NO DATA",
            "SELECT add_continuous_aggregate_policy('squares', NULL, interval '1 hour', interval '1 hour', initial_start => now() + interval '1 day')",
            `CALL refresh_continuous_aggregate('squares', ${day(5)}, now() - interval '1 hour')`,
        ],
        evidence: /multiplies two integer columns/,
        cure: ["DROP MATERIALIZED VIEW squares"],
    },
    {
        code: "duplicate_aggregate",
        cause: [
            "CREATE MATERIALIZED VIEW twin WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS SELECT time_bucket('1 hour', ts) AS bucket, count(*) AS n FROM seen GROUP BY 1 WITH NO DATA",
            "SELECT add_continuous_aggregate_policy('twin', NULL, interval '1 hour', interval '1 hour', initial_start => now() + interval '1 day')",
            `CALL refresh_continuous_aggregate('twin', ${day(5)}, now() - interval '1 hour')`,
        ],
        evidence: /chunks, which hold what the other holds/,
    },
    {
        code: "replaced_version",
        cause: [
            "DO $$ BEGIN EXECUTE format('COMMENT ON TABLE %s IS %L', (" +
                materialization("twin") +
                "), 'pulumi-timescale: replaced public.hourly'); END $$",
        ],
        evidence: /chunks, with policies that run/,
        cure: ["DROP MATERIALIZED VIEW twin"],
    },
    {
        code: "never_refreshed",
        cause: [
            "CREATE MATERIALIZED VIEW new WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS SELECT time_bucket('2 hours', ts) AS bucket, count(*) AS n FROM seen GROUP BY 1 WITH NO DATA",
            "SELECT add_continuous_aggregate_policy('new', NULL, interval '1 hour', interval '1 hour', initial_start => now() + interval '1 day')",
        ],
        evidence: /holds no bucket/,
        cure: ["DROP MATERIALIZED VIEW new"],
    },
    {
        code: "unmanaged_aggregate",
        cause: [],
        options: { declared: ["public.other"] },
        evidence: /declares 1 aggregate in this schema, and not this one/,
    },
    {
        code: "disk_full_soon",
        cause: [],
        options: { disk: () => Promise.resolve({ free: 1, where: "a disk of one byte" }) },
        evidence: /^1 bytes are free in a disk of one byte; the latest chunks grew by /,
    },
    {
        code: "job_failing",
        jobs: true,
        // alter_job takes a window of less than two buckets; refreshes do not.
        cause: [config("01:30:00")],
        until: `SELECT 1 ${stat} = ${refreshJob} AND consecutive_failures > 0`,
        evidence: /failed, the last \d+ in a row: refresh window too small.* \(22023\) at /,
        cure: [config("2 days")],
        cured: refreshed,
    },
    {
        code: "job_stuck",
        jobs: true,
        asAdmin: true,
        cause: [
            "CREATE PROCEDURE sleeps(job_id int, config jsonb) LANGUAGE sql AS 'SELECT pg_sleep(120)'",
            "SELECT add_job('sleeps', interval '10 seconds')",
            `DO $$ BEGIN FOR i IN 1..100 LOOP EXIT WHEN EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE '%[' || ${sleeper} || ']'); PERFORM pg_sleep(0.1), pg_stat_clear_snapshot(); END LOOP; END $$`,
            // As if it had been an hour.
            `UPDATE _timescaledb_internal.bgw_job_stat SET last_start = last_start - interval '1 hour' WHERE job_id = ${sleeper}`,
        ],
        evidence: /it has run for 1 h/,
        object: /public\.sleeps \(job \d+\)/,
        cure: stopSleepers,
    },
    {
        code: "job_overdue",
        jobs: true,
        asAdmin: true,
        cause: [
            // The scheduler keeps its own list and does not see it: to everybody else the job waits for a worker.
            `UPDATE _timescaledb_internal.bgw_job_stat SET next_start = now() - interval '5 minutes' WHERE job_id = ${refreshJob}`,
        ],
        evidence:
            /due at .*, 5 min( \d+ s)? ago; 0 jobs run, timescaledb\.max_background_workers is \d+/,
        object: /^refresh of public\.hourly/,
        cure: [`SELECT alter_job(${refreshJob}, next_start => now())`],
        cured: refreshed,
    },
    {
        code: "job_crashing",
        jobs: true,
        asAdmin: true,
        cause: [
            `UPDATE _timescaledb_internal.bgw_job_stat SET consecutive_crashes = 2, total_crashes = 2 WHERE job_id = ${refreshJob}`,
        ],
        evidence: /2 runs crashed .*, the last 2 in a row, and no error of theirs was left/,
        // A run by itself would come after five minutes at the least.
        cure: [
            `UPDATE _timescaledb_internal.bgw_job_stat SET consecutive_crashes = 0, total_crashes = 0 WHERE job_id = ${refreshJob}`,
        ],
    },
    {
        code: "scheduler_missing",
        jobs: true,
        asAdmin: true,
        cause: ["SELECT _timescaledb_functions.stop_background_workers()"],
        evidence: /scheduled jobs?, and no scheduler/,
    },
];

onEveryServer((target) => {
    const runs = target.server.backgroundWorkers;

    beforeAll(async () => {
        await hypertable(target, {
            name: "seen",
            columns: [
                { name: "ts", type: "timestamptz", nullable: false },
                { name: "v", type: "int" },
            ],
            timeColumn: "ts",
            chunkTimeInterval: "1 day",
        }).up();
        await target.byHand(
            `INSERT INTO seen SELECT t, 1 FROM generate_series(${day(8)}, now(), '10 minutes') t`,
        );
        await aggregate(target, {
            name: "hourly",
            query: "SELECT time_bucket('1 hour', ts) AS bucket, count(*) AS n FROM seen GROUP BY 1",
            refreshPolicy: {
                ...{ startOffset: "2 days", endOffset: "1 hour", scheduleInterval: "1 hour" },
            },
        }).up();
        if (runs) {
            await target.asAdmin("SELECT _timescaledb_functions.start_background_workers()");
            await until(target, refreshed);
        }
    }, 60_000);

    const examined = (options: Partial<ExamineOptions> = {}): Promise<Examined> =>
        withSession(target.database.admin, (session) =>
            examine(session, { complete: false, ...options }),
        );
    const codesOf = ({ findings }: Examined): string[] => findings.map(({ code }) => code);

    it("finds nothing in a database that is well, by sample and completely", async () => {
        expect((await examined()).findings).toEqual([]);
        expect(await examined({ complete: true })).toMatchObject({ findings: [] });
    });

    it("takes a run that has begun for no crash, and one that the scheduler gave up for one", async () => {
        // As the scheduler writes it before it starts a worker.
        await target.asAdmin(
            `UPDATE _timescaledb_internal.bgw_job_stat SET last_start = clock_timestamp() - interval '1 second',
                 last_finish = '-infinity', next_start = '-infinity', last_run_success = false, total_runs = total_runs + 1,
                 total_crashes = total_crashes + 1, consecutive_crashes = 1, flags = 0 WHERE job_id = ${refreshJob}`,
        );
        const begun = await examined();
        await target.asAdmin(`UPDATE _timescaledb_internal.bgw_job_stat SET flags = 1 WHERE job_id = ${refreshJob}`); // prettier-ignore
        const crashed = await examined();
        await target.asAdmin(
            `UPDATE _timescaledb_internal.bgw_job_stat SET last_finish = clock_timestamp(), next_start = clock_timestamp() + interval '1 hour',
                 last_run_success = true, total_crashes = total_crashes - 1, consecutive_crashes = 0, flags = 0 WHERE job_id = ${refreshJob}`,
        );

        expect(codesOf(begun)).toEqual([]);
        // Where nothing runs jobs, what became of a run is not judged.
        expect(codesOf(crashed)).toEqual(runs ? ["job_crashing"] : []);
        expect((await examined()).findings).toEqual([]);
    });

    const possible = illnesses.filter(
        ({ jobs, on }) => (jobs !== true || runs) && (on?.(target.server.version) ?? true),
    );
    it.each(possible.map((one) => [one.code, one] as const))("finds %s", async (code, illness) => {
        const { cause, asAdmin, evidence, object, cure, options } = illness;
        const by = asAdmin === true ? target.asAdmin : target.byHand;
        for (const statement of cause) await by(statement);
        if (illness.until !== undefined) await until(target, illness.until);

        const ill = await examined(options);

        expect(codesOf(ill)).toContain(code);
        const found = ill.findings.find(
            (one) => one.code === code && (object?.test(one.object) ?? true),
        );
        expect(found?.evidence).toMatch(evidence);
        expect(found?.object).toMatch(object ?? /./);
        // What follows in this file mends it as well.
        if (code === "duplicate_aggregate") return;
        if (found?.fix !== undefined) {
            await withSession(target.database.admin, (session) =>
                mend(session, found, ill.health, () => undefined),
            );
        }
        for (const statement of cure ?? []) await by(statement);
        if (illness.cured !== undefined) await until(target, illness.cured);
        const { complete = false } = options ?? {};
        expect((await examined({ complete })).findings).toEqual([]);
    });
});

async function until(target: Target, rows: string): Promise<void> {
    for (let attempt = 0; attempt < 300; attempt += 1) {
        if ((await target.asAdmin(rows)).length > 0) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`it did not come about: ${rows}`);
}
