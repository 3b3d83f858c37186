/** The embedded server runs TimescaleDB's jobs on their schedule, as a server's background workers do. */
import type { Client } from "pg";

import type { JobEvent } from "../../commands/embedded/jobs/events";
import type { EmbeddedServer } from "../../commands/embedded/server";
import { readSql } from "../../components/timescale/core/sqlFile";
import { connect, embeddedFolders, sleep, until } from "./embeddedFolders";

const { open, fresh } = embeddedFolders();

const seconds = 1000;

interface Served {
    readonly server: EmbeddedServer;
    readonly owner: Client;
    readonly admin: Client;
    readonly events: readonly JobEvent[];
    eventsOf(job: number): readonly JobEvent[];
}

async function serve(directory: string): Promise<Served> {
    const events: JobEvent[] = [];
    const server = await open(directory, { onJob: (event) => events.push(event) });
    return {
        server,
        owner: await connect(server),
        admin: await connect(server, "postgres"),
        events,
        eventsOf: (id) => events.filter((event) => "job" in event && event.job.id === id),
    };
}

async function leave({ server, owner, admin }: Served): Promise<void> {
    await Promise.all([owner.end(), admin.end()]);
    await server.close();
}

async function value<T>(client: Client, text: string): Promise<T> {
    const { rows } = await client.query<{ readonly value: T }>(`SELECT (${text}) AS value`);
    return rows[0]?.value as T;
}

async function addJob(owner: Client, name: string, body: string, rest: string): Promise<number> {
    await owner.query(
        `CREATE PROCEDURE ${name}(job_id int, config jsonb) LANGUAGE plpgsql AS $$BEGIN ${body}; END$$`,
    );
    return await value(owner, `add_job('${name}', ${rest})`);
}

