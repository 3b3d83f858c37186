/**
 * Dropping an aggregate: idempotent, never with CASCADE, and not while it holds history that raw
 * data can no longer give, unless that loss was accepted.
 */
import { applyStatements } from "../apply";
import { TimescaleError } from "../errors";
import {
    displayName,
    escapeIdentifier,
    escapeLiteral,
    maximumIdentifierBytes,
    type QualifiedName,
    quoteQualified,
} from "../identifier";
import { deleteJob } from "../jobStatements";
import { keptMarker } from "../marker";
import type { Statement } from "../plan";
import { refuseDependants } from "../removal";
import { inTransaction, type Queryable, type Session, withObjectLock } from "../session";
import { readSql } from "../sqlFile";
import { renameStatements, roleStatements } from "../tableStatements";
import { type ActualAggregate, inspectAggregate, type KnownObject } from "./inspect";
import { markStatement } from "./plan";
import { restoreViewStatements } from "./view";

export interface RemoveOptions {
    readonly name: QualifiedName;
    /** The aggregate of the last apply, which a rename by hand does not hide. */
    readonly known?: KnownObject;
    /** Whose it is, where that is not the login. */
    readonly owner?: string;
    readonly searchPath: readonly string[];
    /** "keep" leaves the aggregate standing under a dated name, without jobs. */
    readonly onDelete: "drop" | "keep";
    /** Rows of history that may be lost. */
    readonly acceptLoss: number;
    readonly onRetry: (reason: string) => void;
}

/** What exists in the aggregate alone. */
export interface HistoryAtStake {
    readonly rows: number;
    /** First and last bucket, as the server prints them; null when there is none. */
    readonly oldest: string | null;
    readonly newest: string | null;
    /** Where raw data begins; null when there is no raw data at all. */
    readonly rawBegins: string | null;
}

/** Drops the aggregate with its jobs; whether there was one. */
export function removeAggregate(session: Session, options: RemoveOptions): Promise<boolean> {
    return withObjectLock(session, displayName(options.name), options.onRetry, () =>
        removeLocked(session, options),
    );
}

async function removeLocked(session: Session, options: RemoveOptions): Promise<boolean> {
    const { name, searchPath, acceptLoss } = options;
    const object = displayName(name);
    const found = await inTransaction(session, { readOnly: true, searchPath }, async (client) => {
        const actual = await inspectAggregate(client, name, options.known);
        // Something else that took the name is none of this resource's.
        if (actual.kind !== "aggregate") return undefined;
        if (options.onDelete === "keep") return actual;
        const view = actual.view.state === "renamed" ? actual.view.to : actual.name;
        await refuseDependants(client, "continuous aggregate", view);
        const stake = await historyAtStake(client, actual);
        if (stake.rows > acceptLoss) throw lossRefused(object, stake, acceptLoss);
        return actual;
    });
    if (found === undefined) return false;
    await applyStatements(
        session,
        [
            ...roleStatements(options.owner, session.connection.user),
            ...reachable(found),
            ...(options.onDelete === "keep"
                ? keepStatements(name, found)
                : [
                      {
                          name: "drop_continuous_aggregate",
                          sql: `DROP MATERIALIZED VIEW ${quoteQualified(found.name)}`,
                      },
                  ]),
        ],
        { object, searchPath, onRetry: options.onRetry },
    );
    return true;
}

/** An orphaned aggregate answers to no statement before it has its view again. */
function reachable(actual: ActualAggregate): Statement[] {
    const { state } = actual.view;
    return state === "renamed" || state === "missing" ? restoreViewStatements(actual) : [];
}

/** The aggregate without its jobs, under a name with today's date; readers of the old name are cut off. */
function keepStatements(name: QualifiedName, actual: ActualAggregate): Statement[] {
    const date = new Date().toISOString().slice(0, 10).replaceAll("-", "");
    const suffix = `_kept_${date}_${actual.materializationId}`;
    // PostgreSQL would cut a longer name without a word, and the suffix with it.
    const stem = Buffer.from(name.name, "utf8").subarray(0, maximumIdentifierBytes - suffix.length);
    const kept = {
        schema: name.schema,
        name: `${stem.toString("utf8").replace(/\uFFFD+$/, "")}${suffix}`,
    };
    return [
        ...actual.jobs.map(deleteJob),
        ...renameStatements("MATERIALIZED VIEW", actual.name, kept),
        markStatement(kept, keptMarker(displayName(name))),
    ];
}

export async function historyAtStake(
    client: Queryable,
    actual: ActualAggregate,
): Promise<HistoryAtStake> {
    const floors = await client.query<{ floor: string }>(readSql("catalog/raw_floor.sql"), [
        actual.sourceId,
    ]);
    const floor = floors.rows[0]?.floor ?? "infinity";
    const bucket = escapeIdentifier(actual.timeColumn);
    const { rows } = await client.query<{
        rows: string;
        oldest: string | null;
        newest: string | null;
    }>(
        [
            `SELECT count(*) AS rows, min(${bucket})::text AS oldest, max(${bucket})::text AS newest`,
            `FROM ${quoteQualified(actual.materialization)}`,
            `WHERE ${bucket} < ${escapeLiteral(floor)}::timestamptz`,
            // The bucket that holds the first raw row may begin before the chunk that the row is in.
            `AND ${bucket} + ${escapeLiteral(actual.bucketWidth ?? "0")}::interval <= ${escapeLiteral(floor)}::timestamptz`,
        ].join("\n"),
    );
    const row = rows[0];
    return {
        rows: Number(row?.rows ?? 0),
        oldest: row?.oldest ?? null,
        newest: row?.newest ?? null,
        rawBegins: floor === "infinity" ? null : floor,
    };
}

function lossRefused(object: string, stake: HistoryAtStake, accepted: number): TimescaleError {
    const raw =
        stake.rawBegins === null ? "there is no raw data" : `raw data begins ${stake.rawBegins}`;
    return new TimescaleError(`dropping continuous aggregate ${object} would lose history`, {
        code: "loses_history",
        detail: `${stake.rows} rows from ${stake.oldest} to ${stake.newest} exist only in it; ${raw}, and acceptLoss covers ${accepted} rows`,
        hint: `keep it out of the rollback, or accept the loss with acceptLoss: { upToRows: ${stake.rows} } and run up before destroy`,
        object,
    });
}
