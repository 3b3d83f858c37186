/**
 * Puts the rows of a backup back, in one transaction, and only those that nothing else can give:
 * never over a bucket that stands, nor where raw data still is, which the refresh computes from.
 */
import type { Client } from "pg";

import { type RawRange, rawRanges } from "../aggregate/history";
import { type ActualAggregate, inspectAggregate } from "../aggregate/inspect";
import { refreshCall } from "../aggregate/refreshCall";
import { serverError } from "../connection/serverErrors";
import { inTransaction, type Queryable, type Session, withObjectLock } from "../connection/session";
import { TimescaleError } from "../errors";
import { inspectHypertable } from "../hypertable/inspect";
import {
    displayName,
    escapeIdentifier,
    escapeLiteral,
    type QualifiedName,
    quoteQualified,
} from "../identifier";
import { applyStatements } from "../plan/apply";
import { inspecting } from "../plan/converging";
import { readSql } from "../sqlFile";
import { openBackup, type StoredBackup } from "./folder";
import { type BackupColumn, type BackupManifest, countOf, describeRows } from "./manifest";
import { stageRows, staging } from "./staging";

export interface RestoreOptions {
    readonly folder: string;
    /** Where the rows go. Default: the object that they were in, if it stands again. */
    readonly into?: QualifiedName | undefined;
    /** Everything but the last step: nothing is changed. */
    readonly dryRun: boolean;
    readonly onStatus: (text: string) => void;
}

export interface Restored {
    readonly manifest: BackupManifest;
    readonly into: QualifiedName;
    readonly kind: "aggregate" | "hypertable" | "table";
    /** Rows that were put back, or would be. */
    readonly restored: number;
    /** Rows of the backup that were not. */
    readonly standing: number;
    /** Of an aggregate: rows in buckets that raw data still covers. */
    readonly covered: number;
    /** Of an aggregate: rows that were put back, and that the next refresh over their time would remove. */
    readonly endangered: number;
}

interface Place {
    readonly session: Session;
    readonly backup: StoredBackup;
    readonly into: QualifiedName;
    readonly searchPath: readonly string[];
    readonly extensionSchema: string;
    readonly options: RestoreOptions;
}

/**
 * @throws TimescaleError when the backup is not whole, or what stands cannot take its rows; nothing
 *   was changed then
 */
export async function restore(session: Session, options: RestoreOptions): Promise<Restored> {
    options.onStatus("verifying the backup");
    const backup = await openBackup(options.folder);
    const into = options.into ?? backup.manifest.object;
    const object = displayName(into);
    return withObjectLock(session, object, options.onStatus, async () => {
        const { found, searchPath, server } = await inspecting(session, into, (client) =>
            standingAt(client, into),
        );
        const { extensionSchema } = server;
        const place: Place = { session, backup, into, searchPath, extensionSchema, options };
        switch (found.kind) {
            case "aggregate":
                return intoAggregate(place);
            case "hypertable":
                return intoHypertable(place);
            case "table":
            case null:
                return intoTable(place, found);
            case "other":
                throw new TimescaleError(`${object} is neither an aggregate nor a table`, {
                    code: "another_relation",
                    detail: "rows can be restored into an aggregate or a hypertable that stands, or into a new table",
                    hint: "give the name of a new table with --into",
                    object,
                });
        }
    });
}

interface Standing {
    readonly kind: "aggregate" | "hypertable" | "table" | "other" | null;
    readonly comment: string | null;
}

async function standingAt(client: Queryable, name: QualifiedName): Promise<Standing> {
    const { rows } = await client.query<Standing & Record<string, unknown>>(
        readSql("catalog/restore_target.sql"),
        [quoteQualified(name)],
    );
    return rows[0] ?? { kind: null, comment: null };
}

/**
 * Below everything that stands in it, an aggregate that was made again is marked as not refreshed
 * yet, and the next wide refresh would empty it: it is refreshed there once before, which finds
 * nothing, so that what is put there stays.
 */
