/** A backup's folder: complete or not there, as it was written or refused. */
import {
    appendFileSync,
    existsSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";

import { createBackupFolder, openBackup } from "../../components/timescale/core/backup/folder";
import {
    type BackupManifest,
    countOf,
    describeRows,
    parseManifest,
    sizeOf,
} from "../../components/timescale/core/backup/manifest";

const taken = new Date("2026-11-25T16:10:31.123Z");
const object = { schema: "public", name: "m" };
const rows = "bucket,n\n2026-01-01 00:00:00+00,1\n";

let folder: string;
beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "observatory-backup-unit-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const manifest = (more: Partial<BackupManifest> = {}): BackupManifest => ({
    ...{ format: 1, complete: true, reason: "delete", taken: taken.toISOString() },
    ...{ kind: "hypertable", object, definition: null, timeColumn: "bucket", bucketWidth: null },
    columns: [
        { name: "bucket", type: "timestamp with time zone" },
        { name: "n", type: "integer" },
    ],
    ...{ rows: 1, oldest: "2026-01-01 00:00:00+00", newest: "2026-01-01 00:00:00+00" },
    ...{ history: null, file: "rows.csv.gz", size: 0, sha256: "", databaseUuid: "u" },
    ...{ postgresVersion: "15.18", timescaleVersion: "2.14.2" },
    ...more,
});

async function written(name = object): Promise<string> {
    const backup = createBackupFolder(folder, name, taken);
    backup.complete(manifest(await backup.write(Readable.from([rows]), () => undefined)));
    return backup.title;
}

describe("a backup's folder", () => {
    it("is called after its object and the time, without what a file system refuses", async () => {
        expect(await written()).toBe(join(folder, "public.m-20261125T161031Z"));
        expect(await written({ schema: "a/b", name: 'ü "x"' })).toBe(
            join(folder, "a_b.___x_-20261125T161031Z"),
        );
    });

    it("never takes the place of another one", async () => {
        await written();

        expect(await written()).toBe(join(folder, "public.m-20261125T161031Z-2"));
    });

    it("is incomplete by its name until everything is in it, and gone when it is discarded", async () => {
        const backup = createBackupFolder(folder, object, taken);
        await backup.write(Readable.from([rows]), () => undefined);
        expect(readdirSync(folder)).toEqual(["public.m-20261125T161031Z.incomplete"]);

        backup.discard();

        expect(readdirSync(folder)).toEqual([]);
    });

    it("gives back the rows that were written", async () => {
        const { manifest: read, rows: stored } = await openBackup(await written());

        expect(read).toMatchObject({ object, rows: 1, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string }); // prettier-ignore
        expect(await text(stored())).toBe(rows);
    });

    it("tells how many bytes it has read", async () => {
        const backup = createBackupFolder(folder, object, taken);
        const told: number[] = [];

        await backup.write(Readable.from([rows, rows]), (bytes) => told.push(bytes));

        expect(told).toEqual([rows.length, 2 * rows.length]);
    });

    it("of which a file was changed is refused", async () => {
        const path = await written();
        appendFileSync(join(path, "rows.csv.gz"), "x");

        await expect(openBackup(path)).rejects.toMatchObject({ code: "backup_damaged" });
    });

    it("without its rows, or without its manifest, is refused", async () => {
        const path = await written();
        rmSync(join(path, "rows.csv.gz"));
        await expect(openBackup(path)).rejects.toMatchObject({ code: "backup_unreadable" });
        rmSync(join(path, "backup.json"));
        await expect(openBackup(path)).rejects.toMatchObject({ code: "backup_incomplete" });
    });

    it("cannot be made where a file is, and says that nothing was removed", () => {
        const file = join(folder, "file");
        writeFileSync(file, "");

        expect(() => createBackupFolder(file, object, taken)).toThrow(
            expect.objectContaining({
                code: "backup_failed",
                hint: expect.stringMatching(/^nothing was removed/) as string,
            }),
        );
    });

    it("that cannot be written to in the middle fails, with the rows read to their end", async () => {
        const backup = createBackupFolder(folder, object, taken);
        rmSync(join(folder, "public.m-20261125T161031Z.incomplete"), { recursive: true });
        const source = new PassThrough();
        const ended = jest.fn();
        source.on("end", ended);
        const failed = backup.write(source, () => undefined);
        for (let n = 0; n < 200; n += 1) source.write(rows.repeat(1000));
        source.end();

        await expect(failed).rejects.toMatchObject({ code: "backup_failed" });
        expect(ended).toHaveBeenCalled();
        expect(existsSync(backup.title)).toBe(false);
    });

    it("fails with what the server says of its rows", async () => {
        const backup = createBackupFolder(folder, object, taken);
        const error = new Error("the connection broke");
        const source = new PassThrough();
        setImmediate(() => source.destroy(error));

        await expect(backup.write(source, () => undefined)).rejects.toBe(error);
    });
});

describe("backup.json", () => {
    const parse = (change: object): BackupManifest =>
        parseManifest(JSON.stringify({ ...manifest(), ...change }), "backups/x");

    it("is read as it was written", async () => {
        const path = await written();
        const stored = readFileSync(join(path, "backup.json"), "utf8");

        expect(parseManifest(stored, path)).toEqual(JSON.parse(stored));
    });

    it("that is not there means that the backup was interrupted", () => {
        expect(() => parseManifest(undefined, "backups/x")).toThrow(
            expect.objectContaining({
                code: "backup_incomplete",
                message: "backups/x holds no complete backup",
            }),
        );
    });

    it.each([
        ["no JSON", () => parseManifest("{", "x"), /JSON/],
        ["another format", () => parse({ format: 2 }), /its format is 2; this version reads 1/],
        ["no word of its end", () => parse({ complete: false }), /it lacks complete/],
        ["no columns", () => parse({ columns: undefined }), /columns/],
    ])("with %s is refused", (_, read, detail) => {
        expect(read).toThrow(
            expect.objectContaining({
                code: "backup_unreadable",
                detail: expect.stringMatching(detail) as string,
            }),
        );
    });
});

describe("in words", () => {
    it("are rows and sizes", () => {
        expect(countOf(1)).toBe("1 row");
        expect(countOf(5040)).toBe("5,040 rows");
        expect(describeRows({ rows: 0, oldest: null, newest: null })).toBe("no rows");
        expect(describeRows({ rows: 2, oldest: "a", newest: "b" })).toBe("2 rows from a to b");
        expect([999, 1000, 1_250_000, 5e15].map(sizeOf)).toEqual([
            ...["999 bytes", "1.0 kB", "1.3 MB", "5000.0 TB"],
        ]);
    });
});
