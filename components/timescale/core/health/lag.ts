/** How far behind an aggregate is, against what its policy allows. Pure. Lengths are in seconds. */
import { worstAge } from "../aggregate/worstAge";
import { policyProcedures } from "../policies/policy";
import { lengthIn } from "../rules/windows";
import type { AggregateHealth, JobHealth, ServerHealth } from "./health";

export interface Lag {
    /** Between now and where refreshes have come; null: nothing was refreshed yet. */
    readonly behind: number | null;
    /** What it may be at worst, by the live policy; null: there is none that runs. */
    readonly allowed: number | null;
    readonly policy: "scheduled" | "paused" | "none";
    /** Beyond what is allowed, and not made good by a run since. */
    readonly late: boolean;
}

export function lagOf(aggregate: AggregateHealth, { now }: Pick<ServerHealth, "now">): Lag {
    const behind =
        aggregate.refreshedTo === null ? null : secondsBetween(aggregate.refreshedTo, now);
    const policies = refreshJobs(aggregate);
    const job = policies
        .filter(({ scheduled }) => scheduled)
        .sort((one, other) => allowedBy(aggregate, one) - allowedBy(aggregate, other))[0];
    if (job === undefined) {
        return {
            ...{ behind, allowed: null, late: false },
            policy: policies.length === 0 ? "none" : "paused",
        };
    }
    const allowed = allowedBy(aggregate, job);
    const tolerance = Math.max(60, 2 * (job.meanRunTime ?? 0));
    // What no newer row has reached is not late as long as the policy runs.
    const ran =
        job.lastSuccess !== null &&
        secondsBetween(job.lastSuccess, now) <= job.schedule + tolerance;
    return {
        ...{ behind, allowed, policy: "scheduled" },
        late: !ran && (behind === null ? job.runs > 0 : behind > allowed + tolerance),
    };
}

/** Where nothing runs them: a replica leaves them to its primary, and the embedded server to `npm run serve`. */
export function isWithoutJobs({ embedded, replica, scheduler }: ServerHealth): boolean {
    return replica || (embedded && !scheduler);
}

/** Seconds for which jobs have been run, as far as it is known. */
export function jobsHaveRunFor({ jobsRunSince, now }: ServerHealth): number {
    return jobsRunSince === null ? Infinity : secondsBetween(jobsRunSince, now);
}

export function refreshJobs({ jobs }: Pick<AggregateHealth, "jobs">): JobHealth[] {
    return jobs.filter(({ procedure }) => procedure === policyProcedures.refresh);
}

function allowedBy({ bucketWidth }: AggregateHealth, { config, ...job }: JobHealth): number {
    const endOffset = config?.["end_offset"];
    const policy = {
        endOffset: typeof endOffset === "string" ? endOffset : null,
        scheduleInterval: job.scheduleInterval,
    };
    return worstAge(policy, lengthIn(bucketWidth) ?? 0) / 1_000_000;
}

/** @param from and @param to literals in UTC */
export function secondsBetween(from: string, to: string): number {
    return (Date.parse(to) - Date.parse(from)) / 1000;
}
