/** Writes the report; what stands there and is no report stays. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { TimescaleError } from "../../components/timescale/core/errors";
import { generator } from "./page";

/** @throws TimescaleError before anything is read from the database, rather than after */
export function refuseOverwriting(path: string): void {
    if (!existsSync(path) || readFileSync(path, "utf8").slice(0, 1000).includes(generator)) return;
    throw new TimescaleError("the file is no report, and stays", {
        code: "file_exists",
        detail: `${path} was not written by npm run report`,
        hint: "give another file with --out",
    });
}

/** A reader never finds half of it. */
export function writeReport(path: string, text: string): void {
    refuseOverwriting(path);
    mkdirSync(dirname(path), { recursive: true });
    const aside = `${path}.${process.pid}`;
    writeFileSync(aside, text);
    renameSync(aside, path);
}
