/**
 * The first fill: oldest buckets first, in windows small enough to stop between, never below the
 * first raw chunk and never into the future. What is filled already costs about a millisecond a
 * window, so that a fill which was stopped simply starts again.
 */
import { backOff } from "exponential-backoff";

import { escapeLiteral, type QualifiedName, quoteQualified } from "../identifier";
import { isTransient, serverError } from "../serverErrors";
import { inTransaction, type Session } from "../session";
import { readSql } from "../sqlFile";
import type { ActualAggregate } from "./inspect";

export interface FillWindow {
    /** Inclusive; a literal of the time column, in UTC. */
    readonly start: string;
    /** Exclusive. */
    readonly end: string;
}

export interface FillOptions {
    readonly name: QualifiedName;
    readonly aggregate: ActualAggregate;
    /** The aggregate's own retention: older buckets would only be dropped again. Null: it has none. */
    readonly retention: string | null;
    readonly searchPath: readonly string[];
    /** Where refresh_continuous_aggregate lives. */
    readonly extensionSchema: string;
    readonly onProgress: (done: number, total: number) => void;
}

/** Fills every window; returns how many there were. */
export async function fill(session: Session, options: FillOptions): Promise<number> {
    const windows = await fillWindows(session, options);
    const total = windows.length;
    for (const [index, window] of windows.entries()) {
        options.onProgress(index, total);
        await refresh(session, options, window);
    }
    if (total > 0) options.onProgress(total, total);
    return total;
}

async function fillWindows(session: Session, options: FillOptions): Promise<FillWindow[]> {
    const { aggregate, name } = options;
    const edges = await inTransaction(
        session,
        { readOnly: true, searchPath: options.searchPath },
        async (client) => {
            const started = await client.query<{ started: boolean }>(
                `SELECT EXISTS (SELECT FROM ${quoteQualified(aggregate.materialization)}) AS started`,
            );
            const { rows } = await client.query<{ edge: string }>(
                readSql("catalog/fill_windows.sql"),
                [aggregate.materializationId, options.retention, started.rows[0]?.started ?? false],
            );
            return rows.map(({ edge }) => edge);
        },
    ).then(undefined, (error: unknown) => {
        throw serverError(error, { statement: "fill_windows", object: name.name });
    });
    return edges.slice(1).map((end, index) => ({ start: edges[index] ?? end, end }));
}

/** Refreshes one window: one CALL and nothing else, because the procedure commits in the middle. */
async function refresh(session: Session, options: FillOptions, window: FillWindow): Promise<void> {
    const { aggregate, name } = options;
    const bound = (time: string): string =>
        `${escapeLiteral(time)}::${literalType(aggregate.timeType)}`;
    const procedure = quoteQualified({
        schema: options.extensionSchema,
        name: "refresh_continuous_aggregate",
    });
    const call = `CALL ${procedure}(${escapeLiteral(quoteQualified(name))}::regclass, ${bound(window.start)}, ${bound(window.end)})`;
    await backOff(() => session.client.query(call), {
        numOfAttempts: 8,
        startingDelay: 200,
        maxDelay: 5000,
        jitter: "full",
        retry: isTransient,
    }).then(undefined, (error: unknown) => {
        throw serverError(error, { statement: "refresh_continuous_aggregate", object: name.name });
    });
}

/** A time without zone is read in UTC, as the windows are written. */
function literalType(timeType: string): string {
    return timeType === "timestamp without time zone" || timeType === "date"
        ? timeType
        : "timestamptz";
}
