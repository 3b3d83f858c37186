/** What is wrong with a database, as doctor says it. */
import type { QualifiedName } from "../identifier";

/**
 * - `error`: numbers are wrong or missing, or soon will be.
 * - `warning`: it works, and will cost something.
 */
export type HealthSeverity = "error" | "warning";

interface HealthCode {
    readonly severity: HealthSeverity;
    /** In one line, for the table in docs/health.md. */
    readonly meaning: string;
}

/** Codes are never renamed and never change meaning. */
export const healthCodes = {
    scheduler_missing: {
        severity: "error",
        meaning: "TimescaleDB's scheduler of this database does not run, so no job does",
    },
    job_failing: { severity: "error", meaning: "the last runs of a job failed" },
    job_crashing: {
        severity: "error",
        meaning: "runs of a job ended without an error: a worker was killed or could not start",
    },
    job_never_started: { severity: "error", meaning: "a job that was due has never run" },
    job_overdue: { severity: "error", meaning: "a job is due, and no worker takes it" },
    job_stuck: {
        severity: "warning",
        meaning: "a run takes many times as long as usual, or as its schedule",
    },
    job_slower_than_schedule: {
        severity: "warning",
        meaning: "runs usually take longer than the time between them",
    },
    job_paused: { severity: "warning", meaning: "a policy is paused" },
    job_owner_cannot_login: {
        severity: "error",
        meaning: "a job's owner has no LOGIN, so that no worker can run it",
    },
    retention_behind: {
        severity: "warning",
        meaning: "chunks older than `dropAfter` stand, and retention has not run",
    },
    few_background_workers: {
        severity: "warning",
        meaning: "more work, measured, than the background workers can do",
    },
    postgres_release_breaks_jobs: {
        severity: "error",
        meaning: "a PostgreSQL release on which every TimescaleDB job fails",
    },
    known_wrong_results: {
        severity: "warning",
        meaning: "a TimescaleDB release whose refreshes are known to go wrong, in a way used here",
    },
    clock_off: { severity: "warning", meaning: "the clocks of server and client differ" },
    late_aggregate: {
        severity: "error",
        meaning: "an aggregate is further behind than its policy allows",
    },
    no_refresh_policy: { severity: "warning", meaning: "nothing refreshes an aggregate" },
    never_refreshed: { severity: "error", meaning: "an aggregate that was never computed" },
    unreachable_changes: {
        severity: "error",
        meaning: "raw data changed, or was never computed, where no policy reaches",
    },
    wrong_buckets: {
        severity: "error",
        meaning: "buckets whose count differs from that of raw data",
    },
    refresh_below_floor: {
        severity: "error",
        meaning: "a refresh window that reaches what raw data no longer has, and deletes it",
    },
    overflow_stops_refresh: {
        severity: "error",
        meaning: "refreshes end with 22003: a value outgrew its type",
    },
    integer_product: {
        severity: "warning",
        meaning: "an aggregate multiplies integers, which will overflow",
    },
    view_gone: {
        severity: "error",
        meaning: "the view of an aggregate was dropped, renamed or replaced",
    },
    orphaned_materialization: {
        severity: "warning",
        meaning: "a materialization hypertable that belongs to no aggregate",
    },
    duplicate_policy: {
        severity: "error",
        meaning: "a policy that stands twice on one table",
    },
    duplicate_aggregate: {
        severity: "warning",
        meaning: "two aggregates with one query over one table",
    },
    replaced_version: {
        severity: "warning",
        meaning: "a version that a changed query replaced, still kept and refreshed",
    },
    unfinished_version: {
        severity: "warning",
        meaning: "a version that a deployment began to build, and did not finish",
    },
    kept_aggregate: {
        severity: "warning",
        meaning: "an aggregate that was given up, and left standing",
    },
    unmanaged_aggregate: {
        severity: "warning",
        meaning: "an aggregate beside the stack's that the stack does not declare",
    },
    disk_full_soon: {
        severity: "error",
        meaning: "the disk fills up before retention makes room",
    },
} as const satisfies Readonly<Record<string, HealthCode>>;

export type HealthFindingCode = keyof typeof healthCodes;

/** How a finding is mended by itself. */
export type Fix =
    | { readonly kind: "resume_job"; readonly job: number }
    | { readonly kind: "delete_job"; readonly job: number }
    | { readonly kind: "start_scheduler" }
    | {
          /** Computes buckets again; `touch` tells TimescaleDB that they changed, where it does not know. */
          readonly kind: "refresh";
          readonly aggregate: QualifiedName;
          readonly ranges: readonly { readonly begins: string; readonly ends: string }[];
          readonly touch: boolean;
      };

export interface HealthFinding {
    readonly code: HealthFindingCode;
    readonly severity: HealthSeverity;
    /** Qualified, or such as `job 1004 (refresh of public.llm_metrics_1min)`. */
    readonly object: string;
    readonly message: string;
    /** The numbers. */
    readonly evidence: string;
    readonly consequence: string;
    /** The command or statement that mends it. */
    readonly mend: string;
    /** Undefined where mending takes a decision. */
    readonly fix?: Fix;
}

export function healthFinding(
    code: HealthFindingCode,
    fields: Omit<HealthFinding, "code" | "severity">,
): HealthFinding {
    return { code, severity: healthCodes[code].severity, ...fields };
}
