/** A fill that was stopped goes on with what is not finished, and takes nothing from what stands. */
import { setTimeout as sleep } from "node:timers/promises";

import { fill } from "../../components/timescale/core/aggregate/fill";
import { inspectAggregate } from "../../components/timescale/core/aggregate/inspect";
import {
    inTransaction,
    type Session,
    withSession,
} from "../../components/timescale/core/connection/session";
import { readServer } from "../../components/timescale/core/plan/converging";
import { withClient } from "../helpers/clients";
import { findServerBinaries, whyNoServer } from "../helpers/serverBinaries";
import { startCluster } from "../helpers/throwawayCluster";
import { aggregate, type AggregateInputs, expectNoChange, hypertable } from "./declared";
import { onEveryServer, onServersWithSessions, type Row, type Target } from "./onEveryServer";

const table = (name: string) => ({
    name,
    columns: [
        { name: "ts", type: "timestamptz", nullable: false },
        { name: "v", type: "int" },
    ],
    timeColumn: "ts",
    chunkTimeInterval: "1 day",
});

const over = (source: string, bucket = "1 hour"): AggregateInputs => ({
    name: `${source}_agg`,
    query: `SELECT time_bucket('${bucket}', ts) AS bucket, count(*) AS n FROM ${source} GROUP BY 1`,
    refreshPolicy: { startOffset: "40 days", endOffset: "1 hour", scheduleInterval: "1 hour" },
});

/** Midnight, so many days ago. */
const midnight = (days: number): string =>
    `date_trunc('day', now(), 'UTC') - interval '${days} days'`;

/** A row every 20 minutes from so many days ago to so many days ago. */
const rows = (source: string, from: number, to = 0): string =>
    `INSERT INTO ${source} SELECT t, 1 FROM generate_series(${midnight(from)}, ${midnight(to)} - interval '1 second', '20 minutes') t`;

interface Window {
    readonly start: number;
    readonly end: number;
}

/** The windows that are refreshed on this session, as they are sent. */
function recordWindows({ client }: Session): Window[] {
    const windows: Window[] = [];
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    client.query = ((...args: unknown[]) => {
        const [text] = args;
        if (typeof text === "string" && text.startsWith("CALL")) {
            const [start = "", end = ""] = text.match(/\d{4}-\d\d-\d\dT[\d:.]+Z/g) ?? [];
            windows.push({ start: Date.parse(start), end: Date.parse(end) });
        }
        return query(...args);
    }) as typeof client.query;
    return windows;
}

class Stopped extends Error {
    override readonly name = "Stopped";
}

/** Runs `up` on a session of its own; ends it before the next window when so many are done. */
async function up(target: Target, inputs: AggregateInputs, windows = Infinity): Promise<Window[]> {
    return target.anotherSession(async (session) => {
        const sent = recordWindows(session);
        const running = aggregate(target, inputs, session).up(undefined, {
            onStatus: (text) => {
                if (text.startsWith("filling") && sent.length >= windows) throw new Stopped(text);
            },
        });
        if (windows === Infinity) await running;
        else await expect(running).rejects.toThrow(Stopped);
        return sent;
    });
}

const one = async (target: Target, text: string): Promise<Row> => {
    const [row] = await target.byHand(text);
    return row ?? {};
};

/** Buckets that are over, and differ from what raw data gives. */
function wrong(target: Target, { name, query }: AggregateInputs): Promise<Row[]> {
    const over = "bucket < time_bucket('1 hour', now()) - interval '1 hour'";
    return target.byHand(
        `(SELECT * FROM (${query}) q WHERE ${over} EXCEPT TABLE ${name})
         UNION ALL (SELECT * FROM ${name} WHERE ${over} EXCEPT ${query})`,
    );
}

async function refreshJob(target: Target, name: string): Promise<number> {
    const { id } = await one(
        target,
        `SELECT j.id FROM _timescaledb_config.bgw_job j
         JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = j.hypertable_id
         WHERE a.user_view_name = '${name}' AND j.proc_name = 'policy_refresh_continuous_aggregate'`,
    );
    return Number(id);
}

