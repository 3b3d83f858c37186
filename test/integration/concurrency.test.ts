/** Several at work at once: writers, deployments, and the jobs of policies. Needs sessions of their own. */
import { setTimeout as sleep } from "node:timers/promises";

import { withSession } from "../../components/timescale/core/connection/session";
import { withClient } from "../helpers/clients";
import { recordEnvironment } from "../helpers/environment";
import { aggregate, type AggregateInputs, expectNoChange, hypertable } from "./declared";
import { onServersWithSessions, type Row, type Target } from "./onEveryServer";

const raw = {
    name: "requests",
    columns: [
        { name: "ts", type: "timestamptz", nullable: false },
        { name: "v", type: "int" },
    ],
    timeColumn: "ts",
    chunkTimeInterval: "1 day",
};

function hourly(name: string): AggregateInputs {
    return {
        name,
        query: "SELECT time_bucket('1 hour', ts) AS bucket, count(*) AS n FROM requests GROUP BY 1",
        refreshPolicy: { startOffset: "1 day", endOffset: "1 hour", scheduleInterval: "1 hour" },
        retentionPolicy: { dropAfter: "100 days" },
        compressionPolicy: { compressAfter: "30 days" },
    };
}

/** Longest wait for a lock, with what a busy machine adds. */
const lockTimeout = 2000;
const machine = 750;

async function until<T>(what: string, found: () => Promise<T | undefined>): Promise<T> {
    for (let attempt = 0; attempt < 400; attempt++) {
        const value = await found();
        if (value !== undefined) return value;
        await sleep(50);
    }
    throw new Error(`never came: ${what}`);
}

/** Inserts as the writer's service does until it is stopped; the longest time one insert took, in milliseconds. */
function insertAllTheTime(target: Target): { stop(): Promise<{ longest: number; rows: number }> } {
    let going = true;
    let longest = 0;
    let rows = 0;
    const work = withClient(target.database.owner, async (client) => {
        while (going) {
            const start = performance.now();
            await client.query("INSERT INTO requests VALUES (now(), 1)");
            longest = Math.max(longest, performance.now() - start);
            rows++;
            await sleep(20);
        }
    });
    return {
        stop: async () => {
            going = false;
            await work;
            return { longest, rows };
        },
    };
}

