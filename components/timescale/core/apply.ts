/**
 * Runs a plan's statements: one short transaction, tried again when it loses a race for a lock, and
 * after it those that commit in the middle.
 */
import { backOff } from "exponential-backoff";
import type { Client } from "pg";

import type { Statement } from "./plan";
import { isTransient, serverError } from "./serverErrors";
import { inTransaction, resetStatements, type Session, settingStatements } from "./session";

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
 * All statements of the transaction or none of them, then the others one by one.
 *
 * @throws TimescaleError with the name of the statement that failed
 */
export async function applyStatements(
    session: Session,
    statements: readonly Statement[],
    options: ApplyOptions,
): Promise<void> {
    const inside = statements.filter(({ outside }) => outside === undefined);
    if (inside.length > 0) await applyInTransaction(session, inside, options);
    for (const statement of statements) {
        if (statement.outside !== undefined) {
            await applyOutside(session, statement, statement.outside.undo, options);
        }
    }
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
    undo: string,
    { object, searchPath, onRetry }: ApplyOptions,
): Promise<void> {
    await client.query(settingStatements("SESSION", searchPath, lockTimeout));
    try {
        await retrying(
            onRetry,
            () => name,
            async () => {
                try {
                    await client.query(sql);
                } catch (error) {
                    // A connection that broke is told of by the error itself.
                    await client.query(undo).then(undefined, () => undefined);
                    throw error;
                }
            },
        );
    } catch (error) {
        throw serverError(error, { statement: name, object });
    } finally {
        await client.query(resetStatements).then(undefined, () => undefined);
    }
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