describe("jobs that are due", () => {
    let here: Served;

    beforeAll(async () => {
        here = await serve(fresh("due"));
        await here.owner.query(`
            CREATE TABLE raw (ts timestamptz NOT NULL, v int);
            SELECT create_hypertable('raw', 'ts', chunk_time_interval => interval '1 day');
            INSERT INTO raw SELECT now() - interval '1 hour' * g, g FROM generate_series(1, 240) g`);
        await here.owner.query(`
            CREATE MATERIALIZED VIEW per_hour WITH (timescaledb.continuous) AS
            SELECT time_bucket('1 hour', ts) AS bucket, count(*)::int AS n FROM raw GROUP BY 1
            WITH NO DATA`);
    }, 60_000);

    afterAll(() => leave(here));

    it("refresh an aggregate again and again, and what late rows change", async () => {
        const id = await value<number>(
            here.owner,
            "add_continuous_aggregate_policy('per_hour', interval '5 days', interval '1 hour', interval '1 second')",
        );
        await until(() => here.eventsOf(id).length > 1, "two refreshes");
        await here.owner.query(
            "INSERT INTO raw SELECT date_trunc('hour', now()) - interval '47 hours 30 minutes', 1 FROM generate_series(1, 1000)",
        );
        await until(
            () => value(here.owner, "SELECT bool_or(n > 1000) FROM per_hour"),
            "the late rows",
        );

        const { rows } = await here.admin.query(
            `SELECT last_run_status, job_status, total_runs = total_successes AS all_well, total_failures::int,
                next_start = last_successful_finish + interval '1 second' AS drifts,
                last_run_duration > interval '0' AS took
             FROM timescaledb_information.job_stats WHERE job_id = ${id}`,
        );
        expect(rows).toEqual([
            {
                last_run_status: "Success",
                job_status: "Scheduled",
                all_well: true,
                total_failures: 0,
                drifts: true,
                took: true,
            },
        ]);
        expect(here.eventsOf(id)[0]).toMatchObject({
            kind: "succeeded",
            job: { object: "public.per_hour" },
            failuresBefore: 0,
        });
        await here.owner.query("SELECT remove_continuous_aggregate_policy('per_hour')");
    }, 30_000);

    it("drop chunks by a retention policy, and compress them by a compression policy", async () => {
        const oldest =
            "SELECT min(range_start) FROM timescaledb_information.chunks WHERE hypertable_name = 'raw'";
        await here.owner.query("ALTER TABLE raw SET (timescaledb.compress)");
        await here.owner.query("SELECT add_compression_policy('raw', interval '3 days')");
        await here.owner.query("SELECT add_retention_policy('raw', interval '6 days')");

        await until(
            () => value(here.owner, `(${oldest}) > now() - interval '8 days'`),
            "old chunks to be dropped",
        );
        await until(
            () =>
                value(
                    here.owner,
                    `SELECT bool_and(is_compressed) AND count(*) > 0 FROM timescaledb_information.chunks
                     WHERE hypertable_name = 'raw' AND range_end < now() - interval '3 days'`,
                ),
            "the others to be compressed",
        );
        expect(await value(here.owner, "SELECT count(*) > 100 FROM raw")).toBe(true);
    }, 30_000);

    it("run as their owner, under their name, with the owner's rights only", async () => {
        await here.owner.query("CREATE TABLE seen (role text, application text)");
        const id = await addJob(
            here.owner,
            "look_around",
            "INSERT INTO seen SELECT session_user, current_setting('application_name')",
            "interval '1 hour'",
        );
        const forbidden = await addJob(
            here.owner,
            "reach_out",
            "CREATE ROLE somebody",
            "interval '1 hour'",
        );
        await until(() => here.eventsOf(forbidden).length > 0, "both jobs");

        expect((await here.owner.query("SELECT * FROM seen")).rows).toEqual([
            { role: "observatory_owner", application: `User-Defined Action [${id}]` },
        ]);
        expect(here.eventsOf(forbidden)).toMatchObject([{ kind: "failed", code: "42501" }]);
        await here.owner.query(`SELECT delete_job(${forbidden})`);
    }, 30_000);

    it("that are switched off do not run, and run when they are switched on", async () => {
        const id = await addJob(
            here.owner,
            "switched",
            "NULL",
            "interval '1 second', scheduled => false",
        );
        await sleep(2.5 * seconds);
        expect(here.eventsOf(id)).toEqual([]);

        await here.owner.query(`SELECT alter_job(${id}, scheduled => true)`);
        await until(() => here.eventsOf(id).length > 0, "the job");
        await here.owner.query(`SELECT delete_job(${id})`);
    }, 30_000);

    it("keep the next start that they choose themselves", async () => {
        const id = await addJob(
            here.owner,
            "choosing",
            "PERFORM alter_job(job_id, next_start => '2100-01-01 00:00:00+00')",
            "interval '1 second'",
        );
        await until(() => here.eventsOf(id).length > 0, "the job");

        expect(here.eventsOf(id)).toMatchObject([{ next: "2100-01-01T00:00:00.000Z" }]);
    }, 30_000);

    it("are reported when they take longer than max_runtime, which cannot end them here", async () => {
        const id = await addJob(here.owner, "slow", "PERFORM pg_sleep(0.5)", "interval '1 hour'");
        await here.owner.query(
            `SELECT alter_job(${id}, max_runtime => interval '100 milliseconds', next_start => now())`,
        );
        await until(
            () =>
                here
                    .eventsOf(id)
                    .some((event) => event.kind === "succeeded" && event.overran === 100),
            "the job",
        );
    }, 30_000);
});

