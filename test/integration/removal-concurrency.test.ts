/** Removal while others work: jobs rest, nobody waits for long, and no row is missed. Needs sessions of their own. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { BackupManifest } from "../../components/timescale/core/backup/manifest";
import { withSession } from "../../components/timescale/core/connection/session";
import { withClient } from "../helpers/clients";
import { aggregate, type AggregateInputs, expectNoChange, hypertable } from "./declared";
import { onServersWithSessions } from "./onEveryServer";

const raw = {
    name: "requests",
    columns: [
        { name: "ts", type: "timestamptz", nullable: false },
        { name: "v", type: "int" },
    ],
    timeColumn: "ts",
    chunkTimeInterval: "1 day",
};

const hourly: AggregateInputs = {
    name: "hourly",
    query: "SELECT time_bucket('1 hour', ts) AS bucket, count(*) AS n FROM requests GROUP BY 1",
    refreshPolicy: {
        startOffset: "1 day",
        endOffset: "1 hour",
        scheduleInterval: "1 hour",
        timezone: "Europe/Vienna",
    },
    retentionPolicy: { dropAfter: "100 days" },
};

/** Longest wait for a lock, with what a busy machine adds. */
const longestWait = 2000 + 750;

async function until<T>(what: string, found: () => Promise<T | undefined>): Promise<T> {
    for (let attempt = 0; attempt < 400; attempt++) {
        const value = await found();
        if (value !== undefined) return value;
        await sleep(25);
    }
    throw new Error(`never came: ${what}`);
}

onServersWithSessions("removal beside readers, writers and jobs", (target) => {
    let folder: string;
    const backups = (): string[] => readdirSync(folder);
    const manifest = (name: string): BackupManifest => JSON.parse(readFileSync(join(folder, name, "backup.json"), "utf8")) as BackupManifest; // prettier-ignore
    const scheduled = (): Promise<readonly unknown[]> =>
        target
            .asAdmin(
                `SELECT j.scheduled FROM _timescaledb_config.bgw_job j
                 JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = j.hypertable_id ORDER BY j.id`,
            )
            .then((rows) => rows.map((row) => row["scheduled"]));

    beforeAll(async () => {
        folder = mkdtempSync(join(tmpdir(), "observatory-backups-"));
        await hypertable(target, raw).up();
        await target.byHand(
            "INSERT INTO requests SELECT t, 1 FROM generate_series(now() - interval '10 days', now(), '1 hour') t",
        );
    }, 60_000);

    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it("pauses the jobs, waits in short turns, and writes one backup", async () => {
        const declared = aggregate(target, { ...hourly, backup: folder });
        await declared.up();
        const [rows] = await target.byHand("SELECT count(*)::int AS n FROM hourly");
        const statuses: string[] = [];
        let [longest, going] = [0, true];
        const writing = withClient(target.database.owner, async (client) => {
            while (going) {
                const start = performance.now();
                await client.query("INSERT INTO requests VALUES (now(), 1)");
                longest = Math.max(longest, performance.now() - start);
                await sleep(20);
            }
        });

        const removed = await withClient(target.database.owner, async (reader) => {
            await reader.query("BEGIN; SELECT FROM requests LIMIT 1");
            const removal = declared.remove((status) => statuses.push(status));
            await until("a second attempt", () =>
                Promise.resolve(
                    statuses.filter((it) => it.startsWith("drop_continuous_aggregate waits"))
                        .length > 1 || undefined,
                ),
            );
            expect(await scheduled()).toEqual([false, false]);
            expect(backups()).toHaveLength(1);
            await reader.query("COMMIT");
            return removal;
        });
        going = false;
        await writing;

        expect(longest).toBeLessThan(longestWait);
        expect(longest).toBeGreaterThan(500);
        const [name = ""] = backups();
        expect(backups()).toEqual([name]);
        expect(manifest(name).rows).toBe(rows?.["n"]);
        expect(removed).toContain(`${rows?.["n"] as number} rows from`);
        expect(await scheduled()).toEqual([]);
        rmSync(join(folder, name), { recursive: true });
    });

    it("cancels a run of its own jobs, which the backup would wait for", async () => {
        const declared = aggregate(target, { ...hourly, backup: folder });
        await declared.up();
        const [job] = await target.asAdmin(
            `SELECT j.id, format('%I.%I', h.schema_name, h.table_name) AS buckets FROM _timescaledb_config.bgw_job j
             JOIN _timescaledb_catalog.hypertable h ON h.id = j.hypertable_id
             WHERE j.proc_name = 'policy_refresh_continuous_aggregate'`,
        );
        const running = withClient(target.database.owner, async (client) => {
            await client.query(
                `SET application_name TO 'Refresh Continuous Aggregate Policy [${String(job?.["id"])}]'; BEGIN; LOCK TABLE ${String(job?.["buckets"])} IN EXCLUSIVE MODE`,
            );
            await client.query("SELECT pg_sleep(120)");
        }).then(
            () => undefined,
            (error: unknown) => error,
        );
        await until("the run", async () =>
            (
                await target.asAdmin(
                    "SELECT FROM pg_stat_activity WHERE application_name LIKE 'Refresh%' AND query LIKE '%pg_sleep%'",
                )
            ).at(0),
        );
        const started = performance.now();

        await declared.remove();

        expect(performance.now() - started).toBeLessThan(10_000);
        expect(await running).toMatchObject({ code: "57014" });
    });

    it("shows jobs that a killed removal left paused, and up schedules them again", async () => {
        const declared = aggregate(target, hourly);
        await declared.up();

        await withClient(target.database.owner, async (reader) => {
            await reader.query("BEGIN; SELECT FROM requests LIMIT 1");
            await withSession(target.database.owner, async (session) => {
                const [pid] = await session.client
                    .query<{ pid: number }>("SELECT pg_backend_pid() AS pid")
                    .then(({ rows }) => rows);
                const killed = aggregate(target, hourly, session);
                killed.outputs = declared.outputs;
                const removal = killed.remove().then(
                    () => undefined,
                    (error: unknown) => error,
                );
                await until("paused jobs", async () =>
                    (await scheduled()).every((it) => it === false) ? true : undefined,
                );
                await target.asAdmin(`SELECT pg_terminate_backend(${pid?.pid})`);
                expect(await removal).toMatchObject({ code: expect.anything() as unknown });
            });
            await reader.query("COMMIT");
        });

        expect(await declared.preview()).toEqual([
            "refreshPolicy.paused: true → false",
            "retentionPolicy.paused: true → false",
        ]);
        await declared.up();
        await expectNoChange(declared);
        await declared.remove();
    });

    it("drops a hypertable with every row that a writer was told is written", async () => {
        const declared = hypertable(target, { ...raw, name: "written", backup: folder });
        await declared.up();
        let [written, longest] = [0, 0];
        const writing = withClient(target.database.owner, async (client) => {
            for (;;) {
                const start = performance.now();
                await client.query("INSERT INTO written VALUES (now(), 1)");
                longest = Math.max(longest, performance.now() - start);
                written += 1;
            }
        }).then(
            () => undefined,
            (error: unknown) => error,
        );
        await until("some rows", () => Promise.resolve(written > 50 || undefined));
        const known = new Set(backups());

        await declared.remove();

        expect(await writing).toMatchObject({ code: "42P01" });
        const name = backups().find((it) => !known.has(it)) ?? "";
        expect(manifest(name).rows).toBe(written);
        expect(longest).toBeLessThan(longestWait);
    });
});
