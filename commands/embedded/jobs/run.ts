/**
 * One run of a TimescaleDB job in one turn of the database session. `run_job` executes a job and
 * records nothing, so start and end are written into the catalog as TimescaleDB's own scheduler
 * writes them: `timescaledb_information.job_stats` and `job_errors` show what they show on a server.
 */
import { readSql } from "../../../components/timescale/core/sqlFile";
import { BackendRefusal, type Row } from "../backend";
import { superuser } from "../login";
import { defaultSettings } from "../session";
import type { OwnSession } from "../turns";
import type { JobEvent, JobName } from "./events";

export interface ScheduledJob extends JobName {
    readonly name: string;
    readonly owner: string;
    /** In milliseconds; 0 is no limit. */
    readonly maxRuntime: number;
    readonly due: boolean;
}

type Outcome = "success" | "failure" | "crash";

interface Ending {
    readonly next: string;
    readonly milliseconds: number;
    readonly failures: number;
    readonly exhausted: boolean;
}

/** The jobs that are switched on, the longest due first. */
export async function readScheduledJobs(session: OwnSession): Promise<readonly ScheduledJob[]> {
    const rows = await session.query(readSql("jobs/scheduled.sql"), []);
    return rows.map((row) => row as unknown as ScheduledJob);
}

/** Records what the end of the server interrupted, and says when it runs again. */
export async function recordCrashes(session: OwnSession): Promise<readonly JobEvent[]> {
    const events: JobEvent[] = [];
    for (const row of await session.query(readSql("jobs/crashed.sql"), [])) {
        const job = row as unknown as JobName;
        const error = { sqlerrcode: "57P01", message: "the server ended while the job ran" };
        const ending = await recordEnd(session, job, "crash", error);
        events.push({ kind: "crashed", job, next: ending?.next });
    }
    return events;
}

/** Runs the job as its owner; `undefined` when it is gone or switched off by now. */
export async function runJob(
    session: OwnSession,
    job: ScheduledJob,
): Promise<JobEvent | undefined> {
    const [started] = await session.query(readSql("jobs/started.sql"), [job.id]);
    if (started === undefined) return undefined;
    const refusal = await execute(session, job);
    if (refusal === undefined) {
        const ending = await recordEnd(session, job, "success");
        const milliseconds = ending?.milliseconds ?? 0;
        return {
            kind: "succeeded",
            job,
            milliseconds,
            next: ending?.next,
            failuresBefore: Number(started["failures"]),
            overran:
                job.maxRuntime > 0 && milliseconds > job.maxRuntime ? job.maxRuntime : undefined,
        };
    }
    const { code, message, fields } = refusal;
    const ending = await recordEnd(session, job, "failure", {
        sqlerrcode: code,
        message,
        ...fields,
    });
    return {
        kind: "failed",
        job,
        code,
        message,
        milliseconds: ending?.milliseconds ?? 0,
        next: ending?.next,
        failures: ending?.failures ?? 1,
        exhausted: ending?.exhausted ?? false,
    };
}

/** Not in a transaction, which a refresh refuses. */
async function execute(
    session: OwnSession,
    { id, name, owner }: ScheduledJob,
): Promise<BackendRefusal | undefined> {
    const call = (await refreshCall(session, id)) ?? `CALL run_job(${id})`;
    try {
        await session.become({
            user: owner,
            settings: { ...defaultSettings, application_name: name },
        });
        await session.query(call);
        return undefined;
    } catch (error) {
        if (error instanceof BackendRefusal) return error;
        throw error;
    } finally {
        await session.become(superuser);
    }
}

/**
 * A refresh policy in one go, unless it says itself how many buckets it takes at a time. From 2.19 on the default is
 * batches of one bucket for large windows, walked through also where there is nothing: a first refresh without a start
 * offset would take minutes, and everybody waits for it here.
 */
async function refreshCall(session: OwnSession, id: number): Promise<string | undefined> {
    const [row] = await session.query(readSql("jobs/refresh_at_once.sql"), [id]);
    return row === undefined ? undefined : String(row["call"]);
}

async function recordEnd(
    session: OwnSession,
    job: JobName,
    outcome: Outcome,
    error: Readonly<Record<string, string>> = {},
): Promise<Ending | undefined> {
    // As the server has it, so that jobs that fail together do not come back together.
    const jitter = (Math.random() - 0.5) / 4;
    const parameters = [job.id, outcome, JSON.stringify(error), jitter];
    const [row]: readonly Row[] = await session.query(readSql("jobs/ended.sql"), parameters);
    return row as unknown as Ending | undefined;
}
