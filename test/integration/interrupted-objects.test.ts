/**
 * The making, taking back and removing of aggregates, a change that takes others with it, and changes of hypertables, views
 * and functions, cut off after each of their statements that
 * changes something: doing the same again finishes it, and readers find what they read.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { BackupManifest } from "../../components/timescale/core/backup/manifest";
import { type Session, withSession } from "../../components/timescale/core/connection/session";
import { breakingAfter, changes } from "./breaking";
import { aggregate, type AggregateInputs, type Declared, expectNoChange, hypertable, type HypertableInputs, sqlFunction, type SqlFunctionInputs, view, type ViewInputs } from "./declared"; // prettier-ignore
import { onServersWithSessions, type Row } from "./onEveryServer";

const raw: HypertableInputs = {
    name: "requests",
    columns: [
        { name: "ts", type: "timestamptz" },
        { name: "model", type: "text" },
        { name: "ms", type: "int" },
    ],
    timeColumn: "ts",
    chunkTimeInterval: "1 day",
};
const hourly: AggregateInputs = {
    name: "hourly",
    query: "SELECT time_bucket('1 hour', ts) AS bucket, model, count(*) AS n FROM requests GROUP BY 1, 2",
    refreshPolicy: { startOffset: "1 day", endOffset: "1 hour", scheduleInterval: "5 minutes" },
    grants: [{ role: "observatory_reader", privileges: ["SELECT"] }],
};
const daily: AggregateInputs = {
    name: "daily",
    query: "SELECT time_bucket('1 day', bucket) AS day, model, sum(n)::bigint AS n FROM hourly GROUP BY 1, 2",
    refreshPolicy: { startOffset: "3 days", endOffset: "1 day", scheduleInterval: "1 hour" },
};
const changed: AggregateInputs = {
    ...hourly,
    query: hourly.query.replace("count(*) AS n", "count(*) AS n, max(ms) AS slowest"),
    onQueryChange: "keepHistory",
};
const shares = {
    name: "shares",
    query: "SELECT h.model, d.day, sum(h.n) AS of_hours, max(d.n) AS of_day FROM hourly h JOIN daily d ON d.day = time_bucket('1 day', h.bucket) AND d.model = h.model GROUP BY 1, 2",
};

onServersWithSessions("objects whose changes are cut off", (target) => {
    const byBucket = (): Promise<Row[]> => target.byHand("SELECT bucket, model, n FROM hourly ORDER BY 1, 2"); // prettier-ignore

    /** Three days of an hourly row, of which raw data keeps one once `standing` has been made. */
    const begin = async (standing: readonly Declared<never>[], since = "3 days"): Promise<void> => {
        await target.byHand("DROP VIEW IF EXISTS shares");
        await target.byHand("DROP FUNCTION IF EXISTS counted");
        const views = await target.byHand(
            "SELECT user_view_name AS view FROM _timescaledb_catalog.continuous_agg ORDER BY parent_mat_hypertable_id IS NULL, mat_hypertable_id DESC",
        );
        for (const { view } of views) await target.byHand(`DROP MATERIALIZED VIEW ${String(view)}`);
        await target.byHand("DROP TABLE IF EXISTS requests");
        await hypertable(target, raw).up();
        await target.byHand(
            `INSERT INTO requests SELECT t, model, 7
             FROM generate_series(date_bin('1 hour', now(), '2000-01-01') - interval '${since}', now(), interval '1 hour') t, (VALUES ('x'), ('y')) models (model)`,
        );
        for (const one of standing) await one.up();
        if (standing.length > 0) await target.byHand("SELECT drop_chunks('requests', older_than => interval '1 day')"); // prettier-ignore
    };

    interface Cut {
        /** Does it on this session, from the beginning. */
        readonly change: (session: Session) => Promise<unknown>;
        /** What holds when it was cut off. */
        readonly meanwhile: (count: number) => Promise<void>;
        /** Does it again and looks at what there is. */
        readonly finish: (count: number) => Promise<void>;
    }

    /** Cuts it off after its first statement, its second, and so on until it comes through. */
    const cutEverywhere = async (prepare: () => Promise<Cut>, step = 1): Promise<void> => {
        for (let count = 1; ; count += step) {
            const { change, meanwhile, finish } = await prepare();
            const through = await withSession(target.database.owner, async (session) => {
                const breaking = breakingAfter(session, count, changes);
                const thrown = await change(breaking.session).then(
                    () => undefined,
                    (reason: unknown) => reason,
                );
                return thrown === undefined && breaking.ran() < count;
            });
            if (!through) await meanwhile(count);
            await finish(count);
            if (through) {
                expect(count).toBeGreaterThan(2);
                return;
            }
            expect(count).toBeLessThan(400);
        }
    };

    /** Brings declarations of a kind to the database, cut off and then whole. */
    const up = <Inputs extends object>(
        make: (session?: Session) => Declared<Inputs>,
        desired: Inputs,
        before: Declared<Inputs> | undefined,
    ): Pick<Cut, "change" | "finish"> => ({
        change: (session) => {
            const broken = make(session);
            broken.outputs = before?.outputs;
            return broken.up(desired);
        },
        finish: async () => {
            const again = make();
            again.outputs = before?.outputs;
            await again.up(desired);
            await expectNoChange(again, desired);
        },
    });
    const never = (declared: unknown): Declared<never> => declared as Declared<never>;

    it("an aggregate that is made is there as a whole in the end, filled and with its job", async () => {
        await cutEverywhere(async () => {
            await begin([], "8 hours");
            const { change, finish } = up((session) => aggregate(target, hourly, session), hourly, undefined); // prettier-ignore
            return {
                change,
                meanwhile: () => Promise.resolve(),
                finish: async (count) => {
                    await finish(count);
                    const wrong = await target.byHand(
                        `(${hourly.query} HAVING time_bucket('1 hour', ts) < time_bucket('1 hour', now())) EXCEPT SELECT * FROM hourly`,
                    );
                    const [job] = await target.byHand("SELECT bool_and(scheduled) AS scheduled FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate'"); // prettier-ignore
                    expect({ count, wrong, job }).toEqual({ count, wrong: [], job: { scheduled: true } }); // prettier-ignore
                },
            };
        });
    }, 300_000);

    it("an aggregate that is kept, and taken back, has its rows at any moment", async () => {
        for (const half of ["kept", "taken back"]) {
            await cutEverywhere(async () => {
                const standing = aggregate(target, { ...hourly, onDelete: "keep" });
                await begin([never(standing)]);
                const before = await byBucket();
                if (half === "taken back") await standing.remove();
                const stands = async (count: number): Promise<void> => {
                    const [name] = await target.byHand("SELECT user_view_name AS name FROM _timescaledb_catalog.continuous_agg"); // prettier-ignore
                    const rows = await target.byHand(`SELECT bucket, model, n FROM ${String(name?.["name"])} ORDER BY 1, 2`); // prettier-ignore
                    expect({ half, count, rows }).toEqual({ half, count, rows: before });
                };
                const back = up((session) => aggregate(target, hourly, session), hourly, undefined);
                return {
                    change: (session) => {
                        if (half === "taken back") return back.change(session);
                        const broken = aggregate(target, standing.inputs, session);
                        broken.outputs = standing.outputs;
                        return broken.remove();
                    },
                    meanwhile: stands,
                    finish: async (count) => {
                        if (half === "kept") await standing.remove();
                        await back.finish(count);
                        expect(await byBucket()).toEqual(before);
                    },
                };
            });
        }
    }, 300_000);

    it("an aggregate that is removed is in a backup before it is gone", async () => {
        const folder = mkdtempSync(join(tmpdir(), "observatory-cut-backups-"));
        const backups = (): BackupManifest[] =>
            readdirSync(folder).flatMap((name) => {
                try {
                    return [JSON.parse(readFileSync(join(folder, name, "backup.json"), "utf8")) as BackupManifest]; // prettier-ignore
                } catch {
                    return [];
                }
            });
        await cutEverywhere(async () => {
            for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
            const standing = aggregate(target, { ...hourly, backup: folder, acceptLoss: { upToRows: 1000 } }); // prettier-ignore
            await begin([never(standing)]);
            const before = await byBucket();
            const gone = async (): Promise<boolean> => {
                const [row] = await target.byHand("SELECT to_regclass('hourly') IS NULL AS gone");
                return row?.["gone"] === true;
            };
            const complete = (): number[] => backups().flatMap((it) => (it.complete ? [it.rows] : [])); // prettier-ignore
            return {
                change: (session) => {
                    const broken = aggregate(target, standing.inputs, session);
                    broken.outputs = standing.outputs;
                    return broken.remove();
                },
                meanwhile: async (count) => {
                    if (await gone())
                        expect({ count, rows: complete() }).toEqual({ count, rows: [before.length] }); // prettier-ignore
                    else expect({ count, rows: await byBucket() }).toEqual({ count, rows: before });
                },
                finish: async (count) => {
                    await standing.remove();
                    expect({ count, gone: await gone() }).toEqual({ count, gone: true });
                    expect(complete().at(-1)).toBe(before.length);
                    const jobs = await target.byHand("SELECT job_id FROM timescaledb_information.jobs WHERE job_id >= 1000"); // prettier-ignore
                    expect({ count, jobs }).toEqual({ count, jobs: [] });
                },
            };
        });
        rmSync(folder, { recursive: true });
    }, 300_000);

    it("an aggregate that changes with one over it and a view over both: all three are there at any moment", async () => {
        await cutEverywhere(async () => {
            const [top, over] = [aggregate(target, hourly), aggregate(target, daily)];
            const both = view(target, shares);
            await begin([never(top), never(over), never(both)]);
            const contents = async (): Promise<Row[][]> => [
                await byBucket(),
                await target.byHand("SELECT day, model, n FROM daily ORDER BY 1, 2"),
                await target.byHand("SELECT * FROM shares ORDER BY 1, 2"),
            ];
            const before = await contents();
            const { change, finish } = up((session) => aggregate(target, hourly, session), changed, top); // prettier-ignore
            return {
                change,
                meanwhile: async (count) => expect({ count, rows: await contents() }).toEqual({ count, rows: before }), // prettier-ignore
                finish: async (count) => {
                    await finish(count);
                    await expectNoChange(over);
                    await expectNoChange(both);
                    expect({ count, rows: await contents() }).toEqual({ count, rows: before });
                },
            };
            // Every statement takes minutes; interrupted-changes.test.ts cuts off the same steps one by one.
        }, 5);
    }, 600_000);

    it("a hypertable that changes keeps its rows", async () => {
        const desired: HypertableInputs = {
            ...raw,
            columns: [...raw.columns, { name: "cost", type: "numeric", default: "0" }],
            indexes: [{ name: "by_model", columns: ["model", "ts DESC"] }],
            compressionPolicy: { compressAfter: "3 days", segmentBy: ["model"] },
            retentionPolicy: { dropAfter: "30 days" },
            comment: "raw",
            grants: [{ role: "observatory_writer", privileges: ["INSERT"] }],
        };
        await cutEverywhere(async () => {
            await begin([]);
            const before = hypertable(target, raw);
            await before.up();
            const rows = (): Promise<Row[]> => target.byHand("SELECT count(*) AS n, sum(ms) AS ms FROM requests"); // prettier-ignore
            const stood = await rows();
            const { change, finish } = up((session) => hypertable(target, raw, session), desired, before); // prettier-ignore
            return {
                change,
                meanwhile: async (count) => expect({ count, rows: await rows() }).toEqual({ count, rows: stood }), // prettier-ignore
                finish: async (count) => {
                    await finish(count);
                    expect({ count, rows: await rows() }).toEqual({ count, rows: stood });
                },
            };
        });
    }, 300_000);

    it("a view that changes its columns is there at any moment", async () => {
        const was = {
            name: "shares",
            query: "SELECT model, count(*) AS n FROM requests GROUP BY 1",
        };
        const desired: ViewInputs = {
            ...was,
            query: "SELECT model, count(*)::int AS n, max(ms) AS slowest FROM requests GROUP BY 1",
            comment: "changed",
            grants: [{ role: "observatory_reader", privileges: ["SELECT"] }],
        };
        await cutEverywhere(async () => {
            await begin([]);
            const before = view(target, was);
            await before.up();
            const { change, finish } = up((session) => view(target, was, session), desired, before);
            return {
                change,
                meanwhile: async (count) => {
                    const rows = await target.byHand("SELECT model FROM shares ORDER BY 1");
                    expect({ count, rows }).toEqual({ count, rows: [{ model: "x" }, { model: "y" }] }); // prettier-ignore
                },
                finish,
            };
        });
    }, 300_000);

    it("a function that changes what it returns is there at any moment", async () => {
        const text = (returns: string, what: string): string =>
            `CREATE FUNCTION counted(since timestamptz) RETURNS ${returns} LANGUAGE sql STABLE AS $$ SELECT ${what} FROM requests WHERE ts > since $$`;
        const was = { definition: text("bigint", "count(*)") };
        const desired: SqlFunctionInputs = {
            definition: text("int", "count(*)::int"),
            comment: "changed",
            grants: [{ role: "observatory_reader", privileges: ["EXECUTE"] }],
        };
        await cutEverywhere(async () => {
            await begin([]);
            const before = sqlFunction(target, was);
            await before.up();
            const { change, finish } = up((session) => sqlFunction(target, was, session), desired, before); // prettier-ignore
            return {
                change,
                meanwhile: async (count) => {
                    const [row] = await target.byHand("SELECT counted('-infinity') > 0 AS counts");
                    expect({ count, row }).toEqual({ count, row: { counts: true } });
                },
                finish,
            };
        });
    }, 300_000);
});
