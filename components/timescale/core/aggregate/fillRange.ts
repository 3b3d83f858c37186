/**
 * What of an aggregate can be filled, and what of it is still to be done: read from the catalog alone, so that
 * a fill which was stopped, in whatever way, goes on from there.
 */
import { serverError } from "../connection/serverErrors";
import { inTransaction, type Queryable, type Session } from "../connection/session";
import { escapeIdentifier, type QualifiedName, quoteQualified } from "../identifier";
import { readSql } from "../sqlFile";
import type { ActualAggregate } from "./inspect";

export interface FillScope {
    readonly name: QualifiedName;
    readonly aggregate: Pick<
        ActualAggregate,
        "materialization" | "materializationId" | "timeColumn"
    >;
    /** The aggregate's own retention: older buckets would only be dropped again. Null: it has none. */
    readonly retention: string | null;
    readonly searchPath: readonly string[];
    /** Inclusive; a literal in UTC. Default: where raw data begins. A bucket that begins before it is left out. */
    readonly from?: string | undefined;
    /** Exclusive; a literal in UTC. Default, and at most: where the last bucket that is over ends. */
    readonly to?: string | undefined;
    /**
     * Whether buckets that stand are computed again where raw data has changed since. Default false: that is left to the
     * refresh policy, for what has changed may also be that retention took the raw data.
     */
    readonly recompute?: boolean | undefined;
}

/** Whole buckets. All times are literals in UTC, such as `2026-08-24T00:00:00.000000Z`, in text order. */
export interface FillRange {
    /** Inclusive: below it raw data is not whole, and a refresh would take from buckets that stand. */
    readonly lower: string;
    /** Exclusive. */
    readonly upper: string;
    /** Where the raw data begins that is whole. */
    readonly rawFrom: string;
    /** Where the last bucket that is over ends. */
    readonly present: string;
    /** Of a bucket; an interval. */
    readonly width: string;
    readonly timezone: string | null;
    /** The least that is filled at once; an interval. */
    readonly unit: string;
    /** What one chunk of raw data covers, and a bucket and a day at least; in milliseconds. */
    readonly chunk: number;
}

export interface FillWindow {
    /** Inclusive. */
    readonly start: string;
    /** Exclusive. */
    readonly end: string;
}

export interface FillUnit extends FillWindow {
    /** It was never computed; with `recompute` also: raw data has changed since. */
    readonly pending: boolean;
}

/** Undefined: there is nothing that could be filled. */
export function readRange(session: Session, scope: FillScope): Promise<FillRange | undefined> {
    return reading(session, scope, "fill_range", async (client) => {
        const { aggregate, retention, from = null, to = null } = scope;
        const started = await client.query<{ started: boolean }>(
            `SELECT EXISTS (SELECT FROM ${quoteQualified(aggregate.materialization)}) AS started`,
        );
        const { rows } = await client.query<FillRange & Record<string, unknown>>(
            readSql("catalog/fill_range.sql"),
            [aggregate.materializationId, retention, started.rows[0]?.started ?? false, from, to],
        );
        return rows[0];
    });
}

interface PendingPart extends FillWindow {
    readonly pendingFrom: string | null;
    readonly pendingTo: string | null;
}

/** The range in the smallest windows, oldest first. */
export function readUnits(
    session: Session,
    scope: FillScope,
    { lower, upper, unit, width, timezone }: FillRange,
): Promise<FillUnit[]> {
    return reading(session, scope, "fill_windows", async (client) => {
        const { rows } = await client.query<PendingPart & Record<string, unknown>>(
            readSql("catalog/fill_windows.sql"),
            [scope.aggregate.materializationId, lower, upper, unit, width, timezone],
        );
        const stands = scope.recompute === true ? [] : await standing(client, scope, rows);
        return rows.map(({ start, end, pendingFrom }, at) => {
            return { start, end, pending: pendingFrom !== null && stands[at] !== true };
        });
    });
}

/** Whether there are buckets in the part of each that is pending. */
async function standing(
    client: Queryable,
    { aggregate }: FillScope,
    parts: readonly PendingPart[],
): Promise<boolean[]> {
    const bucket = escapeIdentifier(aggregate.timeColumn);
    const { rows } = await client.query<{ stands: boolean }>(
        [
            "SELECT begins IS NOT NULL AND EXISTS (",
            `    SELECT FROM ${quoteQualified(aggregate.materialization)}`,
            `    WHERE ${bucket} >= begins AND ${bucket} < ends) AS stands`,
            "FROM unnest($1::timestamptz[], $2::timestamptz[]) WITH ORDINALITY AS part (begins, ends, number)",
            "ORDER BY number",
        ].join("\n"),
        [parts.map(({ pendingFrom }) => pendingFrom), parts.map(({ pendingTo }) => pendingTo)],
    );
    return rows.map(({ stands }) => stands);
}

function reading<T>(
    session: Session,
    { searchPath, name }: FillScope,
    statement: string,
    work: (client: Queryable) => Promise<T>,
): Promise<T> {
    return inTransaction(session, { readOnly: true, searchPath }, work).then(
        undefined,
        (error: unknown) => {
            throw serverError(error, { statement, object: name.name });
        },
    );
}

/** How long a window is, in milliseconds. */
export function lengthOf({ start, end }: FillWindow): number {
    return Date.parse(end) - Date.parse(start);
}
