/**
 * Where a backup lies: a folder for each, which bears `.incomplete` in its name until its last file
 * is on the disk.
 */
import { createHash } from "node:crypto";
import {
    createReadStream,
    createWriteStream,
    existsSync,
    mkdirSync,
    readFileSync,
    renameSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { type Readable, Transform, type TransformCallback, Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";

import { TimescaleError } from "../errors";
import { displayName, type QualifiedName } from "../identifier";
import { type BackupManifest, manifestFile, parseManifest } from "./manifest";

const rowsFile = "rows.csv.gz";
const unfinished = ".incomplete";

export interface BackupFolder {
    /** As the program gives it, with the backup's own folder behind it. */
    readonly title: string;
    /** Takes the rows, compresses them and writes them; ends when they are on the disk. */
    write(rows: Readable, onBytes: (bytes: number) => void): Promise<WrittenRows>;
    /** Writes the manifest; from here on the backup is complete. */
    complete(manifest: BackupManifest): void;
    /** Removes what was written: of a backup that failed, or of one that nothing was removed after. */
    discard(): void;
}

export interface WrittenRows {
    readonly file: string;
    readonly size: number;
    readonly sha256: string;
}

/**
 * Makes the folder of a new backup, `<parent>/<schema>.<name>-<UTC time>/`.
 *
 * @param parent absolute, or relative to the folder that the program runs in
 * @throws TimescaleError when it cannot be written to
 */
export function createBackupFolder(
    parent: string,
    object: QualifiedName,
    taken: Date,
): BackupFolder {
    const stamp = taken.toISOString().replace(/[-:]|\.\d+/g, "");
    const stem = `${fileName(object.schema)}.${fileName(object.name)}-${stamp}`;
    let name = stem;
    for (let n = 2; isTaken(parent, name); n += 1) name = `${stem}-${n}`;
    const standing = { path: resolve(parent, `${name}${unfinished}`) };
    writing(object, parent, () => mkdirSync(standing.path, { recursive: true, mode: 0o700 }));
    return {
        title: join(parent, name),
        write: (rows, onBytes) =>
            writeRows(rows, join(standing.path, rowsFile), onBytes).then(
                undefined,
                (error: unknown) => {
                    throw failed(object, parent, error);
                },
            ),
        complete(manifest) {
            writing(object, parent, () => {
                writeFileSync(
                    join(standing.path, manifestFile),
                    `${JSON.stringify(manifest, null, 2)}\n`,
                    { flush: true, mode: 0o600 },
                );
                const complete = resolve(parent, name);
                renameSync(standing.path, complete);
                standing.path = complete;
            });
        },
        discard: () => rmSync(standing.path, { recursive: true, force: true }),
    };
}

function isTaken(parent: string, name: string): boolean {
    return [name, `${name}${unfinished}`].some((it) => existsSync(resolve(parent, it)));
}

/** Any file system takes it. The manifest has the name itself. */
function fileName(name: string): string {
    return name.replace(/[^\w.-]/g, "_");
}

/**
 * When writing fails, the rows are read to their end all the same: a COPY that nobody reads would
 * block its connection for good.
 */
async function writeRows(
    rows: Readable,
    path: string,
    onBytes: (bytes: number) => void,
): Promise<WrittenRows> {
    const stored = digest();
    const read = meter(onBytes);
    const file = createWriteStream(path, { flags: "wx", mode: 0o600, flush: true });
    const written = pipeline(read, createGzip(), stored.stream, file).then(
        () => undefined,
        (error: unknown) => {
            rows.unpipe(read);
            rows.resume();
            return { error };
        },
    );
    const ended = finished(rows, { writable: false }).then(
        () => undefined,
        (error: unknown) => {
            read.destroy(error instanceof Error ? error : new Error(String(error)));
            return { error };
        },
    );
    rows.pipe(read);
    const failure = (await ended) ?? (await written);
    await written;
    if (failure !== undefined) throw failure.error;
    return { file: rowsFile, size: stored.size(), sha256: stored.sha256() };
}

function meter(onBytes: (bytes: number) => void): Transform {
    let bytes = 0;
    return new Transform({
        transform(chunk: Buffer, _encoding, done: TransformCallback) {
            bytes += chunk.length;
            onBytes(bytes);
            done(null, chunk);
        },
    });
}

function digest(): { stream: Transform; size: () => number; sha256: () => string } {
    const hash = createHash("sha256");
    let size = 0;
    const stream = new Transform({
        transform(chunk: Buffer, _encoding, done: TransformCallback) {
            hash.update(chunk);
            size += chunk.length;
            done(null, chunk);
        },
    });
    return { stream, size: () => size, sha256: () => hash.digest("hex") };
}

function writing<T>(object: QualifiedName, parent: string, work: () => T): T {
    try {
        return work();
    } catch (error) {
        throw failed(object, parent, error);
    }
}

function failed(object: QualifiedName, parent: string, error: unknown): unknown {
    // What the server says of its rows is told of as that.
    if (!isSystemError(error)) return error;
    return new TimescaleError(`the backup of ${displayName(object)} was not written`, {
        code: "backup_failed",
        detail: error.message,
        hint: `nothing was removed: make room in ${parent}, or let it be written to, and run the same command again`,
        object: displayName(object),
        cause: error,
    });
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
    return typeof error === "object" && error !== null && "syscall" in error && "errno" in error;
}

export interface StoredBackup {
    readonly manifest: BackupManifest;
    /** The rows as COPY wrote them. */
    readonly rows: () => Readable;
}

/**
 * Opens a backup, after a look at whether it is complete and as it was written.
 *
 * @throws TimescaleError when it is not
 */
export async function openBackup(folder: string): Promise<StoredBackup> {
    const path = resolve(folder);
    const manifest = parseManifest(textOf(join(path, manifestFile)), folder);
    const file = join(path, manifest.file);
    const stored = digest();
    try {
        const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
        await pipeline(createReadStream(file), stored.stream, nowhere);
    } catch (error) {
        throw new TimescaleError(`the rows of ${folder} cannot be read`, {
            code: "backup_unreadable",
            detail: error instanceof Error ? error.message : String(error),
            hint: "give the folder of a backup as it was written",
            cause: error,
        });
    }
    const sha256 = stored.sha256();
    if (sha256 !== manifest.sha256) {
        throw new TimescaleError(`the rows of ${folder} are not those that were written`, {
            code: "backup_damaged",
            detail: `the SHA-256 of ${manifest.file} is ${sha256}, and ${manifestFile} says ${manifest.sha256}`,
            hint: "restore from another copy of this backup",
        });
    }
    return {
        manifest,
        rows: () => {
            const text = createGunzip();
            pipeline(createReadStream(file), text).then(undefined, (error: unknown) =>
                text.destroy(error instanceof Error ? error : new Error(String(error))),
            );
            return text;
        },
    };
}

function textOf(path: string): string | undefined {
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}
