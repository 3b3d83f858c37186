/**
 * What a test run works on, and what it cannot do: said by the suites, printed by the reporter.
 */
import { appendFileSync } from "node:fs";

/** Names the file in which the lines of one run are collected; `npm test` sets it. */
export const reportVariable = "OBSERVATORY_TEST_REPORT";

/** The folder with the `pulumi` executable that the engine suite uses; not set when there is none. */
export const engineVariable = "OBSERVATORY_ENGINE_DIR";

/**
 * Adds a line to the report of this run, such as `database: TimescaleDB 2.14.2 on PostgreSQL 15.18` or
 * `not run: engine suite: there is no Pulumi engine`. The same line may be said by several suites.
 */
export function recordEnvironment(line: string): void {
    const file = process.env[reportVariable];
    if (file !== undefined) {
        // One write per line: several workers append to the file.
        appendFileSync(file, `${line.replace(/\s*\n\s*/g, " ")}\n`);
    }
}
