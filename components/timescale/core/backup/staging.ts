/** The rows of a backup in a temporary table of the transaction. */
import type { Readable } from "node:stream";

import { parse } from "csv-parse";

import type { Queryable } from "../connection/session";
import { TimescaleError } from "../errors";
import { escapeIdentifier } from "../identifier";
import type { StoredBackup } from "./folder";
import { sizeOf } from "./manifest";

/** Its name; the schema of temporary tables comes first on every search path. */
export const staging = "pg_temp.restored_rows";

/** How many rows one statement takes. */
const batch = 2000;

/**
 * @throws TimescaleError when the rows are not as many as the backup says
 */
export async function stageRows(
    client: Queryable,
    { manifest, rows }: StoredBackup,
    folder: string,
    onStatus: (text: string) => void,
): Promise<void> {
    const { columns } = manifest;
    const definitions = columns.map(({ name, type }) => `${escapeIdentifier(name)} ${type}`);
    await client.query(
        `CREATE TEMPORARY TABLE restored_rows (${definitions.join(", ")}) ON COMMIT DROP`,
    );
    const values = columns.map(({ type }, at) => `v.c${at}::${type}`);
    const arrays = columns.map((_, at) => `$${at + 1}::text[]`);
    const names = columns.map((_, at) => `c${at}`);
    const insert = `INSERT INTO ${staging} SELECT ${values.join(", ")} FROM unnest(${arrays.join(", ")}) AS v (${names.join(", ")})`;
    let total = 0;
    let pending: (readonly (string | null)[])[] = [];
    const flush = async (): Promise<void> => {
        if (pending.length === 0) return;
        const some = pending;
        pending = [];
        await client.query(
            insert,
            columns.map((_, at) => some.map((row) => row[at] ?? null)),
        );
        total += some.length;
        onStatus(
            `read ${total.toLocaleString("en-US")} of ${manifest.rows.toLocaleString("en-US")} rows`,
        );
    };
    for await (const row of records(rows())) {
        pending.push(row);
        if (pending.length >= batch) await flush();
    }
    await flush();
    if (total === manifest.rows) return;
    throw new TimescaleError(`the rows of ${folder} are not as many as were written`, {
        code: "backup_damaged",
        detail: `${manifest.file} (${sizeOf(manifest.size)}) holds ${total} rows, and backup.json says ${manifest.rows}`,
        hint: "restore from another copy of this backup",
    });
}

/** COPY writes a null as nothing at all, and an empty text in quotes. */
function records(text: Readable): AsyncIterable<readonly (string | null)[]> {
    const parser = parse({
        from: 2,
        cast: (value, { quoting }) => (value === "" && !quoting ? null : value),
    });
    text.once("error", (error) => parser.destroy(error));
    return text.pipe(parser) as AsyncIterable<readonly (string | null)[]>;
}