describe("jobs that fail", () => {
    let here: Served;

    beforeAll(async () => {
        here = await serve(fresh("failing"));
    }, 60_000);

    afterAll(() => leave(here));

    it("are shown as on a server, come back later each time, and the server goes on", async () => {
        const id = await addJob(
            here.owner,
            "failing",
            "RAISE EXCEPTION 'no way' USING DETAIL = 'the detail', HINT = 'the hint', ERRCODE = '22012'",
            "interval '10 minutes'",
        );
        await here.owner.query(`SELECT alter_job(${id}, retry_period => interval '3 seconds')`);
        await until(() => here.eventsOf(id).length > 1, "two failures", 20_000);

        const { rows } = await here.admin.query(
            `SELECT proc_name, sqlerrcode, err_message FROM timescaledb_information.job_errors WHERE job_id = ${id}`,
        );
        const error = {
            proc_name: "failing",
            sqlerrcode: "22012",
            err_message: "no way. the detail. the hint",
        };
        expect(rows).toEqual([error, error]);
        const { rows: stats } = await here.admin.query<{ readonly wait: number }>(
            `SELECT last_run_status, j.total_runs::int, j.total_successes::int, j.total_failures::int,
                extract(epoch FROM s.next_start - s.last_finish)::float AS wait
             FROM timescaledb_information.job_stats j
             JOIN _timescaledb_internal.bgw_job_stat s USING (job_id) WHERE job_id = ${id}`,
        );
        expect(stats).toMatchObject([
            { last_run_status: "Failed", total_runs: 2, total_successes: 0, total_failures: 2 },
        ]);
        // Twice the retry period, give or take an eighth.
        expect(stats[0]?.wait).toBeGreaterThan(6 * 0.87);
        expect(stats[0]?.wait).toBeLessThan(6 * 1.13);
        expect(here.eventsOf(id)).toMatchObject([
            { kind: "failed", failures: 1, message: "no way", code: "22012", exhausted: false },
            { kind: "failed", failures: 2 },
        ]);

        await here.owner.query(
            "CREATE OR REPLACE PROCEDURE failing(job_id int, config jsonb) LANGUAGE plpgsql AS $$BEGIN END$$",
        );
        await until(() => here.eventsOf(id).length > 2, "the third run", 20_000);
        expect(here.eventsOf(id)[2]).toMatchObject({ kind: "succeeded", failuresBefore: 2 });
        expect(
            await value(
                here.admin,
                `SELECT consecutive_failures FROM _timescaledb_internal.bgw_job_stat WHERE job_id = ${id}`,
            ),
        ).toBe(0);
    }, 60_000);

    it("on a fixed schedule never miss the next slot", async () => {
        const id = await addJob(
            here.owner,
            "slotted",
            "RAISE EXCEPTION 'no'",
            "interval '2 seconds', initial_start => '2020-01-01 00:00:00+00'",
        );
        await here.owner.query(
            `SELECT alter_job(${id}, retry_period => interval '1 hour', next_start => now())`,
        );
        await until(() => here.eventsOf(id).length > 1, "two failures");

        const { next } = here.eventsOf(id)[1] as { readonly next: string };
        expect(new Date(next).getTime() % (2 * seconds)).toBe(0);
        await here.owner.query(`SELECT delete_job(${id})`);
    }, 30_000);

    it("are switched off after max_retries", async () => {
        const id = await addJob(here.owner, "limited", "RAISE EXCEPTION 'no'", "interval '1 hour'");
        await here.owner.query(
            `SELECT alter_job(${id}, max_retries => 2, retry_period => interval '100 milliseconds', next_start => now())`,
        );
        await until(
            () => here.eventsOf(id).some((event) => event.kind === "failed" && event.exhausted),
            "max_retries",
        );

        expect(
            await value(
                here.owner,
                `SELECT scheduled FROM timescaledb_information.jobs WHERE job_id = ${id}`,
            ),
        ).toBe(false);
        expect(
            await value(
                here.admin,
                `SELECT total_failures::int <= 3 FROM timescaledb_information.job_stats WHERE job_id = ${id}`,
            ),
        ).toBe(true);
    }, 30_000);

    it("may remove themselves", async () => {
        const id = await addJob(
            here.owner,
            "going",
            "PERFORM delete_job(job_id)",
            "interval '1 hour'",
        );
        await until(() => here.eventsOf(id).length > 0, "the job");

        expect(here.eventsOf(id)).toMatchObject([{ kind: "succeeded" }]);
        expect(here.eventsOf(id)[0]).not.toHaveProperty("next");
    }, 30_000);
});