onEveryServer((target) => {
    async function raw(name: string, from: number, to?: number): Promise<AggregateInputs> {
        await hypertable(target, table(name)).up();
        await target.byHand(rows(name, from, to));
        return over(name);
    }

    it("refreshes each window once, however often it is stopped", async () => {
        const inputs = await raw("often", 12);

        const runs = [
            await up(target, inputs, 2),
            await up(target, inputs, 1),
            await up(target, inputs, 1),
            await up(target, inputs),
        ];

        expect(runs.map(({ length }) => length).slice(0, 3)).toEqual([2, 1, 1]);
        const windows = runs.flat();
        const gaps = windows.slice(1).map(({ start }, at) => start - (windows[at]?.end ?? 0));
        expect(gaps).toEqual(gaps.map(() => 0));
        expect(await wrong(target, inputs)).toEqual([]);
        await expectNoChange(aggregate(target, inputs));
    });

    it("leaves late rows in what is finished to the refresh policy", async () => {
        const inputs = await raw("late", 10);
        const first = await up(target, inputs, 3);
        await target.byHand(`INSERT INTO late VALUES (${midnight(10)} + interval '90 minutes', 1)`);

        const second = await up(target, inputs);

        expect(second[0]?.start).toBe(first[2]?.end);
        expect(await wrong(target, inputs)).toHaveLength(2);
        await expectNoChange(aggregate(target, inputs));
        await target.byHand(`CALL run_job(${await refreshJob(target, "late_agg")})`);
        expect(await wrong(target, inputs)).toEqual([]);
    });

    it("fills a hole that a refresh by hand has left", async () => {
        const inputs = await raw("hole", 10);
        await up(target, inputs, 2);
        await target.byHand(
            `CALL refresh_continuous_aggregate('hole_agg', (${midnight(4)} + interval '90 minutes')::timestamptz, (${midnight(2)})::timestamptz)`,
        );

        await up(target, inputs);

        expect(await wrong(target, inputs)).toEqual([]);
    });

    it("fills raw data that has come below what is filled", async () => {
        const inputs = await raw("below", 6);
        await up(target, inputs, 2);
        await target.byHand(rows("below", 9, 8));

        await up(target, inputs);

        expect(await wrong(target, inputs)).toEqual([]);
    });

    it("keeps the buckets whose raw data retention took in between, late rows there or not", async () => {
        const inputs = await raw("taken", 12);
        await up(target, inputs, 4);
        const old = `SELECT count(*)::int AS buckets, sum(n)::int AS n FROM taken_agg WHERE bucket < ${midnight(10)}`;
        const before = await one(target, old);
        expect(before).toEqual({ buckets: 48, n: 144 });
        await target.byHand(`SELECT drop_chunks('taken', ${midnight(10)})`);
        await target.byHand(`INSERT INTO taken VALUES (${midnight(12)} + interval '5 hours', 1)`);

        await up(target, inputs);

        expect(await one(target, old)).toEqual(before);
        const rest = {
            ...inputs,
            query: inputs.query.replace("FROM taken", `FROM taken WHERE ts >= ${midnight(10)}`),
        };
        expect(
            await target.byHand(
                `SELECT * FROM (${rest.query}) q WHERE bucket < time_bucket('1 hour', now()) EXCEPT TABLE taken_agg`,
            ),
        ).toEqual([]);
    });

    it("fills no bucket of which retention has taken a part", async () => {
        const { name, ...inputs } = over("parts", "5 days");
        const declared = { name, ...inputs };
        await hypertable(target, table("parts")).up();
        await target.byHand(rows("parts", 31));
        // The first bucket that is whole; the chunk after its first day is not yet filled when it goes.
        const { bucket } = await one(
            target,
            `SELECT (time_bucket('5 days', ${midnight(31)}) + interval '15 days')::text AS bucket`,
        );
        await up(target, declared, 1);
        await target.byHand(
            `SELECT drop_chunks('parts', '${String(bucket)}'::timestamptz + interval '1 day')`,
        );

        await up(target, declared);

        expect(
            await target.byHand(`SELECT n FROM parts_agg WHERE bucket = '${String(bucket)}'`),
        ).toEqual([]);
        expect(
            await one(
                target,
                `SELECT min(n)::int AS least FROM parts_agg WHERE bucket > '${String(bucket)}' AND bucket < now() - interval '6 days'`,
            ),
        ).toEqual({ least: 360 });
    });

    it("fills from a time on and up to a time when it is asked to, in whole buckets", async () => {
        const inputs = await raw("asked", 8);
        const { refreshPolicy: _, ...bare } = inputs;
        await up(target, bare, 0);

        const session = target.session;
        const { server, searchPath } = await readServer(session, {
            schema: "public",
            name: "asked_agg",
        });
        const found = await inTransaction(session, { searchPath, readOnly: true }, (client) =>
            inspectAggregate(client, { schema: "public", name: "asked_agg" }),
        );
        if (found.kind !== "aggregate") throw new Error("it is not there");
        const [{ from, to }] = (await target.byHand(
            `SELECT to_char(${midnight(5)} + interval '10 minutes', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "from",
                 to_char(${midnight(3)} + interval '10 minutes', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "to"`,
        )) as unknown as [{ from: string; to: string }];
        await fill(session, {
            ...{ name: found.name, aggregate: found, retention: null, searchPath, from, to },
            extensionSchema: server.extensionSchema,
            onProgress: () => undefined,
        });

        expect(
            await one(
                target,
                `SELECT min(bucket) = ${midnight(5)} + interval '1 hour' AS "from",
                     max(bucket) = ${midnight(3)} - interval '1 hour' AS "to", count(*)::int AS buckets FROM asked_agg`,
            ),
        ).toEqual({ from: true, to: true, buckets: 47 });
    });
});

