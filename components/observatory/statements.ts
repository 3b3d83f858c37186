/** The statements of the Observatory, wherever the program was started from. */
import { join } from "node:path";

import { readSql as readFrom } from "../timescale";

const folder = join(__dirname, "..", "..", "sql");

/** The text of `sql/<path>`. */
export function readSql(path: string): string {
    return readFrom(path, folder);
}
