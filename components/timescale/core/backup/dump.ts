/** Writes the rows that are about to go to a backup, inside the caller's transaction. */
import type { Client } from "pg";
import { to as copyTo } from "pg-copy-streams";

import type { Queryable } from "../connection/session";
import { TimescaleError } from "../errors";
import { displayName, escapeIdentifier, type QualifiedName, quoteQualified } from "../identifier";
import { readSql } from "../sqlFile";
import type { BackupFolder } from "./folder";
import {
    type BackupColumn,
    type BackupManifest,
    type BackupReason,
    countOf,
    describeRows,
    type RowRange,
    sizeOf,
} from "./manifest";

export interface DumpRequest extends Pick<
    BackupManifest,
    "kind" | "object" | "definition" | "timeColumn" | "bucketWidth" | "history" | "databaseUuid"
> {
    readonly reason: BackupReason;
    /** Where the rows are: the table, or an aggregate's materialization. */
    readonly relation: QualifiedName;
    /** What to write of each row, by its name there; the name in the backup where it is another. Default: everything. */
    readonly columns?: ReadonlyMap<string, string>;
    readonly taken: Date;
    readonly onStatus: (text: string) => void;
}

export interface Backup {
    /** Its folder, as the program would find it. */
    readonly folder: string;
    readonly range: RowRange;
}

/**
 * The transaction has to see one state of the rows from its first statement to its last: by a lock
 * on `relation` that keeps writers out, or by its isolation level.
 *
 * @throws TimescaleError when the backup cannot be written; nothing of it is left then
 */
export async function dump(
    client: Client,
    folder: BackupFolder,
    request: DumpRequest,
): Promise<Backup> {
    try {
        return await dumpTo(client, folder, request);
    } catch (error) {
        folder.discard();
        throw error;
    }
}

async function dumpTo(client: Client, folder: BackupFolder, request: DumpRequest): Promise<Backup> {
    const { relation, timeColumn, object, onStatus } = request;
    const range = await rowRange(client, relation, timeColumn);
    const { columns, postgresVersion, timescaleVersion } = await describe(client, relation);
    const wanted = columns.flatMap(({ name, type }) => {
        const as = request.columns === undefined ? name : request.columns.get(name);
        return as === undefined ? [] : [{ name, as, type }];
    });
    const list = wanted.map(({ name, as }) =>
        name === as
            ? escapeIdentifier(name)
            : `${escapeIdentifier(name)} AS ${escapeIdentifier(as)}`,
    );
    const rows = client.query(
        copyTo(
            `COPY (SELECT ${list.join(", ")} FROM ${quoteQualified(relation)} ORDER BY ${escapeIdentifier(timeColumn)}) TO STDOUT (FORMAT csv, HEADER)`,
        ),
    );
    const what = `backing up ${countOf(range.rows)}`;
    onStatus(what);
    let told = Date.now();
    const written = await folder.write(rows, (bytes) => {
        if (Date.now() - told < 1000) return;
        told = Date.now();
        onStatus(`${what}: ${sizeOf(bytes)} read`);
    });
    if (rows.rowCount !== range.rows) {
        throw new TimescaleError(`the backup of ${displayName(object)} does not hold every row`, {
            code: "backup_differs",
            detail: `${rows.rowCount} rows were written, and there are ${range.rows}`,
            hint: "nothing was removed; run the same command again",
            object: displayName(object),
        });
    }
    folder.complete({
        format: 1,
        complete: true,
        reason: request.reason,
        taken: request.taken.toISOString(),
        kind: request.kind,
        object: { schema: object.schema, name: object.name },
        definition: request.definition,
        timeColumn,
        bucketWidth: request.bucketWidth,
        columns: wanted.map(({ as, type }) => ({ name: as, type })),
        ...range,
        history: request.history,
        ...written,
        databaseUuid: request.databaseUuid,
        postgresVersion,
        timescaleVersion,
    });
    return { folder: folder.title, range };
}

async function describe(
    client: Queryable,
    relation: QualifiedName,
): Promise<{ columns: BackupColumn[]; postgresVersion: string; timescaleVersion: string }> {
    const { rows } = await client.query<{
        columns: BackupColumn[];
        postgresVersion: string;
        timescaleVersion: string;
    }>(readSql("catalog/backup_columns.sql"), [quoteQualified(relation)]);
    return rows[0] ?? { columns: [], postgresVersion: "", timescaleVersion: "" };
}

/** How many rows there are, and of which time. */
export async function rowRange(
    client: Queryable,
    relation: QualifiedName,
    timeColumn: string,
): Promise<RowRange> {
    const time = escapeIdentifier(timeColumn);
    const { rows } = await client.query<{
        rows: string;
        oldest: string | null;
        newest: string | null;
    }>(
        `SELECT count(*) AS rows, min(${time})::text AS oldest, max(${time})::text AS newest FROM ${quoteQualified(relation)}`,
    );
    return {
        rows: Number(rows[0]?.rows ?? 0),
        oldest: rows[0]?.oldest ?? null,
        newest: rows[0]?.newest ?? null,
    };
}

/** Such as `5,040 rows from … to …; backup in backups/public.x-20261125T161031Z`. */
export function describeBackup(backup: Backup): string {
    return `${describeRows(backup.range)}; backup in ${backup.folder}`;
}
