/**
 * Runs a plan's statements: short transactions, tried again when they lose a race for a lock, and by
 * themselves those that commit in the middle.
 */
import { backOff } from "exponential-backoff";
import type { Client } from "pg";

import { isTransient, serverError } from "../connection/serverErrors";
import { inTransaction, type Session, withSettings } from "../connection/session";
import type { Statement } from "./plan";

export interface ApplyOptions {
    /** Qualified name for messages. */
    readonly object: string;
    readonly searchPath: readonly string[];
    /** Told when a statement lost a race and is about to be tried again. */
    readonly onRetry?: (reason: string) => void;
    /**
     * Runs first in the transaction. What it does is too long to be done anew for every lock that is
     * waited for: once it has ended, only the statements are tried again, and its locks are kept.
     */
    readonly prepare?: ((client: Client) => Promise<void>) | undefined;
}

/** How long a statement may queue for a lock, and with it every writer behind it, in milliseconds. */
const lockTimeout = 2000;

/**
 * In their order: neighbours in one transaction, all of them or none, and each that is outside by itself.
 *
 * @throws TimescaleError with the name of the statement that failed
 */
export async function applyStatements(
    session: Session,
    statements: readonly Statement[],
    options: ApplyOptions,
): Promise<void> {
    let together: Statement[] = [];
    const commit = async (): Promise<void> => {
        if (together.length > 0) await applyInTransaction(session, together, options);
        together = [];
    };
    for (const statement of statements) {
        if (statement.outside === undefined) {
            together.push(statement);
        } else {
            await commit();
            await applyOutside(session, statement, statement.outside.undo, options);
        }
    }
    await commit();
}

async function applyInTransaction(
    session: Session,
    statements: readonly Statement[],
    { object, searchPath, onRetry, prepare }: ApplyOptions,
): Promise<void> {
    let running = "begin";
    const run = async (client: Client): Promise<void> => {
        for (const { name, sql, values } of statements) {
            running = name;
            await client.query(sql, values as unknown[] | undefined);
        }
    };
    let prepared = false;
    await retrying(
        onRetry,
        () => running,
        () =>
            inTransaction(session, { searchPath, lockTimeout }, async (client) => {
                if (prepare === undefined) return run(client);
                running = "prepare";
                await prepare(client);
                prepared = true;
                return retrying(
                    onRetry,
                    () => running,
                    () => underSavepoint(client, run),
                );
            }),
        () => !prepared,
    ).then(undefined, (error: unknown) => {
        throw serverError(error, { statement: running, object });
    });
}

async function underSavepoint(
    client: Client,
    run: (client: Client) => Promise<void>,
): Promise<void> {
    await client.query("SAVEPOINT prepared");
    try {
        await run(client);
    } catch (error) {
        // A connection that broke is told of by the error itself.
        await client
            .query("ROLLBACK TO SAVEPOINT prepared; RELEASE SAVEPOINT prepared")
            .then(undefined, () => undefined);
        throw error;
    }
}

/** The settings of a transaction, for the session, because the statement commits in the middle. */
async function applyOutside(
    { client }: Session,
    { name, sql }: Statement,
    undo: string | undefined,
    { object, searchPath, onRetry }: ApplyOptions,
): Promise<void> {
    const attempt = async (): Promise<void> => {
        try {
            await client.query(sql);
        } catch (error) {
            // A connection that broke is told of by the error itself.
            if (undo !== undefined) {
                await client.query(undo).then(undefined, () => undefined);
            }
            throw error;
        }
    };
    await withSettings(client, searchPath, lockTimeout, () =>
        retrying(onRetry, () => name, attempt),
    ).then(undefined, (error: unknown) => {
        throw serverError(error, { statement: name, object });
    });
}

function retrying(
    onRetry: ApplyOptions["onRetry"],
    running: () => string,
    work: () => Promise<void>,
    mayRetry: () => boolean = () => true,
): Promise<void> {
    return backOff(work, {
        // Some five minutes in all: long enough for a busy table, short enough to be told of.
        numOfAttempts: 40,
        startingDelay: 200,
        maxDelay: 8000,
        jitter: "full",
        retry: (error: unknown, attempt: number) => {
            if (!isTransient(error) || !mayRetry()) return false;
            onRetry?.(
                `${running()} waits its turn, attempt ${attempt + 1}: ${error instanceof Error ? error.message : String(error)}`,
            );
            return true;
        },
    });
}
