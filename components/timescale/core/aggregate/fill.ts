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
    /** Not below it; a literal in UTC. Default: what raw data has. */
    readonly from?: string;
    readonly onProgress: (done: number, total: number) => void;
}

/** Fills every window; returns how many there were. */
export async function fill(session: Session, options: FillOptions): Promise<number> {
    const windows = await fillWindows(session, options);
    const total = windows.length;
    let done = 0;
    let stride = 1;
    while (done < total) {
        options.onProgress(done, total);
        const next = windows.slice(done, done + stride);
        const [first, last] = [next[0], next.at(-1)];
        if (first === undefined || last === undefined) break;
        const started = performance.now();
        await refresh(session, options, { start: first.start, end: last.end });
        done += next.length;
        stride = nextStride(stride, performance.now() - started);
    }
    if (total > 0) options.onProgress(total, total);
    return total;
}

/** Milliseconds that one refresh should take: long enough to be worth its own cost, short enough to stop after. */
const wantedDuration = { shortest: 250, longest: 2000 } as const;

/** About one chunk of the materialized buckets, which is ten times that of the source. */
const longestStride = 10;

/** How many windows the next refresh takes at once, from how long the last one took. */
function nextStride(stride: number, duration: number): number {
    if (duration < wantedDuration.shortest) return Math.min(stride * 2, longestStride);
    if (duration > wantedDuration.longest) return Math.max(1, Math.floor(stride / 2));
    return stride;
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
    const { from } = options;
    const kept = from === undefined ? edges : [from, ...edges.filter((edge) => edge > from)];
    return kept.slice(1).map((end, index) => ({ start: kept[index] ?? end, end }));
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