onServersWithSessions("locks, deployments at the same time and jobs", (target) => {
    beforeAll(async () => {
        await hypertable(target, raw).up();
        await target.byHand(
            "INSERT INTO requests SELECT t, 1 FROM generate_series(now() - interval '10 days', now(), '1 hour') t",
        );
    }, 60_000);

    const jobs = async (name: string): Promise<unknown[]> => {
        const rows = await target.asAdmin(
            `SELECT j.proc_name FROM _timescaledb_config.bgw_job j
             JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = j.hypertable_id
             WHERE a.user_view_name = '${name}' ORDER BY 1`,
        );
        return rows.map(({ proc_name }) => proc_name);
    };
    const everyJob = [
        "policy_compression",
        "policy_refresh_continuous_aggregate",
        "policy_retention",
    ];

    it("creates behind a long transaction by trying again, and writers wait two seconds at most", async () => {
        const declared = aggregate(target, hourly("behind"));
        await withClient(target.database.owner, async (holder) => {
            await holder.query("BEGIN");
            await holder.query("INSERT INTO requests VALUES (now(), 1)");
            const writer = insertAllTheTime(target);
            let released: Promise<unknown> | undefined;

            await declared.up(undefined, {
                onStatus: (text) => {
                    if (/waits its turn, attempt 2: .*lock timeout/.test(text)) {
                        released ??= holder.query("COMMIT");
                    }
                },
            });

            const { longest, rows } = await writer.stop();
            expect(released).toBeDefined();
            await released;
            expect(longest).toBeLessThan(lockTimeout + machine);
            expect(rows).toBeGreaterThan(1);
        });
        expect(await jobs("behind")).toEqual(everyJob);
        await expectNoChange(declared);
    });

    it("drops behind a reader by trying again, and writers wait two seconds at most", async () => {
        const declared = aggregate(target, hourly("read"));
        await declared.up();
        await withClient(target.database.owner, async (reader) => {
            await reader.query("BEGIN");
            await reader.query("SELECT count(*) FROM requests");
            const writer = insertAllTheTime(target);
            let released: Promise<unknown> | undefined;

            const removed = declared.remove((text) => {
                if (text.includes("waits its turn")) released ??= reader.query("COMMIT");
            });
            await removed;

            const { longest } = await writer.stop();
            expect(released).toBeDefined();
            await released;
            expect(longest).toBeLessThan(lockTimeout + machine);
        });
        expect(await jobs("read")).toEqual([]);
    });

    it("builds an index chunk by chunk behind a long transaction, and leaves no half of it behind", async () => {
        const table = hypertable(target, raw);
        await table.up();
        const indexed = { ...raw, indexes: [{ name: "by_value", columns: ["v DESC"] }] };
        const valid = (): Promise<Row[]> =>
            target.asAdmin(
                `SELECT i.indisvalid AS valid, count(*)::int AS n FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                 WHERE c.relname ~ 'by_value$' GROUP BY 1`,
            );
        await withClient(target.database.owner, async (holder) => {
            await holder.query("BEGIN");
            // The oldest chunk: the build reaches the one that writers use only when it is free.
            await holder.query("INSERT INTO requests VALUES (now() - interval '9 days', 1)");
            const writer = insertAllTheTime(target);
            let released: Promise<unknown> | undefined;

            await table.up(indexed, {
                onStatus: (text) => {
                    if (/create_index waits its turn, attempt 2: .*lock timeout/.test(text)) {
                        released ??= holder.query("COMMIT");
                    }
                },
            });

            const { longest, rows } = await writer.stop();
            expect(released).toBeDefined();
            await released;
            expect(longest).toBeLessThan(lockTimeout + machine);
            expect(rows).toBeGreaterThan(1);
        });
        const [chunks] = await target.asAdmin("SELECT count(*)::int AS n FROM show_chunks('requests')"); // prettier-ignore
        expect(await valid()).toEqual([{ valid: true, n: Number(chunks?.["n"]) + 1 }]);
        await expectNoChange(table, indexed);
        await table.up(raw);
        expect(await valid()).toEqual([]);
    });

    it("replaces the half of an index that a killed build left behind", async () => {
        const table = hypertable(target, raw);
        await table.up();
        const indexed = { ...raw, indexes: [{ name: "by_value", columns: ["v DESC"] }] };
        await withClient(target.database.owner, async (holder) => {
            await holder.query("BEGIN");
            // On one chunk alone: the build has begun when it gets there.
            const [chunk] = await target.asAdmin(
                "SELECT c::text AS name FROM show_chunks('requests') c ORDER BY 1 DESC LIMIT 1",
            );
            await holder.query(`LOCK TABLE ${String(chunk?.["name"])} IN ROW EXCLUSIVE MODE`);
            const broken = target.anotherSession(async (session) => {
                const other = hypertable(target, raw, session);
                other.outputs = table.outputs;
                return other.up(indexed);
            });
            const pid = await until("the build in progress", async () => {
                const [row] = await target.asAdmin(
                    "SELECT pid FROM pg_stat_activity WHERE query ~ '^CREATE INDEX' AND wait_event_type = 'Lock'",
                );
                return row?.["pid"] as number | undefined;
            });
            await target.asAdmin(`SELECT pg_terminate_backend(${pid})`);
            await expect(broken).rejects.toMatchObject({ statement: "create_index" });
            await holder.query("ROLLBACK");
        });

        expect(await table.preview(indexed)).toEqual([
            "indexes.by_value: left invalid by an interrupted build → btree (v DESC)",
        ]);
        await table.up(indexed);
        await expectNoChange(table, indexed);
        await table.up(raw);
    });

    it("makes one aggregate with one set of jobs when two deployments create it at once", async () => {
        const deploy = (): Promise<void> =>
            withSession(target.database.owner, (session) =>
                aggregate(target, hourly("twice"), session).up(),
            );

        await Promise.all([deploy(), deploy(), deploy()]);

        expect(await jobs("twice")).toEqual(everyJob);
        await expectNoChange(aggregate(target, hourly("twice")));
    });

    it("makes several aggregates of one hypertable at once", async () => {
        const names = ["one", "two", "three", "four"];

        await Promise.all(
            names.map((name) =>
                withSession(target.database.owner, (session) =>
                    aggregate(target, hourly(name), session).up(),
                ),
            ),
        );

        for (const name of names) {
            expect(await jobs(name)).toEqual(everyJob);
            await expectNoChange(aggregate(target, hourly(name)));
        }
    });

    it("waits for another deployment of the same object, and says so", async () => {
        const declared = aggregate(target, hourly("waiting"));
        await withClient(target.database.owner, async (other) => {
            await other.query(
                "SELECT pg_advisory_lock(hashtextextended('pulumi-timescale public.waiting', 0))",
            );
            let released: Promise<unknown> | undefined;

            await declared.up(undefined, {
                onStatus: (text) => {
                    if (text !== "waiting for another deployment of this object") return;
                    released ??= other.query("SELECT pg_advisory_unlock_all()");
                },
            });

            expect(released).toBeDefined();
            await released;
        });
        await expectNoChange(declared);
    });

    it("finishes a fill whose connection the server ended", async () => {
        const inputs = hourly("ended");
        const declared = aggregate(target, inputs);
        const stop = (text: string): void => {
            if (/^filling: .* [3-9] of \d+ days/.test(text)) throw new Error("stopped");
        };
        await expect(declared.up(undefined, { onStatus: stop })).rejects.toThrow("stopped");
        const [table] = await target.asAdmin(
            `SELECT format('%I.%I', h.schema_name, h.table_name) AS name FROM _timescaledb_catalog.hypertable h
             JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = h.id
             WHERE a.user_view_name = 'ended'`,
        );
        // A refresh that has begun stays in the middle of its window until it is ended.
        await withClient(target.database.admin, async (holder) => {
            await holder.query(`BEGIN; LOCK TABLE ${String(table?.["name"])} IN EXCLUSIVE MODE`);
            const failed = expect(
                withSession(target.database.owner, (session) =>
                    aggregate(target, inputs, session).up(),
                ),
            ).rejects.toMatchObject({
                code: expect.stringMatching(/57P01|connection_lost/) as string,
            });
            await until("a refresh that waits", async () => {
                const [ended] = await target.asAdmin(
                    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock'
                         AND query LIKE '%refresh_continuous_aggregate%'`,
                );
                return ended;
            });
            await failed;
            await holder.query("ROLLBACK");
        });

        expect(await declared.preview()).toEqual(["fill it, oldest buckets first"]);
        await declared.up();

        await expectNoChange(declared);
        expect(
            await target.byHand(
                `SELECT * FROM (${inputs.query}) q WHERE bucket < time_bucket('1 hour', now()) - interval '1 hour'
                 EXCEPT SELECT bucket, n FROM ended`,
            ),
        ).toEqual([]);
    });

    it("hands over to the jobs of its policies", async () => {
        if (!target.server.backgroundWorkers) {
            recordEnvironment(
                `not run on ${target.server.name}: jobs of policies: they fail there`,
            );
            return;
        }
        const declared = aggregate(target, {
            ...hourly("handed_over"),
            refreshPolicy: {
                startOffset: "5 days",
                endOffset: "1 hour",
                scheduleInterval: "1 second",
            },
        });
        await declared.up();
        await target.byHand("INSERT INTO requests VALUES (now() - interval '4 days', 1)");

        await target.asAdmin("SELECT _timescaledb_functions.start_background_workers()");

        await until("the late row, counted by the policy's job", async () => {
            const rows = await target.byHand(
                `SELECT * FROM (${declared.inputs.query}) q WHERE bucket < time_bucket('1 hour', now()) - interval '1 hour'
                 EXCEPT SELECT bucket, n FROM handed_over`,
            );
            return rows.length === 0 ? true : undefined;
        });
        await target.asAdmin("SELECT _timescaledb_functions.stop_background_workers()");
        await expectNoChange(declared);
    });
});