onServersWithSessions("fills beside others", (target) => {
    beforeAll(async () => {
        for (const name of ["killed", "orphaned", "polite"]) {
            await hypertable(target, table(name)).up();
            await target.byHand(rows(name, 12));
        }
    }, 60_000);

    const materialization = async (name: string): Promise<string> => {
        const row = await one(
            target,
            `SELECT format('%I.%I', h.schema_name, h.table_name) AS name FROM _timescaledb_catalog.hypertable h
             JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = h.id
             WHERE a.user_view_name = '${name}'`,
        );
        return String(row["name"]);
    };

    /** Of the client whose refresh waits for a lock. */
    const waiting = `FROM pg_stat_activity WHERE datname = current_database()
        AND wait_event_type = 'Lock' AND query LIKE 'CALL %refresh_continuous_aggregate%'`;

    async function until(text: string, wanted: unknown, patience = 10_000): Promise<number> {
        const started = Date.now();
        for (;;) {
            const [row] = await target.asAdmin(text);
            if (Object.values(row ?? {})[0] === wanted) return Date.now() - started;
            if (Date.now() - started > patience)
                throw new Error(`never ${String(wanted)}: ${text}`);
            await sleep(50);
        }
    }

    /** Runs `work` while a refresh of this aggregate, once begun, cannot end. */
    async function holding(name: string, work: () => Promise<void>): Promise<void> {
        const held = await materialization(name);
        await withClient(target.database.admin, async (holder) => {
            await holder.query(`BEGIN; LOCK TABLE ${held} IN EXCLUSIVE MODE`);
            await work();
            await holder.query("ROLLBACK");
        });
    }

    it("goes on with the very window in which the server ended its connection", async () => {
        const inputs = over("killed");
        const first = await up(target, inputs, 2);
        const cut: Window[] = [];
        await holding("killed_agg", async () => {
            const failed = target.anotherSession(async (session) => {
                const sent = recordWindows(session);
                await aggregate(target, inputs, session)
                    .up()
                    .finally(() => cut.push(...sent));
            });
            const told = expect(failed).rejects.toMatchObject({
                hint: expect.stringContaining("goes on where this one stopped") as string,
            });
            await until(`SELECT count(*)::int ${waiting}`, 1);
            await target.asAdmin(`SELECT pg_terminate_backend(pid) ${waiting}`);
            await told;
        });

        const last = await up(target, inputs);

        expect(cut).toHaveLength(1);
        expect(cut[0]?.start).toBe(first.at(-1)?.end);
        expect(last[0]).toEqual(cut[0]);
        expect(last.every(({ start }) => start >= (first.at(-1)?.end ?? Infinity))).toBe(true);
        expect(await wrong(target, inputs)).toEqual([]);
    });

    it("leaves no refresh behind on the server when its client is gone in the middle", async () => {
        const inputs = over("orphaned");
        await up(target, inputs, 1);
        await holding("orphaned_agg", async () => {
            const session = await new Promise<Session>((resolve, reject) => {
                withSession(target.database.owner, async (opened) => {
                    resolve(opened);
                    await aggregate(target, inputs, opened).up();
                }).then(undefined, reject);
            });
            await until(`SELECT count(*)::int ${waiting}`, 1);
            // As the system does for a process that was killed.
            (
                session.client as unknown as { connection: { stream: { destroy(): void } } }
            ).connection.stream.destroy();

            const took = await until(`SELECT count(*)::int ${waiting}`, 0);

            expect(took).toBeLessThan(2500);
        });
        await up(target, inputs);
        expect(await wrong(target, inputs)).toEqual([]);
    });

    it("waits while a policy's job is at work, says so, and goes on", async () => {
        const inputs = over("polite");
        await up(target, inputs, 1);
        const { job } = (await one(
            target,
            `SELECT j.application_name AS job FROM _timescaledb_config.bgw_job j
             JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = j.hypertable_id
             WHERE a.user_view_name = 'polite_agg'`,
        )) as { job: string };
        const statuses: string[] = [];
        await withClient(target.database.owner, async (worker) => {
            // What the server's workers call themselves.
            await worker.query(`SET application_name TO '${job}'`);
            await target.anotherSession(async (session) => {
                const windows = recordWindows(session);
                let freed: Promise<unknown> | undefined;
                await aggregate(target, inputs, session).up(undefined, {
                    onStatus: (text) => {
                        statuses.push(text);
                        if (!text.includes("waits for")) return;
                        if (freed === undefined) expect(windows).toEqual([]);
                        freed ??= worker.query("SET application_name TO 'done'");
                    },
                });
                await freed;
            });
        });

        expect(statuses).toContain(`the fill waits for ${job}, up to 60 s`);
        expect(await wrong(target, inputs)).toEqual([]);
    });
});