describe("clients", () => {
    let here: Served;

    beforeAll(async () => {
        here = await serve(fresh("clients"));
    }, 60_000);

    afterAll(() => leave(here));

    it("keep their transaction, and jobs come after it", async () => {
        await here.owner.query("CREATE TABLE runs (at timestamptz)");
        const id = await addJob(
            here.owner,
            "counting",
            "INSERT INTO runs VALUES (clock_timestamp())",
            "interval '1 second'",
        );
        await until(() => here.eventsOf(id).length > 0, "a first run");
        await here.owner.query("BEGIN");
        const inside = () => value<number>(here.owner, "SELECT count(*)::int FROM runs");
        const before = await inside();
        await sleep(3 * seconds);
        expect(await inside()).toBe(before);
        await here.owner.query("COMMIT");

        await until(async () => (await inside()) > before, "the job after the transaction");
        await here.owner.query(`SELECT delete_job(${id})`);
    }, 30_000);

    it("that leave a transaction open do not keep the server from ending", async () => {
        const served = await serve(fresh("abandoned"));
        const id = await addJob(served.owner, "waiting", "NULL", "interval '1 second'");
        await until(() => served.eventsOf(id).length > 0, "a first run");
        await served.owner.query("BEGIN");
        await sleep(1.5 * seconds);

        const asked = Date.now();
        await served.server.close();

        expect(Date.now() - asked).toBeLessThan(5 * seconds);
    }, 60_000);

    it("that come and go get right answers while jobs run", async () => {
        const id = await addJob(
            here.owner,
            "busy",
            "PERFORM sum(g) FROM generate_series(1, 200000) g",
            "interval '1 second'",
        );
        const runsBefore = here.eventsOf(id).length;
        const visitors = Array.from({ length: 4 }, async (_, who) => {
            const answers: number[] = [];
            for (let visit = 0; visit < 15; visit++) {
                const client = await connect(here.server, "observatory_reader");
                const { rows } = await client.query<{ readonly n: number }>(
                    { name: "dashboard", text: `SELECT $1::int + ${who} * 1000 AS n` },
                    [visit],
                );
                answers.push(rows[0]?.n ?? -1);
                await client.end();
                await sleep(100);
            }
            expect(answers).toEqual(Array.from({ length: 15 }, (_, i) => i + who * 1000));
        });
        await Promise.all(visitors);
        await until(() => here.eventsOf(id).length > runsBefore + 1, "the job in between");
        expect(here.eventsOf(id).every(({ kind }) => kind === "succeeded")).toBe(true);
        await here.owner.query(`SELECT delete_job(${id})`);
    }, 60_000);
});

describe("next starts", () => {
    let here: Served;

    beforeAll(async () => {
        here = await serve(fresh("schedules"));
    }, 60_000);

    afterAll(() => leave(here));

    it.each([
        [
            "by the hour, from ten past",
            "interval '1 hour', initial_start => '2020-01-01 00:10:00+00'",
            "extract(minute FROM next) = 10 AND next <= now() + interval '1 hour'",
        ],
        [
            "by the day, in local time across summer time",
            "interval '1 day', initial_start => '2020-07-01 03:00:00+02', timezone => 'Europe/Berlin'",
            "to_char(next AT TIME ZONE 'Europe/Berlin', 'HH24:MI') = '03:00' AND next <= now() + interval '25 hours'",
        ],
        [
            "by the month, on its day",
            "interval '1 month', initial_start => '2020-01-15 03:00:00+00'",
            "to_char(next AT TIME ZONE 'UTC', 'DD HH24:MI') = '15 03:00' AND next <= now() + interval '1 month'",
        ],
        [
            "by three months, from the first one",
            "interval '3 months', initial_start => '2020-02-15 03:00:00+00'",
            "extract(month FROM next AT TIME ZONE 'UTC')::int % 3 = 2 AND next <= now() + interval '3 months'",
        ],
        [
            "after its end, where the schedule is not fixed",
            "interval '90 minutes', fixed_schedule => false",
            "abs(extract(epoch FROM next - now() - interval '90 minutes')) < 20",
        ],
    ])("are %s", async (_, schedule, expected) => {
        const name = `p${here.events.length}`;
        const id = await addJob(here.owner, name, "NULL", schedule);
        // Without its timezone, alter_job takes it away.
        await here.owner.query(
            `SELECT alter_job(id, next_start => now(), timezone => j.timezone) FROM _timescaledb_config.bgw_job j
             WHERE id = ${id}`,
        );
        await until(() => here.eventsOf(id).length > 0, "the job");

        const { rows } = await here.admin.query(
            `SELECT next > now() AS later, ${expected} AS as_expected, next
             FROM (SELECT next_start AS next FROM timescaledb_information.job_stats WHERE job_id = ${id}) s`,
        );
        expect(rows).toMatchObject([{ later: true, as_expected: true }]);
    });
});

