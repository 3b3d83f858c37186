/**
 * Fills an aggregate: oldest buckets first, in windows that take about two seconds, never below the raw data that is
 * whole and never into the future. What is filled already is left alone, as the catalog has it.
 */
import { backOff } from "exponential-backoff";
import { DatabaseError } from "pg";

import { isTransient, serverError } from "../connection/serverErrors";
import type { Session } from "../connection/session";
import { TimescaleError } from "../errors";
import { displayName, escapeLiteral } from "../identifier";
import { defaultYield, fillGuard } from "./fillGuard";
import {
    aboveFloor,
    firstPace,
    nextPace,
    type Pace,
    slowerPace,
    takeWindow,
    totalLength,
} from "./fillPace";
import { describeProgress } from "./fillProgress";
import {
    type FillRange,
    type FillScope,
    type FillWindow,
    lengthOf,
    readRange,
    readUnits,
} from "./fillRange";
import type { ActualAggregate } from "./inspect";
import { refreshCall } from "./refreshCall";

export interface FillOptions extends FillScope {
    readonly aggregate: ActualAggregate;
    /** Where refresh_continuous_aggregate lives. */
    readonly extensionSchema: string;
    /** How many of equal parts are done, and the same in words; before each window and at the end. */
    readonly onProgress: (done: number, total: number, text: string) => void;
    /** What it waits for meanwhile. */
    readonly onStatus?: ((text: string) => void) | undefined;
    /** When it is aborted, the fill ends after the window that is running. */
    readonly stop?: AbortSignal | undefined;
    /** How long one run of a policy's job is waited for, in milliseconds; default: a minute. */
    readonly yieldFor?: number;
}

/** Buckets end while older ones are filled. Each pass takes what has come since, and is shorter than the last. */
const passes = 5;

/**
 * Fills what is not filled yet; returns how many windows that took.
 *
 * @throws TimescaleError; another fill goes on where this one ended
 */
export async function fill(session: Session, options: FillOptions): Promise<number> {
    const unwatch = await watchClient(session);
    try {
        let windows = 0;
        let from = options.from;
        for (let pass = 0; pass < passes; pass += 1) {
            const scope = { ...options, from };
            const range = await readRange(session, scope);
            if (range === undefined) break;
            windows += await fillPass(session, scope, range);
            from = range.upper;
        }
        return windows;
    } finally {
        await unwatch();
    }
}

async function fillPass(session: Session, options: FillOptions, range: FillRange): Promise<number> {
    const { onProgress, onStatus = () => undefined, stop } = options;
    const units = await readUnits(session, options, range);
    const guard = fillGuard(session, options, onStatus, options.yieldFor ?? defaultYield);
    let rawFrom: string | null = range.rawFrom;
    let pending: readonly FillWindow[] = units.filter((unit) => unit.pending);
    let pace = firstPace(units[0] === undefined ? 1 : lengthOf(units[0]), range.chunk);
    let windows = 0;
    const total = totalLength(units);
    const words = (): string => {
        const rest = totalLength(pending);
        return describeProgress({
            range: { start: range.lower, end: range.upper },
            done: total - rest,
            total,
            window: pace.last,
            left: pace.cost === undefined ? undefined : pace.cost * rest,
        });
    };
    const onStop = (): void =>
        onStatus(`stopping after this window; the next run goes on; ${words()}`);
    stop?.addEventListener("abort", onStop);
    try {
        for (;;) {
            onProgress(units.length - pending.length, units.length, words());
            if (pending.length === 0) return windows;
            const seen = await guard.look(stop);
            if (stop?.aborted === true) throw stopped(options, words());
            if (seen !== rawFrom) {
                // Retention has taken raw data since.
                const now = await readRange(session, options);
                pending = now === undefined ? [] : aboveFloor(pending, now.lower);
                rawFrom = seen;
            }
            const next = takeWindow(pending, pace.stride);
            if (next === undefined) continue;
            const slower = await paced(session, options, next.window, pace);
            pace = slower.pace;
            if (!slower.done) continue;
            pending = pending.slice(next.count);
            windows += 1;
        }
    } finally {
        stop?.removeEventListener("abort", onStop);
    }
}

function stopped({ name }: FillOptions, progress: string): TimescaleError {
    const object = displayName(name);
    return new TimescaleError(`the fill of ${object} was stopped`, {
        code: "fill_stopped",
        detail: progress,
        hint: "run the same command again: it goes on where this one stopped",
        object,
    });
}

/** Not done: the server cancelled it, and shorter windows are left to try. */
async function paced(
    session: Session,
    options: FillOptions,
    window: FillWindow,
    pace: Pace,
): Promise<{ readonly done: boolean; readonly pace: Pace }> {
    const started = performance.now();
    try {
        await refresh(session, options, window);
    } catch (error) {
        const slower = isTimeout(error) ? slowerPace(pace) : undefined;
        if (slower !== undefined) return { done: false, pace: slower };
        throw serverError(error, {
            statement: "refresh_continuous_aggregate",
            object: options.name.name,
        });
    }
    return { done: true, pace: nextPace(pace, lengthOf(window), performance.now() - started) };
}

function isTimeout(error: unknown): boolean {
    return (
        error instanceof DatabaseError && error.code === "57014" && /timeout/.test(error.message)
    );
}

/** Refreshes one window: one CALL and nothing else, because the procedure commits in the middle. */
async function refresh(session: Session, options: FillOptions, window: FillWindow): Promise<void> {
    const { aggregate, name, onStatus } = options;
    const bound = (time: string): string =>
        `${escapeLiteral(time)}::${literalType(aggregate.timeType)}`;
    const call = refreshCall(options.extensionSchema, name, bound(window.start), bound(window.end));
    await backOff(() => session.client.query(call), {
        numOfAttempts: 12,
        startingDelay: 200,
        maxDelay: 8000,
        jitter: "full",
        retry: (error: unknown, attempt: number) => {
            if (!isTransient(error)) return false;
            const reason = error instanceof Error ? error.message : String(error);
            onStatus?.(`the fill tries its window again, attempt ${attempt + 1}: ${reason}`);
            return true;
        },
    });
}

/** A time without zone is read in UTC, as the windows are written. */
function literalType(timeType: string): string {
    return timeType === "timestamp without time zone" || timeType === "date"
        ? timeType
        : "timestamptz";
}

/**
 * Has the server look once a second whether this client still lives: otherwise it would go on with a window for nobody,
 * and the next fill would wait for it. Returns what takes the setting back.
 */
async function watchClient({ client }: Session): Promise<() => Promise<void>> {
    const setting = "client_connection_check_interval";
    const set = await client.query(`SET ${setting} TO '1s'`).then(
        () => true,
        // Before PostgreSQL 14, and where the system cannot tell.
        () => false,
    );
    return async () => {
        if (set) await client.query(`RESET ${setting}`).then(undefined, () => undefined);
    };
}
