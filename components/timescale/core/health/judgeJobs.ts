/** What is wrong with the jobs of a database. Pure. */
import { displayIdentifier } from "../identifier";
import { policyProcedures } from "../policies/policy";
import { workerFindings } from "../rules/live";
import { type HealthFinding, healthFinding } from "./finding";
import type { AggregateHealth, Health, HypertableHealth, JobHealth } from "./health";
import { isWithoutJobs, jobsHaveRunFor, secondsBetween } from "./lag";
import { counted, jobTitle, showLength, showTime } from "./words";

/** A run that ends on PostgreSQL 15.20 ends with this, its work done. */
const brokenPortal = /cannot drop portal/;

/** What the scheduler notes of a worker that ended without a word. */
const crash = /job crash detected/;

/** Seconds that a due job may wait for its worker. */
const patience = 60;

export function judgeJobs(health: Health): HealthFinding[] {
    const { server, jobs } = health;
    if (isWithoutJobs(server)) return judgePolicies(health);
    const own = jobs.filter((job) => !isOfVersion(health, job));
    const scheduled = own.filter((job) => job.scheduled);
    if (!server.scheduler && scheduled.length > 0) {
        return [schedulerMissing(scheduled.length), ...judgePolicies(health)];
    }
    return [
        ...own.flatMap((job) => judgeRuns(health, job)),
        ...judgeWorkers(health),
        ...judgePolicies(health),
    ];
}

function schedulerMissing(jobs: number): HealthFinding {
    return healthFinding("scheduler_missing", {
        object: "TimescaleDB's scheduler",
        message: "no job of this database runs",
        evidence: `${counted(jobs, "scheduled job")}, and no scheduler among the server's processes`,
        consequence: "aggregates fall behind, retention drops nothing, and disk fills up",
        mend: "SELECT _timescaledb_functions.start_background_workers() as a superuser; where that changes nothing, raise max_worker_processes and timescaledb.max_background_workers and restart the server",
        fix: { kind: "start_scheduler" },
    });
}

function judgeRuns(health: Health, job: JobHealth): HealthFinding[] {
    const { server } = health;
    const { now } = server;
    const object = jobTitle(job, health);
    if (!job.scheduled) return [];
    if (!job.ownerMayLogin) {
        return [
            healthFinding("job_owner_cannot_login", {
                object,
                message: `${job.owner} owns a job and has no LOGIN`,
                evidence: `${counted(job.runs, "run")}, ${job.failures + job.crashes} of them without success`,
                consequence: consequenceOf(job),
                mend: `ALTER ROLE ${displayIdentifier(job.owner)} LOGIN`,
            }),
        ];
    }
    const failing = judgeFailures(job, object, server.embedded);
    if (failing !== undefined) return [failing];
    const overdue = job.nextStart === null ? 0 : secondsBetween(job.nextStart, now);
    const waits = !job.running && jobsHaveRunFor(server) > patience;
    if (waits && job.runs === 0 && (job.nextStart === null || overdue > patience)) {
        return [
            healthFinding("job_never_started", {
                object,
                message: "it has never run",
                evidence:
                    job.nextStart === null
                        ? "no run is planned, and there was none"
                        : `it was due at ${showTime(job.nextStart)}, ${showLength(overdue)} ago, and there was no run`,
                consequence: consequenceOf(job),
                mend: workersMend(health),
            }),
        ];
    }
    if (waits && overdue > patience) {
        return [
            healthFinding("job_overdue", {
                object,
                message: "it is due, and no worker takes it",
                evidence: `due at ${showTime(job.nextStart ?? "")}, ${showLength(overdue)} ago; ${workersAre(health)}`,
                consequence: consequenceOf(job),
                mend: workersMend(health),
            }),
        ];
    }
    return judgeSpeed(job, object);
}

