/** Reads the statements of this package, from the files under `sql/`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(__dirname, "..", "..", "..", "sql");
const cache = new Map<string, string>();

/**
 * The text of `sql/<path>`.
 *
 * ```ts
 * readSql("catalog/server.sql")
 * ```
 */
export function readSql(path: string): string {
    let text = cache.get(path);
    if (text === undefined) {
        text = readFileSync(join(root, path), "utf8");
        cache.set(path, text);
    }
    return text;
}