async function intoAggregate(place: Place): Promise<Restored> {
    const { session, backup, into, searchPath, extensionSchema, options } = place;
    const { manifest } = backup;
    const object = displayName(into);
    const { found } = await inspecting(session, into, async (client) => {
        const actual = await inspectAggregate(client, into);
        if (actual.kind !== "aggregate") throw gone(object);
        const time = escapeIdentifier(actual.timeColumn);
        const columns = await columnsOf(client, actual.materialization);
        refuseOtherColumns(manifest.columns, columns, object);
        const raw = await rawRanges(client, actual.sourceId);
        const { rows } = await client.query<{ upTo: string | null }>(
            // Where nothing stands, up to the end of what is restored; in the past in every case.
            `SELECT least(min(${time}), $1::${actual.timeType} + $2::interval)::text AS "upTo" FROM ${quoteQualified(actual.materialization)}`,
            [manifest.newest, actual.bucketWidth ?? "0"],
        );
        return { actual, raw, upTo: rows[0]?.upTo ?? null };
    });
    const { actual, raw, upTo } = found;
    if (!options.dryRun && upTo !== null && manifest.rows > 0) {
        options.onStatus("marking the time before it as refreshed");
        const bound = `${escapeLiteral(upTo)}::${actual.timeType}`;
        const sql = refreshCall(extensionSchema, actual.name, "NULL", bound);
        await applyStatements(
            session,
            [{ name: "refresh_continuous_aggregate", sql, outside: {} }],
            { object, searchPath, onRetry: options.onStatus },
        );
    }
    return staged(place, async (client) => {
        const time = escapeIdentifier(actual.timeColumn);
        const ranges = [
            raw.map(({ begins }) => begins),
            raw.map(({ ends }) => ends),
            actual.bucketWidth ?? "0",
        ];
        const coveredBy = (alias: string): string =>
            `EXISTS (SELECT FROM unnest($1::timestamptz[], $2::timestamptz[]) raw (begins, ends) WHERE raw.begins < ${alias}.${time} + $3::interval AND raw.ends > ${alias}.${time})`;
        const stands = (alias: string): string =>
            `EXISTS (SELECT FROM ${quoteQualified(actual.materialization)} m WHERE m.${time} = ${alias}.${time})`;
        const { rows } = await client.query<{ covered: string; standing: string }>(
            `SELECT count(*) FILTER (WHERE NOT stands AND covered) AS covered, count(*) FILTER (WHERE stands) AS standing FROM (SELECT ${coveredBy("s")} AS covered, ${stands("s")} AS stands FROM ${staging} s) t`,
            ranges,
        );
        const names = manifest.columns.map(({ name }) => escapeIdentifier(name)).join(", ");
        const { rowCount } = await client.query(
            `INSERT INTO ${quoteQualified(actual.materialization)} (${names}) SELECT ${names} FROM ${staging} s WHERE NOT ${coveredBy("s")} AND NOT ${stands("s")}`,
            ranges,
        );
        return {
            kind: "aggregate",
            restored: rowCount ?? 0,
            standing: Number(rows[0]?.standing ?? 0),
            covered: Number(rows[0]?.covered ?? 0),
            endangered: await endangered(client, actual, raw),
        };
    });
}

/** Where buckets stood already, the time between them could not be marked without removing them. */
async function endangered(
    client: Queryable,
    actual: ActualAggregate,
    raw: readonly RawRange[],
): Promise<number> {
    const time = escapeIdentifier(actual.timeColumn);
    const { rows } = await client.query<{ endangered: string }>(
        `SELECT count(*) AS endangered FROM ${staging} m WHERE EXISTS (
            SELECT FROM _timescaledb_catalog.continuous_aggs_materialization_invalidation_log i
            WHERE i.materialization_id = $1 AND i.lowest_modified_value < _timescaledb_functions.to_unix_microseconds(m.${time} + $2::interval)
                AND i.greatest_modified_value >= _timescaledb_functions.to_unix_microseconds(m.${time}))
            AND NOT EXISTS (SELECT FROM unnest($3::timestamptz[], $4::timestamptz[]) raw (begins, ends) WHERE raw.begins < m.${time} + $2::interval AND raw.ends > m.${time})`,
        [
            actual.materializationId,
            actual.bucketWidth ?? "0",
            raw.map(({ begins }) => begins),
            raw.map(({ ends }) => ends),
        ],
    );
    return Number(rows[0]?.endangered ?? 0);
}

/** A row that stands is told by the table's unique keys; a table without any takes rows only where it holds none. */
async function intoHypertable(place: Place): Promise<Restored> {
    const { session, backup, into } = place;
    const { manifest } = backup;
    const object = displayName(into);
    const { found: unique } = await inspecting(session, into, async (client) => {
        const actual = await inspectHypertable(client, into);
        if (actual.kind !== "hypertable") throw gone(object);
        refuseOtherColumns(manifest.columns, await columnsOf(client, into), object);
        const unique = actual.indexes.some((index) => index.unique && index.predicate === null);
        const time = escapeIdentifier(actual.timeColumn);
        const { rows } = await client.query<{ holds: boolean }>(
            `SELECT EXISTS (SELECT FROM ${quoteQualified(into)} WHERE ${time} BETWEEN $1 AND $2) AS holds`,
            [manifest.oldest, manifest.newest],
        );
        if (!unique && rows[0]?.holds === true) {
            throw new TimescaleError(`${object} holds rows of the same time already`, {
                code: "rows_stand",
                detail: `the backup holds ${describeRows(manifest)}, and without a unique key nobody can tell whether they are the same`,
                hint: "restore into a new table with --into, and copy from it what is missing",
                object,
            });
        }
        return unique;
    });
    return staged(place, async (client) => {
        const names = manifest.columns.map(({ name }) => escapeIdentifier(name)).join(", ");
        const { rowCount } = await client.query(
            `INSERT INTO ${quoteQualified(into)} (${names}) SELECT ${names} FROM ${staging}${unique ? " ON CONFLICT DO NOTHING" : ""}`,
        );
        const restored = rowCount ?? 0;
        return {
            kind: "hypertable",
            restored,
            standing: manifest.rows - restored,
            covered: 0,
            endangered: 0,
        };
    });
}

