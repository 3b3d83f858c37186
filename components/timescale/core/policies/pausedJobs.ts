/** Keeping an object's jobs from running while it is being removed. */
import type { Session } from "../connection/session";
import { applyStatements } from "../plan/apply";
import { roleStatements } from "../relation/tableStatements";
import { readSql } from "../sqlFile";
import { scheduleJob } from "./jobStatements";
import type { ActualJob } from "./policy";

export interface PausingOptions {
    /** Qualified name for messages. */
    readonly object: string;
    readonly jobs: readonly ActualJob[];
    /** Whose the jobs are, where that is not the login. */
    readonly owner: string | undefined;
    readonly searchPath: readonly string[];
    readonly onRetry: (reason: string) => void;
}

/**
 * Runs `work` while none of the jobs is started, after those that run were cancelled. When it fails,
 * they are scheduled again. A process that was killed leaves them paused: the next preview shows that
 * as a difference, and `up` puts it back.
 */
export async function withJobsPaused<T>(
    session: Session,
    { object, jobs, owner, searchPath, onRetry }: PausingOptions,
    work: () => Promise<T>,
): Promise<T> {
    const role = roleStatements(owner, session.connection.user);
    // Another's job goes with the object all the same, only not paused before.
    const scheduled = jobs.filter(
        ({ scheduled, ownedByMember }) => scheduled && ownedByMember !== false,
    );
    const apply = (to: boolean): Promise<void> =>
        applyStatements(session, [...role, ...scheduled.map((job) => scheduleJob(job, to))], {
            object,
            searchPath,
            onRetry,
        });
    if (scheduled.length === 0) return work();
    await apply(false);
    try {
        await cancelRuns(session, scheduled);
        return await work();
    } catch (error) {
        // Where the connection broke, the error itself tells; the jobs are put back by the next up.
        await apply(true).then(undefined, () => undefined);
        throw error;
    }
}

/** A run holds locks on what is to go, and would be cancelled by its removal in any case. */
async function cancelRuns({ client }: Session, jobs: readonly ActualJob[]): Promise<void> {
    await client.query(readSql("catalog/cancel_jobs.sql"), [jobs.map(({ id }) => id)]);
}