describe("a server that crashes and comes back in the middle", () => {
    const binaries = findServerBinaries().find(({ timescaledb }) => timescaledb !== undefined);
    const obstacle =
        whyNoServer() ?? (binaries === undefined ? "it has no TimescaleDB" : undefined);

    (obstacle === undefined ? it : it.skip)("loses no finished window", async () => {
        if (binaries === undefined) return;
        // What is finished must be on disk.
        const settings = () => ({ synchronous_commit: "on" });
        const cluster = await startCluster(binaries, { settings });
        try {
            const owner = cluster.admin;
            const target = {
                database: { owner },
                anotherSession: (work: (session: Session) => Promise<unknown>) =>
                    withSession(owner, work),
                byHand: (text: string) =>
                    withClient(owner, async (client) => (await client.query<Row>(text)).rows),
            } as unknown as Target;
            await target.byHand("CREATE EXTENSION timescaledb");
            await withSession(owner, (session) =>
                hypertable({ ...target, session }, table("crashed")).up(),
            );
            await target.byHand(rows("crashed", 12));
            const inputs = over("crashed");
            const first = await up(target, inputs, 2);

            await withSession(owner, async (session) => {
                const sent = recordWindows(session);
                const { rows: own } = await session.client.query<{ pid: number }>(
                    "SELECT pg_backend_pid() AS pid",
                );
                const running = aggregate(target, inputs, session).up(undefined, {
                    onStatus: () => {
                        if (sent.length === 1) process.kill(own[0]?.pid ?? 0, "SIGKILL");
                    },
                });
                await expect(running).rejects.toMatchObject({
                    hint: expect.stringContaining("goes on where this one stopped") as string,
                });
                first.push(...sent.slice(0, 1));
            });
            const last = await withSession(owner, () => up(target, inputs), { patience: 20_000 });

            expect(first).toHaveLength(3);
            expect(last[0]?.start).toBe(first.at(-1)?.end);
            expect(await wrong(target, inputs)).toEqual([]);
        } finally {
            await cluster.stop();
        }
    });
});
