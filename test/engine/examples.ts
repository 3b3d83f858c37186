/**
 * Comments of real previews on TimescaleDB 2.14 are the examples in docs/review/: after a change of the comment,
 * UPDATE_EXAMPLES=1 writes them anew.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import type { TestServer } from "../helpers/databases";

const root = dirname(dirname(__dirname));

/** Holds the comment to the example of that name, where the server is the one that they are of. */
export function compareWithExample(server: TestServer, name: string, markdown: string): void {
    if (!server.name.includes("2.14")) return;
    const file = join(root, "docs", "review", `${name}.md`);
    const text = timeless(markdown);
    if (process.env["UPDATE_EXAMPLES"] !== undefined) writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, "utf8"));
}

const day = 86_400_000;

/** Today is the tenth of September, jobs and versions have their first numbers, and nothing is vacuumed. */
function timeless(markdown: string): string {
    const shift = Date.parse("2026-09-10") - Math.floor(Date.now() / day) * day;
    const moved = (date: string): string =>
        new Date(Date.parse(date) + shift).toISOString().slice(0, 10);
    return markdown
        .replace(/\b20\d\d-\d\d-\d\d\b/g, moved)
        .replace(/_replaced_\d{8}_\d+/g, "_replaced_20260910_2")
        .replace(/\bjob \d{4}\b/g, "job 1000")
        .replace(/alter_job\(\d{4}/g, "alter_job(1000")
        .replace(/\b[\d.]+ kB\b/g, "256.0 kB");
}
