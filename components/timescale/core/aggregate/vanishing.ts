/** What goes with an aggregate: told when it has gone, and written to a backup before. */
import type { Client } from "pg";

import { type Backup, dump, rowRange } from "../backup/dump";
import { createBackupFolder } from "../backup/folder";
import { type BackupReason, describeRows, type RowRange } from "../backup/manifest";
import type { Queryable } from "../connection/session";
import { displayName, type QualifiedName, quoteQualified } from "../identifier";
import type { Statement } from "../plan/plan";
import { roleStatements } from "../relation/tableStatements";
import { readSql } from "../sqlFile";
import { type HistoryAtStake, historyAtStake } from "./history";
import type { ActualAggregate } from "./inspect";

export interface Vanishing {
    readonly all: RowRange;
    readonly stake: HistoryAtStake;
    /** The chunks of raw data that it was worked out from. */
    readonly rawChunks: readonly number[];
}

export async function whatVanishes(client: Queryable, actual: ActualAggregate): Promise<Vanishing> {
    // Before the stake: a chunk that goes between the two is missed by the guard otherwise.
    const { rows } = await client.query<{ ids: number[] }>(readSql("catalog/raw_chunk_ids.sql"), [
        actual.sourceId,
    ]);
    return {
        rawChunks: rows[0]?.ids ?? [],
        all: await rowRange(client, actual.materialization, actual.timeColumn),
        stake: await historyAtStake(client, actual),
    };
}

/**
 * Fails when raw data was dropped since it was looked at, so that more is lost than was counted.
 * Behind the drop, which locks raw data: from there on none of it goes.
 */
export function rawStandsStatement({ rawChunks }: Vanishing, sourceId: number): Statement[] {
    if (rawChunks.length === 0) return [];
    const ids = [...new Set(rawChunks.map(Number))].join(", ");
    return [
        {
            name: "check_history",
            sql: [
                "DO $check$ BEGIN",
                `IF (SELECT count(*) FROM _timescaledb_catalog.chunk WHERE hypertable_id = ${sourceId} AND NOT dropped AND id IN (${ids})) < ${rawChunks.length} THEN`,
                "    RAISE EXCEPTION 'raw data was dropped meanwhile, and more history would be lost'",
                "        USING HINT = 'nothing was removed: run the same command again';",
                "END IF; END $check$",
            ].join("\n"),
        },
    ];
}

/** Such as `dropped continuous aggregate public.m: 5,040 rows from … to …; 1,200 of them raw data no longer had`. */
export function describeVanished(
    object: string,
    { all, stake }: Vanishing,
    backup: Backup | undefined,
): string {
    return [
        `dropped continuous aggregate ${object}: ${describeRows(backup?.range ?? all)}`,
        ...(stake.rows === 0
            ? []
            : [`${stake.rows.toLocaleString("en-US")} of them raw data no longer had`]),
        ...(backup === undefined ? [] : [`backup in ${backup.folder}`]),
    ].join("; ");
}

export interface AggregateBackupOptions {
    /** As the program gives it. */
    readonly folder: string;
    readonly reason: BackupReason;
    /** As it is declared. */
    readonly object: QualifiedName;
    readonly owner: string | undefined;
    readonly login: string;
    readonly databaseUuid: string;
    readonly vanishing: Pick<Vanishing, "stake">;
    readonly onStatus: (text: string) => void;
}

/**
 * Makes the backup's folder now, and writes the backup in the transaction that then drops the
 * aggregate. Refreshes alone write its buckets: they are kept out until that transaction ends, and
 * nobody else waits.
 */
export function aggregateBackup(
    actual: ActualAggregate,
    { folder, reason, object, owner, login, databaseUuid, vanishing, onStatus }: AggregateBackupOptions, // prettier-ignore
): {
    readonly prepare: (client: Client) => Promise<void>;
    readonly result: () => Backup | undefined;
} {
    let backup: Backup | undefined;
    const { rows, oldest, newest } = vanishing.stake;
    return {
        result: () => backup,
        async prepare(client) {
            const role = roleStatements(owner, login);
            for (const { sql } of role) await client.query(sql);
            await client.query(
                `LOCK TABLE ${quoteQualified(actual.materialization)} IN SHARE MODE`,
            );
            const taken = new Date();
            backup = await dump(client, createBackupFolder(folder, object, taken), {
                reason,
                kind: "continuous aggregate",
                object,
                relation: actual.materialization,
                definition: actual.definition,
                timeColumn: actual.timeColumn,
                bucketWidth: actual.bucketWidth,
                history: { rows, oldest, newest },
                databaseUuid,
                taken,
                onStatus: (text) => onStatus(`${text} of ${displayName(object)}`),
            });
            if (role.length > 0) await client.query("RESET ROLE");
        },
    };
}