function judgeFailures(
    job: JobHealth,
    object: string,
    embedded: boolean,
): HealthFinding | undefined {
    const { error } = job;
    // Not by the last run's success: it is false from the moment that a run begins.
    const fails = job.consecutiveFailures > 0;
    const counts = `${job.failures} of ${counted(job.runs, "run")} failed, the last ${job.consecutiveFailures} in a row`;
    const consequence = consequenceOf(job);
    if (!fails && job.consecutiveCrashes === 0) return undefined;
    if (fails && error !== null && brokenPortal.test(error.message)) {
        return healthFinding("postgres_release_breaks_jobs", {
            object,
            message: "every run fails on this PostgreSQL release, its work done",
            evidence: `${counts}: ${error.message}`,
            consequence:
                "statistics count every run as failed, and real failures cannot be told from these; retries come more and more seldom",
            mend: "move to another minor release of PostgreSQL: 15.20 is known to be affected, 15.18 is not",
        });
    }
    if (fails && error?.code === "22003") {
        return healthFinding("overflow_stops_refresh", {
            object,
            message: "a value outgrew its type, and every refresh that meets it fails",
            evidence: `${counts}: ${error.message} (22003) at ${showTime(error.at)}`,
            consequence,
            mend: "cast to a wider type before aggregating, such as sum(x::bigint * x), and let the program rebuild the aggregate",
        });
    }
    if (fails && (error !== null ? !crash.test(error.message) : !job.ownedByMember)) {
        return healthFinding("job_failing", {
            object,
            message: "its last run failed",
            evidence:
                error === null
                    ? `${counts}; the server's text is told to members of ${job.owner} alone`
                    : `${counts}: ${error.message} (${error.code ?? "no code"}) at ${showTime(error.at)}`,
            consequence,
            mend: mendOf(job),
        });
    }
    const crashes = Math.max(1, job.consecutiveCrashes, job.consecutiveFailures);
    return healthFinding("job_crashing", {
        object,
        message: "runs of it end without an error",
        evidence: `${counted(job.crashes, "run")} crashed and ${job.failures} failed of ${job.runs}, the last ${crashes} in a row, and no error of theirs was left`,
        consequence,
        mend: embedded
            ? "npm run serve was ended in the middle of a run; it runs the job again five minutes after its next start"
            : 'the server\'s log tells: a worker that was killed, or "out of background workers" and "terminating background worker" where max_worker_processes is too low',
    });
}

function judgeSpeed(job: JobHealth, object: string): HealthFinding[] {
    const usual = job.meanRunTime ?? job.lastRunTime;
    const limit = Math.max(job.schedule, 10 * (usual ?? 0), patience);
    if (job.runningFor !== null && job.runningFor > limit) {
        return [
            healthFinding("job_stuck", {
                object,
                message: "a run does not end",
                evidence: `it has run for ${showLength(job.runningFor)}; usual are ${usual === null ? "none yet" : showLength(usual)}, scheduled every ${showLength(job.schedule)}`,
                consequence: `${consequenceOf(job)}; it may hold locks that others wait for`,
                mend: `see what it waits for: SELECT pid, wait_event_type, wait_event, pg_blocking_pids(pid) FROM pg_stat_activity WHERE application_name LIKE '%[${job.id}]'; SELECT pg_cancel_backend(pid) ends the run, and the next one does its work`,
            }),
        ];
    }
    const slow = Math.min(job.meanRunTime ?? 0, job.lastRunTime ?? 0);
    if (job.schedule > 0 && slow > job.schedule) {
        return [
            healthFinding("job_slower_than_schedule", {
                object,
                message: "runs cannot keep their schedule",
                evidence: `a run takes ${showLength(job.meanRunTime ?? slow)} on average of ${job.successes}, ${showLength(slow)} the last time, and is scheduled every ${showLength(job.schedule)}`,
                consequence:
                    "it takes a worker all the time, and the aggregate is as old as a run is long",
                mend: `set scheduleInterval to more than ${showLength(2 * slow)}, or refresh less with a shorter startOffset`,
            }),
        ];
    }
    return [];
}

function judgeWorkers(health: Health): HealthFinding[] {
    if (health.server.embedded) return [];
    return workerFindings(health.server.workers).map(({ message, detail, hint }) =>
        healthFinding("few_background_workers", {
            object: "background workers",
            message,
            evidence: detail,
            consequence: "jobs wait for each other, and aggregates fall behind by turns",
            mend: hint,
        }),
    );
}

/** What can be judged where nothing runs jobs, too. */
function judgePolicies(health: Health): HealthFinding[] {
    const found: HealthFinding[] = [];
    for (const owner of [...health.aggregates, ...health.hypertables]) {
        const filling = "marker" in owner && owner.marker.filling;
        for (const job of owner.jobs.filter(({ scheduled }) => !scheduled && !filling)) {
            found.push(
                healthFinding("job_paused", {
                    object: jobTitle(job, health),
                    message: "it is paused",
                    evidence: `scheduled is false${job.lastSuccess === null ? "; it has not run" : `; its last success was at ${showTime(job.lastSuccess)}`}`,
                    consequence: consequenceOf(job),
                    mend: `SELECT alter_job(${job.id}, scheduled => true, timezone => (SELECT timezone FROM _timescaledb_config.bgw_job WHERE id = ${job.id})), or paused: false in the program`,
                    fix: { kind: "resume_job", job: job.id },
                }),
            );
        }
        found.push(...judgeDuplicates(health, owner), ...judgeRetention(health, owner));
    }
    return found;
}

