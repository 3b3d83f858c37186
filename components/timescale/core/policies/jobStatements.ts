/** Statements that add, alter and remove the jobs of policies. */
import { type QualifiedName, quoteQualified } from "../identifier";
import type { Statement } from "../plan/plan";
import { type ActualJob, type DesiredJob, type PolicyKind } from "./policy";

/** The part of add_…_policy that is each policy's own: its offsets, by argument name. */
const addFunctions = {
    refresh: "add_continuous_aggregate_policy",
    retention: "add_retention_policy",
    compression: "add_compression_policy",
} as const satisfies Record<PolicyKind, string>;

const removeFunctions = {
    refresh: "remove_continuous_aggregate_policy",
    retention: "remove_retention_policy",
    compression: "remove_compression_policy",
} as const satisfies Record<PolicyKind, string>;

/**
 * Adds the policy and settles, in the same statement, what add_…_policy has no argument for.
 * `scheduled` false keeps it from running before the caller's transaction says otherwise.
 */
export function addPolicy(
    relation: QualifiedName,
    job: DesiredJob,
    { scheduled }: { readonly scheduled: boolean },
): Statement {
    const values: unknown[] = [quoteQualified(relation)];
    const bind = (value: unknown, type: string): string => {
        values.push(value);
        return `$${values.length}::${type}`;
    };
    const offsets = Object.entries(job.offsets).map(
        ([name, value]) => `${name} => ${bind(value, "interval")}`,
    );
    const schedule = bind(job.scheduleInterval, "interval");
    const start = bind(job.initialStart, "timestamptz");
    const zone = bind(job.timezone, "text");
    return {
        name: `add_${job.kind}_policy`,
        sql: [
            "SELECT alter_job(",
            `    ${addFunctions[job.kind]}(`,
            `        $1::regclass, ${offsets.join(", ")},`,
            `        schedule_interval => ${schedule}, initial_start => ${start}, timezone => ${zone}),`,
            `    max_runtime => ${bind(job.maxRuntime, "interval")},`,
            `    max_retries => ${bind(job.maxRetries, "int")},`,
            `    retry_period => ${bind(job.retryPeriod, "interval")},`,
            `    scheduled => ${bind(scheduled, "bool")},`,
            // alter_job takes every setting that it is not given for unchanged, except this one.
            `    timezone => ${zone})`,
        ].join("\n"),
        values,
    };
}

/**
 * Alters the job in place, so that its id and statistics stay. Every setting is passed: alter_job
 * resets the time zone when it is left out, and replaces the config as a whole.
 */
export function alterPolicy(
    actual: ActualJob,
    job: DesiredJob,
    { scheduled }: { readonly scheduled: boolean },
): Statement {
    const config = { ...actual.config, ...job.offsets };
    const start = job.initialStart;
    return {
        name: `alter_${job.kind}_policy`,
        sql: [
            "SELECT alter_job($1,",
            "    schedule_interval => $2::interval, max_runtime => $3::interval,",
            "    max_retries => $4::int, retry_period => $5::interval, scheduled => $6::bool,",
            "    config => $7::jsonb, timezone => $8::text,",
            "    fixed_schedule => $9::bool, initial_start => $10::timestamptz)",
        ].join("\n"),
        values: [
            actual.id,
            job.scheduleInterval,
            job.maxRuntime,
            job.maxRetries,
            job.retryPeriod,
            scheduled,
            JSON.stringify(config),
            job.timezone,
            start !== null,
            start,
        ],
    };
}

export function removePolicy(relation: QualifiedName, kind: PolicyKind): Statement {
    return {
        name: `remove_${kind}_policy`,
        sql: `SELECT ${removeFunctions[kind]}($1::regclass, if_exists => true)`,
        values: [quoteQualified(relation)],
    };
}

/** Pauses or resumes a job and nothing else; one that is gone is no error. */
export function scheduleJob({ id }: Pick<ActualJob, "id">, scheduled: boolean): Statement {
    return {
        name: scheduled ? "resume_job" : "pause_job",
        // alter_job takes every setting that it is not given for unchanged, except the time zone.
        sql: "SELECT alter_job(id, scheduled => $2::bool, timezone => timezone) FROM _timescaledb_config.bgw_job WHERE id = $1::int",
        values: [id, scheduled],
        lock: null,
    };
}

/** Removes one job by its number: what is left when a policy stands twice. */
export function deleteJob({ id }: Pick<ActualJob, "id">): Statement {
    return { name: "delete_job", sql: "SELECT delete_job($1)", values: [id] };
}
