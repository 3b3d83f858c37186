/** The policies of a table or aggregate against the declared ones, as typed changes. Pure. */
import type { Note } from "../plan/plan";
import type {
    ActualPolicies,
    DeclaredPolicies,
    DesiredPolicies,
    PolicyChange,
    PolicyDiff,
} from "./changes";
import {
    compressionChange,
    type CompressionDefaults,
    compressionSettings,
} from "./compressionDiff";
import {
    type ActualJob,
    desiredCompressionJob,
    type DesiredJob,
    desiredRefreshJob,
    desiredRetentionJob,
    jobDifferences,
    type PolicyKind,
    policyProcedures,
} from "./policy";

/**
 * Everything that a new table or aggregate needs, in the order in which the server takes it.
 *
 * @param defaults of compression; undefined: left to the server
 */
export function newPolicies(
    desired: DesiredPolicies,
    defaults?: CompressionDefaults,
): PolicyChange[] {
    return [
        ...(desired.compressionPolicy
            ? [
                  {
                      kind: "compression",
                      was: null,
                      will: compressionSettings(desired.compressionPolicy, defaults),
                  } as const,
              ]
            : []),
        ...desiredJobs(desired).map((job) => ({ kind: "addPolicy", job }) as const),
    ];
}

/** The server adds a compression policy only beside a refresh policy, so that one comes first. */
function desiredJobs(desired: DesiredPolicies): DesiredJob[] {
    return [
        ...(desired.refreshPolicy ? [desiredRefreshJob(desired.refreshPolicy)] : []),
        ...(desired.compressionPolicy ? [desiredCompressionJob(desired.compressionPolicy)] : []),
        ...(desired.retentionPolicy ? [desiredRetentionJob(desired.retentionPolicy)] : []),
    ];
}

export interface PolicyDiffOptions {
    /** While the first fill is under way the refresh job waits for it, and that is no drift. */
    readonly filling?: boolean;
    readonly defaults?: CompressionDefaults;
}

export function policyDiff(
    actual: ActualPolicies,
    desired: DesiredPolicies,
    declared: DeclaredPolicies,
    owner: string,
    { filling = false, defaults }: PolicyDiffOptions = {},
): PolicyDiff {
    const removals: PolicyChange[] = [];
    const others: PolicyChange[] = [];
    const notes: Note[] = [];
    const jobs = desiredJobs(desired);
    for (const policy of ["compression", "refresh", "retention"] as const) {
        const [first, ...duplicates] = jobsOf(policy, actual, owner);
        const job = jobs.find(({ kind }) => kind === policy);
        if (job === undefined) {
            if (first === undefined) continue;
            if (declared[`${policy}Policy`]) {
                removals.push({ kind: "removePolicy", policy, actual: first });
                removals.push(...duplicates.map((it) => deletion(policy, it, "duplicated")));
            } else if (policy === "compression" && !actual.compressed) {
                // Nobody can want a job that fails at every run.
                removals.push(...[first, ...duplicates].map((it) => deletion(policy, it, "stale")));
            } else {
                notes.push({
                    code: "kept_policy",
                    message: `a ${policy} policy (job ${first.id}) stands on it that the program does not declare: it is kept`,
                });
            }
            continue;
        }
        removals.push(...duplicates.map((duplicate) => deletion(policy, duplicate, "duplicated")));
        if (first === undefined) {
            others.push({ kind: "addPolicy", job });
            continue;
        }
        if (first.owner !== owner) {
            others.push(
                first.ownedByMember === true
                    ? { kind: "replaceJob", policy, actual: first, job, will: owner }
                    : { kind: "jobOwner", actual: first, will: owner },
            );
            if (first.ownedByMember === true) continue;
        }
        const differences = jobDifferences(first, job, {
            ignoreScheduled: filling && policy === "refresh",
        });
        if (differences.length > 0) {
            others.push({ kind: "alterPolicy", actual: first, job, differences });
        }
    }
    const compression = compressionChange(actual, desired, declared, defaults);
    return {
        changes: [...removals, ...compression.changes, ...inServerOrder(others)],
        notes: [...notes, ...compression.notes],
    };
}

/** The policy's jobs; the one that is kept where there are several comes first. */
function jobsOf(policy: PolicyKind, actual: ActualPolicies, owner: string): ActualJob[] {
    const jobs = actual.jobs.filter(({ procedure }) => procedure === policyProcedures[policy]);
    // One of another owner has to go in any case.
    return [
        ...jobs.filter((job) => job.owner === owner),
        ...jobs.filter((job) => job.owner !== owner),
    ];
}

function deletion(
    policy: PolicyKind,
    actual: ActualJob,
    why: "duplicated" | "stale",
): PolicyChange {
    return { kind: "deleteJob", policy, actual, why };
}

function inServerOrder(changes: readonly PolicyChange[]): PolicyChange[] {
    const order: readonly PolicyKind[] = ["refresh", "compression", "retention"];
    const rank = (change: PolicyChange): number =>
        "job" in change ? order.indexOf(change.job.kind) : -1;
    return [...changes].sort((one, other) => rank(one) - rank(other));
}