function judgeDuplicates(
    health: Health,
    { jobs }: AggregateHealth | HypertableHealth,
): HealthFinding[] {
    const seen: JobHealth[] = [];
    return jobs.flatMap((job) => {
        // Later versions take several refresh policies for windows that do not overlap.
        const first = seen.find((one) => one.procedure === job.procedure && sameConfig(one, job));
        seen.push(job);
        if (first === undefined) return [];
        return [
            healthFinding("duplicate_policy", {
                object: jobTitle(job, health),
                message: `it does what job ${first.id} does`,
                evidence: `both have the config ${JSON.stringify(job.config)}`,
                consequence:
                    "two workers do the same work, one waits for the other's locks, and a policy that is removed stays",
                mend: `SELECT delete_job(${job.id})`,
                fix: { kind: "delete_job", job: job.id },
            }),
        ];
    });
}

function sameConfig(one: JobHealth, other: JobHealth): boolean {
    const text = ({ config }: JobHealth): string =>
        JSON.stringify(Object.entries(config ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
    return text(one) === text(other);
}

function judgeRetention(
    { server, ...health }: Health,
    { jobs, storage }: AggregateHealth | HypertableHealth,
): HealthFinding[] {
    const job = jobs.find(({ procedure }) => procedure === policyProcedures.retention);
    if (job?.scheduled !== true || storage.chunksToDrop === 0) return [];
    const since = job.lastSuccess === null ? Infinity : secondsBetween(job.lastSuccess, server.now);
    if (since <= 2 * job.schedule || (job.lastSuccess === null && job.runs === 0)) return [];
    return [
        healthFinding("retention_behind", {
            object: jobTitle(job, { ...health }),
            message: "chunks stand that it should have dropped",
            evidence: `${counted(storage.chunksToDrop, "chunk")} older than ${storage.dropAfter ?? ""}; its last success was ${job.lastSuccess === null ? "never" : `${showLength(since)} ago`}`,
            consequence: "they take disk, and rows are kept longer than was promised",
            mend: `CALL run_job(${job.id}), and see why it does not run by itself`,
        }),
    ];
}

function isOfVersion({ versions }: Health, { hypertableId }: JobHealth): boolean {
    return versions.some(({ id }) => id === hypertableId);
}

function consequenceOf({ procedure }: JobHealth): string {
    switch (procedure) {
        case policyProcedures.refresh:
            return "the aggregate falls behind, and what leaves its refresh window is never computed";
        case policyProcedures.retention:
            return "nothing is dropped: disk fills up, and rows are kept longer than was promised";
        case policyProcedures.compression:
            return "chunks stay uncompressed and take several times the disk";
        default:
            return "its work is not done";
    }
}

const mends: Readonly<Record<string, string>> = {
    "42501":
        "make the job's owner the owner of its object, or grant it what the message names; then",
    "53400":
        "SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0 in a session and refresh there once, or set it for the job's owner with ALTER ROLE; then",
    "55P03": "find what held the lock;",
    "40P01": "it goes away by itself;",
    "42883": "put the missing function back; then",
    "42P01": "put the missing relation back; then",
    "22023": "correct the policy's offsets, which have to leave two buckets; then",
};

function mendOf({ id, error }: JobHealth): string {
    const first = mends[error?.code ?? ""] ?? "mend what the message says; then";
    return `${first} CALL run_job(${id}) shows whether it works`;
}

function workersAre({ server: { workers, embedded }, jobs }: Health): string {
    if (embedded) return "npm run serve runs jobs one at a time, and none while a client is in a transaction"; // prettier-ignore
    const running = jobs.filter((job) => job.running).length;
    return `${running} jobs run, timescaledb.max_background_workers is ${workers.maxBackgroundWorkers ?? "unknown"} and max_worker_processes ${workers.maxWorkerProcesses}, of which ${workers.otherSchedulers} schedulers of other databases and ${workers.otherWorkers} other workers take theirs`;
}

function workersMend({ server: { workers, embedded } }: Health): string {
    if (embedded)
        return "see what npm run serve logs: a client's open transaction, or a job that takes long";
    const enough = Math.max(workers.maxWorkerProcesses, workers.maxBackgroundWorkers ?? 0) * 2;
    return `ALTER SYSTEM SET max_worker_processes = ${enough} and ALTER SYSTEM SET timescaledb.max_background_workers = ${enough}, then restart the server; its log says "out of background workers" where this is the reason`;
}