/** A new plain table, which says what it was restored from. */
async function intoTable(place: Place, standing: Standing): Promise<Restored> {
    const { backup, into, options } = place;
    const { manifest } = backup;
    const object = displayName(into);
    const remark = `pulumi-timescale: restored from a backup of ${displayName(manifest.object)} of ${manifest.taken}, sha256 ${manifest.sha256}`;
    const nothing = { manifest, into, kind: "table", restored: 0, standing: manifest.rows, covered: 0, endangered: 0 } as const; // prettier-ignore
    if (standing.kind === "table") {
        if (standing.comment === remark) return nothing;
        throw new TimescaleError(`table ${object} exists already`, {
            code: "42P07",
            detail: "it is no table that this backup was restored into",
            hint: "give the name of a new table with --into",
            object,
        });
    }
    if (options.into === undefined) {
        throw new TimescaleError(`${manifest.kind} ${object} does not stand`, {
            code: "not_standing",
            detail: `the backup holds ${describeRows(manifest)}`,
            hint: "declare it and run pulumi up first, then restore; or restore into a new plain table with --into schema.table",
            object,
        });
    }
    return staged(place, async (client) => {
        await client.query(`CREATE TABLE ${quoteQualified(into)} AS SELECT * FROM ${staging}`);
        await client.query(`COMMENT ON TABLE ${quoteQualified(into)} IS ${escapeLiteral(remark)}`);
        return { kind: "table", restored: manifest.rows, standing: 0, covered: 0, endangered: 0 };
    });
}

async function staged(
    { session, backup, into, searchPath, options }: Place,
    insert: (client: Client) => Promise<Omit<Restored, "manifest" | "into">>,
): Promise<Restored> {
    const { manifest } = backup;
    return inTransaction(session, { searchPath, rollback: options.dryRun }, async (client) => {
        await stageRows(client, backup, options.folder, options.onStatus);
        options.onStatus(`inserting into ${displayName(into)}`);
        return { manifest, into, ...(await insert(client)) };
    }).then(undefined, (error: unknown) => {
        throw serverError(error, { statement: "restore", object: displayName(into) });
    });
}

async function columnsOf(client: Queryable, name: QualifiedName): Promise<BackupColumn[]> {
    const { rows } = await client.query<{ columns: BackupColumn[] }>(
        readSql("catalog/backup_columns.sql"),
        [quoteQualified(name)],
    );
    return rows[0]?.columns ?? [];
}

function refuseOtherColumns(
    stored: readonly BackupColumn[],
    standing: readonly BackupColumn[],
    object: string,
): void {
    const types = (columns: readonly BackupColumn[]): Map<string, string> =>
        new Map(columns.map(({ name, type }) => [name, type]));
    const [was, is] = [types(stored), types(standing)];
    const differences = [
        ...stored.flatMap(
            ({ name, type }) =>
            is.get(name) === type ? [] : [`${name}: ${type} in the backup, ${is.get(name) ?? "none"} in ${object}`], // prettier-ignore
        ),
        ...standing.flatMap(({ name, type }) =>
            was.has(name) ? [] : [`${name}: none in the backup, ${type} in ${object}`],
        ),
    ];
    if (differences.length === 0) return;
    throw new TimescaleError(`the backup has other columns than ${object}`, {
        code: "structure_differs",
        detail: differences.join("; "),
        hint: "restore into a new plain table with --into schema.table",
        object,
    });
}

function gone(object: string): TimescaleError {
    return new TimescaleError(`${object} was removed meanwhile`, {
        code: "not_standing",
        hint: "run the same command again",
        object,
    });
}

/** What happened, or would, in sentences. */
export function describeRestored(
    { manifest, into, kind, restored, standing, covered, endangered }: Restored,
    dryRun: boolean,
): string[] {
    const to = `${kind === "table" ? "table" : manifest.kind} ${displayName(into)}`;
    return [
        `${dryRun ? "would restore" : "restored"} ${restored.toLocaleString("en-US")} of ${countOf(manifest.rows)} into ${to}`,
        ...(standing === 0 ? [] : [`${countOf(standing)} stand there already, and were left as they are`]), // prettier-ignore
        ...(covered === 0 ? [] : [`${countOf(covered)} lie where raw data still is, which the refresh computes from`]), // prettier-ignore
        ...(endangered === 0 || dryRun
            ? []
            : [
                  `${countOf(endangered)} lie between buckets that stood already, in time that is not marked as refreshed: a refresh over it would remove them as it would those`,
              ]),
    ];
}