describe("the end of the server", () => {
    it("waits for a job that is done within seconds", async () => {
        const directory = fresh("finishing");
        const first = await serve(directory);
        await first.owner.query("CREATE TABLE done (a int)");
        const id = await addJob(
            first.owner,
            "finishing",
            "PERFORM pg_sleep(1.5); INSERT INTO done VALUES (1)",
            "interval '1 hour'",
        );
        await sleep(1.2 * seconds);
        await first.server.close();
        expect(first.eventsOf(id)).toMatchObject([{ kind: "succeeded" }]);

        const second = await serve(directory);
        expect((await second.owner.query("SELECT a FROM done")).rows).toEqual([{ a: 1 }]);
        await leave(second);
    }, 60_000);

    it("cuts off one that is not, says so, and the next start runs it again", async () => {
        const directory = fresh("cut");
        const first = await serve(directory);
        await first.owner.query("CREATE TABLE done (a int)");
        const id = await addJob(
            first.owner,
            "endless",
            "INSERT INTO done VALUES (1); PERFORM pg_sleep(60)",
            "interval '1 hour'",
        );
        await sleep(2 * seconds);
        const asked = Date.now();
        await first.server.close();
        expect(Date.now() - asked).toBeLessThan(6 * seconds);
        expect(first.eventsOf(id)).toMatchObject([{ kind: "cutOff" }]);

        const second = await serve(directory);
        await until(() => second.eventsOf(id).length > 0, "the report");
        // As on a server, not within five minutes.
        expect(second.eventsOf(id)).toMatchObject([{ kind: "crashed" }]);
        const { rows } = await second.admin.query(
            `SELECT s.total_runs::int, s.total_crashes::int, s.next_start > now() + interval '4 minutes' AS later,
                e.err_message, (SELECT count(*)::int FROM done) AS done
             FROM _timescaledb_internal.bgw_job_stat s
             JOIN timescaledb_information.job_errors e USING (job_id) WHERE job_id = ${id}`,
        );
        expect(rows).toEqual([
            {
                total_runs: 1,
                total_crashes: 1,
                later: true,
                err_message: "the server ended while the job ran",
                done: 0,
            },
        ]);
        await second.owner.query(`SELECT alter_job(${id}, next_start => now())`);
        await second.owner.query(
            "CREATE OR REPLACE PROCEDURE endless(job_id int, config jsonb) LANGUAGE plpgsql AS $$BEGIN END$$",
        );
        await leave(second);
    }, 60_000);
});

