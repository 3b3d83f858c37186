/** What `backup.json` of a backup says. It names no server, login or password, and no path. */
import { TimescaleError } from "../errors";
import type { QualifiedName } from "../identifier";

/** Why the rows were about to go. */
export type BackupReason = "delete" | "rebuild" | "drop_version" | "drop_columns";

export interface BackupColumn {
    readonly name: string;
    /** As the server prints it, such as `timestamp with time zone`. */
    readonly type: string;
}

export interface RowRange {
    readonly rows: number;
    /** As the server prints them, in UTC; null when there is no row. */
    readonly oldest: string | null;
    readonly newest: string | null;
}

export interface BackupManifest {
    readonly format: 1;
    /** Written last: a backup without it was interrupted. */
    readonly complete: true;
    readonly reason: BackupReason;
    /** ISO 8601, in UTC. */
    readonly taken: string;
    readonly kind: "continuous aggregate" | "hypertable";
    /** As the program declared it. */
    readonly object: QualifiedName;
    /** The query of an aggregate, in the server's words; null for a hypertable. */
    readonly definition: string | null;
    readonly timeColumn: string;
    /** Of an aggregate, as an interval; null for a hypertable. */
    readonly bucketWidth: string | null;
    readonly columns: readonly BackupColumn[];
    readonly rows: number;
    readonly oldest: string | null;
    readonly newest: string | null;
    /** Those of an aggregate's rows that raw data could not give again; null for a hypertable. */
    readonly history: RowRange | null;
    /** CSV as COPY writes it, with a header line, compressed by gzip. */
    readonly file: string;
    /** Of the file as it lies there, in bytes. */
    readonly size: number;
    readonly sha256: string;
    readonly databaseUuid: string;
    readonly postgresVersion: string;
    readonly timescaleVersion: string;
}

/** The file beside the rows. */
export const manifestFile = "backup.json";

/**
 * Reads what a backup says of itself.
 *
 * @param text of `backup.json`; undefined: there is none
 * @throws TimescaleError when the backup was interrupted, or is none that can be read
 */
export function parseManifest(text: string | undefined, folder: string): BackupManifest {
    if (text === undefined) {
        throw new TimescaleError(`${folder} holds no complete backup`, {
            code: "backup_incomplete",
            detail: `there is no ${manifestFile} in it, which is written last: the backup was interrupted, and nothing was removed after it`,
            hint: "give the folder of a complete backup; one that ends in .incomplete can be deleted",
        });
    }
    let manifest: Partial<Omit<BackupManifest, "format">> & { readonly format?: unknown };
    try {
        manifest = JSON.parse(text) as typeof manifest;
    } catch (error) {
        throw unreadable(folder, error instanceof Error ? error.message : String(error));
    }
    if (manifest.format !== 1) {
        throw unreadable(
            folder,
            `its format is ${JSON.stringify(manifest.format)}; this version reads 1`,
        );
    }
    const missing = (
        ["object", "kind", "columns", "rows", "timeColumn", "file", "sha256"] as const
    ).filter((name) => manifest[name] === undefined);
    if (manifest.complete !== true || missing.length > 0) {
        throw unreadable(folder, `it lacks ${["complete", ...missing].join(", ")}`);
    }
    return manifest as BackupManifest;
}

function unreadable(folder: string, detail: string): TimescaleError {
    return new TimescaleError(`the ${manifestFile} of ${folder} cannot be used`, {
        code: "backup_unreadable",
        detail,
        hint: "give the folder of a backup as it was written",
    });
}

/** Such as `5,040 rows from 2026-08-24 00:00:00+00 to 2026-11-22 23:00:00+00`. */
export function describeRows({ rows, oldest, newest }: RowRange): string {
    if (rows === 0) return "no rows";
    return `${countOf(rows)} from ${oldest} to ${newest}`;
}

/** Such as `5,040 rows`. */
export function countOf(rows: number): string {
    return `${rows.toLocaleString("en-US")} ${rows === 1 ? "row" : "rows"}`;
}

/** Such as `1.2 MB`. */
export function sizeOf(bytes: number): string {
    const units = ["bytes", "kB", "MB", "GB", "TB"];
    let value = bytes;
    let unit = 0;
    while (value >= 1000 && unit < units.length - 1) {
        value /= 1000;
        unit += 1;
    }
    return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
