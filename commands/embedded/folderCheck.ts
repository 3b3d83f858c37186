/** Whether a folder is one that the embedded database can open, looked at before it is opened. */
import fs from "node:fs";
import path from "node:path";

import { TimescaleError } from "../../components/timescale/core/errors";

/** PostgreSQL's major version in the WASM build: data of another one cannot be opened. */
const postgresMajor = "17";

/** In the data folder, written when it is made: the build dies on a database that is not there. */
const databaseFile = "observatory_database";

/** Whether `directory` holds a PostgreSQL data folder. */
export function isDataFolder(directory: string): boolean {
    return fs.existsSync(path.join(directory, "PG_VERSION"));
}

export function markDatabase(directory: string, database: string): void {
    fs.writeFileSync(path.join(directory, databaseFile), `${database}\n`);
}

/** Throws `invalid_data_folder` unless the folder is missing, empty, or holds `database`. */
export function checkFolder(directory: string, database: string): void {
    if (!fs.existsSync(directory) || fs.readdirSync(directory).length === 0) return;
    const version = readWord(path.join(directory, "PG_VERSION"));
    if (version !== postgresMajor) {
        throw new TimescaleError(`"${directory}" is not a data folder of the embedded database`, {
            code: "invalid_data_folder",
            detail:
                version === undefined
                    ? "the folder is not empty and has no PG_VERSION file"
                    : `it is of PostgreSQL ${version}, the embedded database is ${postgresMajor}`,
            hint: "name another folder, or move this one away",
        });
    }
    const held = databaseIn(directory);
    if (held !== database) {
        throw new TimescaleError(`"${directory}" has no database "${database}"`, {
            code: "invalid_data_folder",
            detail:
                held === undefined
                    ? "the embedded server did not make this folder"
                    : `the folder was made for the database "${held}"`,
            hint: `name ${held === undefined ? "another folder" : `the database "${held}"`}`,
        });
    }
}

/** The database that a folder was made for; `undefined` where there is none yet. */
export function databaseIn(directory: string | undefined): string | undefined {
    return directory === undefined ? undefined : readWord(path.join(directory, databaseFile));
}

function readWord(file: string): string | undefined {
    return fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim() : undefined;
}
