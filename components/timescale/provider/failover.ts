/**
 * An operation goes on when the server behind its address changes in the middle: a connection that is
 * lost, nobody listening for a while, a standby that is not promoted yet. Starting over on a new
 * connection is safe, because every operation reads first what stands and does only what is missing.
 *
 * What is committed and was lost on the way is found standing; what a promoted standby has not got is
 * done again.
 */
import { backOff } from "exponential-backoff";

import type { Connection } from "../core/connection/connection";
import { TimescaleError } from "../core/errors";

/** How long a server may be away, in milliseconds, unless the environment says otherwise. */
const usualPatience = 60_000;

/** Seconds that a server may be away in the middle of an operation; 0: no waiting. */
export const failoverVariable = "PULUMI_TIMESCALE_FAILOVER_SECONDS";

export function failoverPatience(environment: NodeJS.ProcessEnv): number {
    const given = environment[failoverVariable];
    if (given === undefined || !/^\d{1,5}$/.test(given)) return usualPatience;
    return Number(given) * 1000;
}

/** What a server says, or does not say any more, while another takes its place. */
export function isAway(error: unknown): boolean {
    if (!(error instanceof Error)) return false;
    const code = "code" in error ? String(error.code) : "";
    return (
        /^(?:08\w{3}|57P0[123]|25006)$/.test(code) ||
        awayCodes.includes(code) ||
        // What pg says of a connection that broke has no code.
        /^Connection terminated|^Client has encountered a connection error/.test(error.message)
    );
}

const awayCodes: readonly string[] = [
    ...["connection_lost", "connection_refused", "connection_timeout", "host_unreachable"],
    ...["ECONNRESET", "EPIPE"],
];

export interface FailoverOptions {
    /** How long it may be away at a time, in milliseconds; 0: no waiting. */
    readonly patience: number;
    readonly onStatus: (text: string) => void;
    /** Told once, when an operation that was cut off has come to its end after all. */
    readonly onSurvived: (text: string) => void;
    /** Aborted by Ctrl-C: nothing more is waited for. */
    readonly stop?: AbortSignal | undefined;
}

/**
 * Runs `work`, and again on a new connection while the server is away. Only after `work` has had a
 * connection once: an address that never answered is more likely wrong.
 *
 * @param work has to call `opened` when it has a connection; `again`: it has had one before
 * @throws TimescaleError what went wrong last; with code `failover` when the server was away too long
 */
export async function throughFailover<T>(
    connection: Connection,
    { patience, onStatus, onSurvived, stop }: FailoverOptions,
    work: (opened: () => void, again: boolean) => Promise<T>,
): Promise<T> {
    let lost: { readonly first: Error; readonly since: number } | undefined;
    let opened = 0;
    const attempt = (): Promise<T> =>
        work(() => {
            opened = Date.now();
        }, lost !== undefined);
    const result = await backOff(attempt, {
        numOfAttempts: Number.MAX_SAFE_INTEGER,
        startingDelay: 500,
        maxDelay: 3000,
        retry: (error: unknown) => {
            if (!(error instanceof Error) || !isAway(error) || opened === 0) return false;
            if (stop?.aborted === true || patience === 0) return false;
            // One that had been worked with for that long was back: it is another time that it went.
            const wasBack = lost !== undefined && opened > lost.since && Date.now() - opened > patience; // prettier-ignore
            if (lost === undefined || wasBack) lost = { first: error, since: Date.now() };
            const left = lost.since + patience - Date.now();
            if (left <= 0) return false;
            onStatus(
                `${place(connection)} is away (${reasonOf(error)}): trying again, for up to ${Math.ceil(left / 1000)} s`,
            );
            return true;
        },
    }).then(undefined, (error: unknown) => {
        throw lost === undefined || stop?.aborted === true || !isAway(error)
            ? error
            : tooLong(connection, patience, lost.first, error);
    });
    if (lost !== undefined) {
        onSurvived(
            `the connection to ${place(connection)} was lost in the middle (${reasonOf(lost.first)}); the work went on with a new one`,
        );
    }
    return result;
}

function tooLong(
    connection: Connection,
    patience: number,
    first: Error,
    last: unknown,
): TimescaleError {
    return new TimescaleError(
        `${place(connection)} was lost in the middle, and takes no writes again after ${patience / 1000} seconds`,
        {
            code: "failover",
            detail: `at first: ${reasonOf(first)}; in the end: ${reasonOf(last)}`,
            hint: `when the endpoint leads to a server that takes writes, run the same command again: it goes on where this one stopped; to wait longer, set ${failoverVariable}`,
            object: first instanceof TimescaleError ? first.object : undefined,
            cause: last,
        },
    );
}

function place({ host, port }: Connection): string {
    return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function reasonOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