describe("kill -9", () => {
    it("loses nothing that was committed, in the middle of inserts and of a refresh", async () => {
        const directory = fresh("killed");
        let committed = 0;
        for (let round = 0; round < 3; round++) {
            const { server, owner, admin, eventsOf } = await serve(directory);
            if (round === 0) {
                await owner.query(`
                    CREATE TABLE raw (ts timestamptz NOT NULL, n int NOT NULL);
                    SELECT create_hypertable('raw', 'ts', chunk_time_interval => interval '1 day')`);
                await owner.query(`
                    CREATE MATERIALIZED VIEW per_minute WITH (timescaledb.continuous) AS
                    SELECT time_bucket('1 minute', ts) AS bucket, count(*)::int AS n, sum(n)::bigint AS total
                    FROM raw GROUP BY 1 WITH NO DATA`);
                await owner.query(
                    "SELECT add_continuous_aggregate_policy('per_minute', interval '5 days', interval '1 minute', interval '1 second')",
                );
            }
            const aggregate = await value<number>(
                admin,
                "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate'",
            );
            const inserting = (async () => {
                for (;;) {
                    await owner.query(
                        "INSERT INTO raw SELECT now() - interval '1 second' * (g * 30), $1 FROM generate_series(1, 10000) g",
                        [committed],
                    );
                    committed += 1;
                }
            })();
            const interrupted = expect(inserting).rejects.toThrow();
            // The last run may have been cut off, and would wait for five minutes.
            await until(
                async () => {
                    await admin.query(`SELECT alter_job(${aggregate}, next_start => now())`);
                    return eventsOf(aggregate).some(({ kind }) => kind === "succeeded");
                },
                "a refresh",
                60_000,
            );
            await sleep(1.1 * seconds + round * 137);
            process.kill(server.pid, "SIGKILL");
            await Promise.all([server.ended, interrupted]);
        }

        const { server, owner, admin } = await serve(directory);
        // What was acknowledged is there, and each batch is whole; the last one of a round may have been
        // committed without an answer, and comes again under the same number.
        const { rows } = await owner.query<{ readonly batches: number; readonly whole: boolean }>(
            `SELECT count(*)::int AS batches, bool_and(c % 10000 = 0) AS whole
             FROM (SELECT n, count(*) AS c FROM raw GROUP BY n) b`,
        );
        expect(rows[0]?.whole).toBe(true);
        expect(rows[0]?.batches).toBeGreaterThanOrEqual(committed);
        // One moment for both: a minute may end between them.
        const present = `'${String(await value(owner, "SELECT now()::text"))}'::timestamptz`;
        const differing = `
            SELECT count(*)::int FROM per_minute a
            FULL JOIN (SELECT time_bucket('1 minute', ts) AS bucket, count(*)::int AS n, sum(n)::bigint AS total FROM raw GROUP BY 1) r
                USING (bucket)
            WHERE bucket < time_bucket('1 minute', ${present}) - interval '1 minute' AND (a.n, a.total) IS DISTINCT FROM (r.n, r.total)`;
        await owner.query(
            `CALL refresh_continuous_aggregate('per_minute', NULL, ${present} - interval '1 minute')`,
        );
        expect(await value(owner, differing)).toBe(0);
        expect(committed).toBeGreaterThan(3);
        await Promise.all([owner.end(), admin.end()]);
        await server.close();
    }, 180_000);
});

it("no job runs by itself where nobody asked for it", async () => {
    const server = await open(fresh("without"));
    const owner = await connect(server);
    const id = await addJob(owner, "idle", "NULL", "interval '1 second'");
    await sleep(3 * seconds);

    expect(
        await value(
            owner,
            `SELECT total_runs::int FROM timescaledb_information.job_stats WHERE job_id = ${id}`,
        ),
    ).toBe(0);
    await owner.end();
    await server.close();
}, 30_000);

it("every statement of the schedule gives the columns that are read", async () => {
    const { owner, admin, server } = await serve(fresh("columns"));
    const { fields } = await admin.query(readSql("jobs/scheduled.sql"));
    expect(fields.map(({ name }) => name)).toEqual([
        "id",
        "name",
        "owner",
        "procedure",
        "object",
        "maxRuntime",
        "due",
    ]);
    const crashed = await admin.query(readSql("jobs/crashed.sql"));
    expect(crashed.fields.map(({ name }) => name)).toEqual(["id", "name", "procedure", "object"]);
    await Promise.all([owner.end(), admin.end()]);
    await server.close();
}, 60_000);
