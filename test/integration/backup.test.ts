/** Backups of what is about to be removed, and their way back: nothing is lost, doubled or overwritten. */
import fs, {
    existsSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { gunzipSync } from "node:zlib";

import type { BackupManifest } from "../../components/timescale/core/backup/manifest";
import {
    describeRestored,
    restore,
    type Restored,
} from "../../components/timescale/core/backup/restore";
import { displayName } from "../../components/timescale/core/identifier";
import { aggregate, type AggregateInputs, type Declared, hypertable } from "./declared";
import { everyNames, hourly, type Names, plainNames, quoted, rawTable } from "./names";
import { onEveryServer, type Target } from "./onEveryServer";

/** Takes some bytes, and then has no room. */
function fullDisk(): fs.WriteStream {
    let room = 8;
    return new Writable({
        write(chunk: Buffer, _encoding, done) {
            room -= chunk.length;
            const error = new Error("ENOSPC: no space left on device, write");
            done(room > 0 ? null : Object.assign(error, { errno: -28, syscall: "write" }));
        },
    }) as unknown as fs.WriteStream;
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

interface Shelf {
    /** The folder that backups go to. */
    readonly path: () => string;
    /** Names of the backups in it. */
    readonly names: () => string[];
    readonly manifest: (name: string) => BackupManifest;
    readonly lines: (name: string) => string[];
}

/** A folder for one describe block. */
function shelf(): Shelf {
    let folder: string;
    beforeAll(() => {
        folder = mkdtempSync(join(tmpdir(), "observatory-backups-"));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    const path = (): string => join(folder, "all");
    return {
        path,
        names: () => (existsSync(path()) ? readdirSync(path()).sort() : []),
        manifest: (name) =>
            JSON.parse(readFileSync(join(path(), name, "backup.json"), "utf8")) as BackupManifest,
        lines: (name) =>
            gunzipSync(readFileSync(join(path(), name, "rows.csv.gz")))
                .toString("utf8")
                .trimEnd()
                .split("\n"),
    };
}

/** Rows of 20 days, one an hour, with texts that CSV has to quote; the aggregate; then raw keeps 10 days. */
async function withHistory(
    target: Target,
    names: Names,
    inputs: AggregateInputs,
): Promise<Declared<AggregateInputs>> {
    const it_ = quoted(names);
    await target.byHand(`DELETE FROM ${it_.table}`);
    await target.byHand(`
        INSERT INTO ${it_.table} (${it_.time}, ${it_.id}, ${it_.model}, ${it_.value})
        SELECT t, 'x', (ARRAY[NULL, '', 'a "model", of' || chr(10) || 'two lines', '\\N'])[1 + (extract(hour FROM t)::int % 4)], 1
        FROM generate_series(now() - interval '20 days', now(), interval '1 hour') t`);
    const declared = aggregate(target, inputs);
    await declared.up();
    await target.byHand(
        `SELECT drop_chunks(${literal(it_.table)}, older_than => interval '10 days')`,
    );
    return declared;
}

const jobsOf = (target: Target): Promise<readonly unknown[]> =>
    target.asAdmin(
        "SELECT id, scheduled, timezone FROM _timescaledb_config.bgw_job WHERE id >= 1000 AND hypertable_id IS NOT NULL ORDER BY id",
    );

onEveryServer((target) => {
    const back = (folder: string, more: Partial<Parameters<typeof restore>[1]> = {}): Promise<Restored> => restore(target.session, { folder, dryRun: false, onStatus: () => undefined, ...more }); // prettier-ignore

    describe.each(everyNames)("%s", (_, names) => {
        const it_ = quoted(names);
        const object = displayName({ schema: names.schema, name: names.aggregate });
        const backups = shelf();
        const all = (where = "true"): Promise<readonly unknown[]> =>
            target.byHand(
                `SELECT * FROM ${it_.aggregate} WHERE ${where} ORDER BY bucket, ${it_.model}`,
            );

        beforeAll(async () => {
            if (names.schema !== "public") await target.byHand(`CREATE SCHEMA ${it_.schema}`);
            const { retentionPolicy: _, ...unlimited } = rawTable(names);
            await hypertable(target, unlimited).up();
        }, 60_000);

        it("writes every bucket before the drop, says what has gone, and restores what raw data lost", async () => {
            const inputs = { ...hourly(names), backup: backups.path(), acceptLoss: { upToRows: 1000 } }; // prettier-ignore
            const declared = await withHistory(target, names, inputs);
            const before = await all();

            const gone = await declared.remove();

            const [name = ""] = backups.names();
            expect(name).toMatch(/\.[^/]*-\d{8}T\d{6}Z$/);
            const manifest = backups.manifest(name);
            expect(gone).toBe(
                `dropped continuous aggregate ${object}: ${before.length} rows from ${manifest.oldest} to ${manifest.newest}; ${manifest.history?.rows} of them raw data no longer had; backup in ${join(backups.path(), name)}`,
            );
            expect(manifest).toMatchObject({
                complete: true,
                reason: "delete",
                kind: "continuous aggregate",
                object: { schema: names.schema, name: names.aggregate },
                rows: before.length,
            });
            expect(manifest.history?.rows).toBeGreaterThan(200);
            expect(JSON.stringify(manifest)).not.toContain(target.database.owner.password);
            expect(
                await all().then(
                    () => "stands",
                    () => "gone",
                ),
            ).toBe("gone");

            // Made again, it holds what raw data has.
            const again = aggregate(target, inputs);
            await again.up();
            const rebuilt = await all();
            expect(rebuilt.length).toBeLessThan(before.length - 200);

            const folder = join(backups.path(), name);
            expect(await back(folder, { dryRun: true })).toMatchObject({
                restored: manifest.history?.rows,
            });
            expect(await all()).toEqual(rebuilt);

            expect(await back(folder)).toMatchObject({
                kind: "aggregate",
                restored: manifest.history?.rows,
                endangered: 0,
            });
            expect(await all()).toEqual(before);

            // A refresh over everything keeps it, and so does a second restore.
            const call = `CALL refresh_continuous_aggregate(${literal(it_.aggregate)}, NULL, now() - interval '1 hour')`;
            await target.byHand(call);
            expect(await all()).toEqual(before);
            expect(await back(folder)).toMatchObject({ restored: 0, standing: before.length });
            await target.byHand(call);
            expect(await all()).toEqual(before);
            await target.byHand(`DROP MATERIALIZED VIEW ${it_.aggregate}`);
        });

        it("never overwrites a bucket that stands", async () => {
            const inputs = { ...hourly(names), backup: backups.path(), acceptLoss: { upToRows: 1000 } }; // prettier-ignore
            const declared = await withHistory(target, names, inputs);
            const before = await all();
            const known = new Set(backups.names());
            await declared.remove();
            const name = backups.names().find((it) => !known.has(it)) ?? "";
            const again = aggregate(target, inputs);
            await again.up();
            await target.byHand(
                `INSERT INTO ${it_.aggregate} (bucket, requests) SELECT min(bucket) - interval '3 days', 77 FROM ${it_.aggregate}`,
            );

            const result = await back(join(backups.path(), name));

            const { restored, standing, endangered } = result;
            expect(standing).toBeGreaterThan(0);
            // Three days of buckets, above one that somebody else put there.
            expect(endangered).toBeGreaterThanOrEqual(71);
            expect(endangered).toBeLessThanOrEqual(72);
            expect(describeRestored(result, false).at(-1)).toMatch(/^7[12] rows lie between/);
            expect(restored).toBe(Number(backups.manifest(name).history?.rows) - 1);
            const [own] = await target.byHand(
                `SELECT count(*)::int AS n FROM ${it_.aggregate} WHERE requests = 77`,
            );
            expect(own).toEqual({ n: 1 });
            expect((await all()).length).toBe(before.length);
            await target.byHand(`DROP MATERIALIZED VIEW ${it_.aggregate}`);
        });

        it("restores into a new plain table where the aggregate does not stand", async () => {
            const [name = ""] = backups.names();
            const folder = join(backups.path(), name);
            await expect(back(folder)).rejects.toMatchObject({
                code: "not_standing",
                message: `continuous aggregate ${object} does not stand`,
            });
            const into = { schema: names.schema, name: "put back" };

            expect(await back(folder, { into })).toMatchObject({
                kind: "table",
                restored: backups.manifest(name).rows,
            });
            expect(await back(folder, { into })).toMatchObject({ restored: 0 });

            const [differs] = await target.byHand(
                `SELECT count(*)::int AS n, count(${it_.model})::int AS models, count(*) FILTER (WHERE ${it_.model} = '')::int AS empty FROM ${it_.schema}."put back"`,
            );
            const rows = backups.manifest(name).rows;
            expect(differs?.["n"]).toBe(rows);
            expect(Number(differs?.["models"])).toBeLessThan(rows);
            expect(Number(differs?.["empty"])).toBeGreaterThan(0);
            await target.byHand(`DROP TABLE ${it_.schema}."put back"`);
        });

        it("is written before a rebuild, in the transaction that drops", async () => {
            const inputs = { ...hourly(names), backup: backups.path() };
            const declared = await withHistory(target, names, inputs);
            const before = await all();
            const known = new Set(backups.names());
            const other = {
                ...inputs,
                query: inputs.query.replace("count(*) AS requests", "count(*) + 0 AS requests"),
                onQueryChange: "rebuild",
            } as const;

            // Refused for the history: nothing is written either.
            await expect(declared.up(other)).rejects.toMatchObject({ code: "query_changed" });
            expect(backups.names()).toEqual([...known]);

            await declared.up({ ...other, acceptLoss: { upToRows: 1000 } });

            const name = backups.names().find((it) => !known.has(it)) ?? "";
            expect(backups.manifest(name)).toMatchObject({
                reason: "rebuild",
                rows: before.length,
            });
            expect(declared.reports).toEqual([
                expect.stringMatching(/^before the rebuild: \d+ rows from .* to .*; backup in /),
            ]);
            await back(join(backups.path(), name));
            expect(await all()).toEqual(before);
            await target.byHand(`DROP MATERIALIZED VIEW ${it_.aggregate}`);
        });

        it("drops nothing and leaves its jobs running when the backup cannot be written", async () => {
            const file = join(dirname(backups.path()), "a file");
            writeFileSync(file, "");
            const inputs = { ...hourly(names), backup: join(file, "below") };
            const declared = aggregate(target, inputs);
            await declared.up();
            const [rows, jobs] = [await all(), await jobsOf(target)];

            await expect(declared.remove()).rejects.toMatchObject({
                code: "backup_failed",
                message: `the backup of ${object} was not written`,
                hint: expect.stringContaining("nothing was removed") as string,
            });

            expect(await all()).toEqual(rows);
            expect(await jobsOf(target)).toEqual(jobs);
            await aggregate(target, hourly(names)).remove();
        });
    });

    describe("of a hypertable", () => {
        const backups = shelf();
        const it_ = quoted(plainNames);
        const schema = "tables";
        const table = { ...rawTable(plainNames), schema };
        const rows = (): Promise<readonly unknown[]> =>
            target.byHand(`SELECT * FROM ${schema}.${it_.table.split(".").at(-1)} ORDER BY 1, 2`);
        const insert = (): Promise<unknown> =>
            target.byHand(
                `INSERT INTO ${schema}.${it_.table.split(".").at(-1)} (${it_.time}, ${it_.id}, ${it_.value}, cost, tags)
                 SELECT t, 'x', 1, 0.12345678, ARRAY['a,b', NULL, 'c"d'] FROM generate_series(now() - interval '5 days', now(), interval '1 hour') t`,
            );

        beforeAll(async () => {
            await target.byHand(`CREATE SCHEMA ${schema}`);
        });

        it("holds every row, and puts back those that are missing", async () => {
            const declared = hypertable(target, { ...table, backup: backups.path() });
            await declared.up();
            await insert();
            const before = await rows();

            const gone = await declared.remove();

            const [name = ""] = backups.names();
            expect(gone).toMatch(
                new RegExp(`^dropped hypertable tables\\.\\S+: ${before.length} rows from .* to .*; backup in `), // prettier-ignore
            );
            expect(backups.lines(name)).toHaveLength(before.length + 1);
            const again = hypertable(target, table);
            await again.up();
            const folder = join(backups.path(), name);
            expect(await back(folder)).toMatchObject({
                kind: "hypertable",
                restored: before.length,
                standing: 0,
            });
            expect(await rows()).toEqual(before);
            expect(await back(folder)).toMatchObject({ restored: 0, standing: before.length });

            expect(await again.remove()).toMatch(
                new RegExp(`^dropped hypertable tables\\.\\S+: ${before.length} rows from .* to .*, in \\d+ chunks, [\\d.]+ [kM]B$`), // prettier-ignore
            );
        });

        it("leaves the table under its name, with its jobs, when it cannot be written", async () => {
            const folder = join(dirname(backups.path()), "another file");
            writeFileSync(folder, "");
            const declared = hypertable(target, { ...table, backup: folder });
            await declared.up();
            await insert();
            const [before, jobs] = [await rows(), await jobsOf(target)];

            await expect(declared.remove()).rejects.toMatchObject({ code: "backup_failed" });

            expect(await rows()).toEqual(before);
            expect(await jobsOf(target)).toEqual(jobs);
            declared.outputs = { ...declared.outputs, backup: undefined };
            await declared.remove();
        });

        it("goes on where it was killed, with the table under another name", async () => {
            const declared = hypertable(target, { ...table, backup: backups.path() });
            await declared.up();
            await insert();
            const before = await rows();
            const id = Number(declared.outputs?.["objectId"]);
            const name = it_.table.split(".").at(-1) ?? "";
            const bare = name.replaceAll('"', "");
            await target.byHand(`ALTER TABLE ${schema}.${name} RENAME TO "${bare}_leaving_${id}"`);
            expect(await declared.preview()).toEqual([
                `name: ${displayName({ schema, name: `${bare}_leaving_${id}` })} → ${displayName({ schema, name: bare })}`,
            ]);
            const known = new Set(backups.names());

            await declared.remove();

            const written = backups.names().find((it) => !known.has(it)) ?? "";
            expect(backups.manifest(written).rows).toBe(before.length);
        });
    });

    describe("of columns that are dropped", () => {
        const backups = shelf();
        const schema = "columns";
        const table = { ...rawTable(plainNames), schema };
        const extra = [
            { name: "Old, one", type: "text" },
            { name: "older", type: "integer" },
        ];
        const all = { ...table, columns: [...table.columns, ...extra], adopt: true };
        const rest = { ...table, dropColumns: ["Old, one", "older"] };
        const it_ = quoted({ ...plainNames, schema });
        const rows = (columns = "*"): Promise<readonly unknown[]> =>
            target.byHand(`SELECT ${columns} FROM ${it_.table} ORDER BY ts, id`);
        const standing = async (): Promise<Declared<Parameters<typeof hypertable>[1]>> => {
            const declared = hypertable(target, all);
            await declared.up();
            await target.byHand(`DELETE FROM ${it_.table}`);
            await target.byHand(
                `INSERT INTO ${it_.table} (ts, id, model, ms, "Old, one", older) SELECT t, 'x', 'm', 1, nullif('o' || extract(hour FROM t), 'o3'), 7
                 FROM generate_series(now() - interval '2 days', now(), interval '1 hour') t`,
            );
            return declared;
        };

        beforeAll(async () => {
            await target.byHand(`CREATE SCHEMA ${schema}`);
        });

        it("holds their values with the rows' key, and gives them back into a plain table", async () => {
            const declared = await standing();
            const key = table.primaryKey?.join(", ") ?? "";
            const before = await rows(`ts, ${key}, "Old, one", older`);
            const desired = { ...rest, backup: backups.path() };
            expect(await declared.preview(desired)).toEqual([
                `columns.Old, one: kept → dropped with its data, after a backup in ${backups.path()}`,
                `columns.older: kept → dropped with its data, after a backup in ${backups.path()}`,
            ]);

            await declared.up(desired);

            expect(await declared.preview(desired)).toEqual([]);
            const [name = ""] = backups.names();
            expect(backups.manifest(name)).toMatchObject({
                ...{ reason: "drop_columns", kind: "hypertable", rows: before.length },
            });
            expect(backups.manifest(name).columns.map((column) => column.name)).toEqual(
                expect.arrayContaining(["ts", "Old, one", "older"]),
            );
            const folder = join(backups.path(), name);
            // Into the table itself they do not go: its rows stand.
            await expect(back(folder)).rejects.toMatchObject({ code: "structure_differs" });
            const into = { schema, name: "old_values" };
            expect(await back(folder, { into })).toMatchObject({ restored: before.length });
            expect(
                await target.byHand(
                    `SELECT ts, ${key}, "Old, one", older FROM ${schema}.old_values ORDER BY ts`,
                ),
            ).toEqual(before);
        });

        it("is not begun where a view reads one of them, which keep their names", async () => {
            const declared = await standing();
            const before = await rows();
            const known = backups.names();
            await target.byHand(`CREATE VIEW ${schema}.reads AS SELECT older FROM ${it_.table}`);

            await expect(declared.up({ ...rest, backup: backups.path() })).rejects.toMatchObject({
                code: "2BP01",
            });

            expect(await rows()).toEqual(before);
            expect(backups.names()).toEqual(known);
            await target.byHand(`DROP VIEW ${schema}.reads`);
        });

        it("goes on where it was killed, with a column under another name", async () => {
            const declared = await standing();
            const number = (declared.outputs?.["columnNumbers"] as Record<string, number>)["older"];
            await target.byHand(
                `ALTER TABLE ${it_.table} RENAME COLUMN older TO older_leaving_${number}`,
            );
            const known = new Set(backups.names());
            expect(await declared.preview(all)).toEqual([
                `columns.older_leaving_${number}: older_leaving_${number} → older`,
            ]);

            await declared.up({ ...rest, backup: backups.path() });

            const written = backups.names().find((it) => !known.has(it)) ?? "";
            expect(backups.manifest(written).columns.map((column) => column.name)).toEqual(
                expect.arrayContaining(["Old, one", "older"]),
            );
            expect(backups.lines(written)[1]).toContain(",7");
        });
    });

    describe("when the disk is full in the middle of it", () => {
        const backups = shelf();
        const schema = "fulldisk";
        const names = { ...plainNames, schema };
        const it_ = quoted(names);
        let full: jest.SpyInstance;

        beforeAll(async () => {
            await target.byHand(`CREATE SCHEMA ${schema}`);
        });
        beforeEach(() => {
            full = jest.spyOn(fs, "createWriteStream").mockImplementation(fullDisk);
        });
        afterEach(() => full.mockRestore());

        it("removes nothing", async () => {
            const old = { name: "old", type: "text" };
            const { retentionPolicy: _, ...unlimited } = rawTable(names);
            const inputs = { ...unlimited, backup: backups.path() };
            const table = hypertable(target, { ...inputs, columns: [...inputs.columns, old] });
            await table.up();
            const top = await withHistory(target, names, {
                ...hourly(names),
                backup: backups.path(),
                acceptLoss: { upToRows: 1000 },
            });
            const state = async (): Promise<unknown> => [
                await target.byHand(`SELECT * FROM ${it_.table} ORDER BY ts`),
                await target.byHand(`SELECT * FROM ${it_.aggregate} ORDER BY bucket, model`),
                await jobsOf(target),
            ];
            const before = await state();
            const failure = {
                code: "backup_failed",
                detail: expect.stringContaining("ENOSPC") as string,
            };

            await expect(top.remove()).rejects.toMatchObject(failure);
            await expect(table.up({ ...inputs, dropColumns: ["old"] })).rejects.toMatchObject(failure); // prettier-ignore

            expect(full).toHaveBeenCalledTimes(2);
            expect(await state()).toEqual(before);
            expect(backups.names()).toEqual([]);

            full.mockRestore();
            await top.remove();
            full = jest.spyOn(fs, "createWriteStream").mockImplementation(fullDisk);
            await expect(table.remove()).rejects.toMatchObject(failure);
            expect(await target.byHand(`SELECT * FROM ${it_.table} ORDER BY ts`)).toEqual(
                (before as unknown[])[0],
            );
        });
    });

    describe("that is not whole", () => {
        const backups = shelf();

        it("is refused", async () => {
            const table = { ...rawTable(plainNames), schema: "damaged" };
            await target.byHand("CREATE SCHEMA damaged");
            const declared = hypertable(target, { ...table, backup: backups.path() });
            await declared.up();
            await declared.remove();
            const [name = ""] = backups.names();
            const folder = join(backups.path(), name);
            expect(backups.manifest(name).rows).toBe(0);

            const manifest = readFileSync(join(folder, "backup.json"), "utf8");
            writeFileSync(join(folder, "backup.json"), manifest.replace(/"rows": 0/, '"rows": 3'));
            const into = { schema: "damaged", name: "x" };
            await expect(back(folder, { into })).rejects.toMatchObject({
                code: "backup_damaged",
                message: expect.stringContaining("not as many") as string,
            });
            writeFileSync(join(folder, "backup.json"), manifest);
            writeFileSync(join(folder, "rows.csv.gz"), "x");
            await expect(back(folder, { into })).rejects.toMatchObject({ code: "backup_damaged" });
            rmSync(join(folder, "backup.json"));
            await expect(back(folder, { into })).rejects.toMatchObject({
                code: "backup_incomplete",
            });
        });
    });
});
