/** Runs a plan's statements: one short transaction, tried again when it loses a race for a lock. */
import { backOff } from "exponential-backoff";

import type { Statement } from "./plan";
import { isTransient, serverError } from "./serverErrors";
import { inTransaction, type Session } from "./session";

export interface ApplyOptions {
    /** Qualified name for messages. */
    readonly object: string;
    readonly searchPath: readonly string[];
    /** Told when the transaction lost a race and is about to be tried again. */
    readonly onRetry?: (reason: string) => void;
}

/** How long a statement may queue for a lock, and with it every writer behind it. */
const lockTimeout = 2000;

/**
 * All statements or none of them.
 *
 * @throws TimescaleError with the name of the statement that failed
 */
export async function applyStatements(
    session: Session,
    statements: readonly Statement[],
    { object, searchPath, onRetry }: ApplyOptions,
): Promise<void> {
    if (statements.length === 0) return;
    let running = "begin";
    await backOff(
        () =>
            inTransaction(session, { searchPath, lockTimeout }, async (client) => {
                for (const { name, sql, values } of statements) {
                    running = name;
                    await client.query(sql, values as unknown[] | undefined);
                }
            }),
        {
            // Some five minutes in all: long enough for a busy table, short enough to be told of.
            numOfAttempts: 40,
            startingDelay: 200,
            maxDelay: 8000,
            jitter: "full",
            retry: (error: unknown, attempt: number) => {
                if (!isTransient(error)) return false;
                onRetry?.(
                    `${running} waits its turn, attempt ${attempt + 1}: ${error instanceof Error ? error.message : String(error)}`,
                );
                return true;
            },
        },
    ).then(undefined, (error: unknown) => {
        throw serverError(error, { statement: running, object });
    });
}
