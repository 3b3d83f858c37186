/** The policies of a table or aggregate against the declared ones, as typed changes. Pure. */
import type { Note } from "../plan/plan";
import {
    type ActualCompression,
    compressionChange,
    type CompressionDefaults,
    type CompressionSettings,
    compressionSettings,
} from "./compressionDiff";
import {
    type ActualJob,
    type CompressionPolicy,
    desiredCompressionJob,
    type DesiredJob,
    desiredRefreshJob,
    desiredRetentionJob,
    type JobDifference,
    jobDifferences,
    type PolicyKind,
    policyProcedures,
    type RefreshPolicy,
    type RetentionPolicy,
} from "./policy";

export type PolicyChange =
    | {
          readonly kind: "compression";
          readonly was: ActualCompression | null;
          readonly will: CompressionSettings | null;
      }
    | { readonly kind: "addPolicy"; readonly job: DesiredJob }
    | {
          readonly kind: "alterPolicy";
          readonly actual: ActualJob;
          readonly job: DesiredJob;
          readonly differences: readonly JobDifference[];
      }
    | { readonly kind: "removePolicy"; readonly policy: PolicyKind; readonly actual: ActualJob }
    /** A policy that stands twice, as concurrent adds can make it, or compresses where compression is off. */
    | {
          readonly kind: "deleteJob";
          readonly policy: PolicyKind;
          readonly actual: ActualJob;
          readonly why: "duplicated" | "stale";
      }
    /** A job that a change of owner left behind: alter_job cannot move it, so a new one takes its place. */
    | {
          readonly kind: "replaceJob";
          readonly policy: PolicyKind;
          readonly actual: ActualJob;
          readonly job: DesiredJob;
          readonly will: string;
      }
    /** The same, where the login may not delete it. */
    | { readonly kind: "jobOwner"; readonly actual: ActualJob; readonly will: string }
    /** Compressed chunks stand in the way of switching compression off. */
    | { readonly kind: "compressedChunks"; readonly chunks: number };

export interface DesiredPolicies {
    readonly refreshPolicy?: RefreshPolicy;
    readonly retentionPolicy?: RetentionPolicy;
    readonly compressionPolicy?: CompressionPolicy;
}

/** What the program declared at the last apply; a separate object that it then leaves out is removed. */
export interface DeclaredPolicies {
    readonly refreshPolicy: boolean;
    readonly retentionPolicy: boolean;
    readonly compressionPolicy: boolean;
}

export interface ActualPolicies {
    readonly jobs: readonly ActualJob[];
    readonly compressed: boolean;
    /** How many chunks are compressed. Default 0. */
    readonly compressedChunks?: number;
    readonly compression: ActualCompression | null;
}

export interface PolicyDiff {
    readonly changes: readonly PolicyChange[];
    /** Policies that stand and were never declared: reported and kept. */
    readonly notes: readonly Note[];
}

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
