/** Reads statements that lie in files of their own. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { TimescaleError } from "./core/errors";

/**
 * The text of a file under `sql/` of the Pulumi project.
 *
 * ```ts
 * new ContinuousAggregate("by-hour", { connection, name: "by_hour", query: readSql("by_hour.sql"), … });
 * ```
 *
 * @param path relative to `folder`
 * @param folder where the project keeps its SQL; relative to the folder of `Pulumi.yaml`, where Pulumi runs programs
 * @throws TimescaleError (`sql_file`) when the file cannot be read
 */
export function readSql(path: string, folder = "sql"): string {
    const file = join(resolve(folder), path);
    try {
        return readFileSync(file, "utf8");
    } catch (error) {
        throw new TimescaleError(`${path} cannot be read`, {
            code: "sql_file",
            detail: error instanceof Error ? error.message : String(error),
            hint: `put the statement into ${file}, or name the folder: readSql(${JSON.stringify(path)}, "…")`,
            cause: error,
        });
    }
}
