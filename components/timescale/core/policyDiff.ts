/** The policies of a table or aggregate against the declared ones, as typed changes. Pure. */
import { TimescaleError } from "./errors";
import { displayName, escapeIdentifier, type QualifiedName } from "./identifier";
import { addPolicy, alterPolicy, deleteJob, removePolicy } from "./jobStatements";
import type { ChangeLine, Statement } from "./plan";
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
    policyProperties,
    type RefreshPolicy,
    type RetentionPolicy,
} from "./policy";
import { compressionStatement, orderByTerm } from "./tableStatements";

/** Compression settings as the catalog has them, in the order of its arrays. */
export interface ActualCompression {
    readonly segmentBy: readonly string[];
    readonly orderBy: readonly string[];
    readonly orderByDesc: readonly boolean[];
    readonly orderByNullsFirst: readonly boolean[];
}

export type PolicyChange =
    | {
          readonly kind: "compression";
          readonly was: ActualCompression | null;
          readonly will: CompressionPolicy | null;
      }
    | { readonly kind: "addPolicy"; readonly job: DesiredJob }
    | {
          readonly kind: "alterPolicy";
          readonly actual: ActualJob;
          readonly job: DesiredJob;
          readonly differences: readonly JobDifference[];
      }
    | { readonly kind: "removePolicy"; readonly policy: PolicyKind; readonly actual: ActualJob }
    /** A policy that stands twice: concurrent adds can do that. */
    | { readonly kind: "deleteJob"; readonly policy: PolicyKind; readonly actual: ActualJob }
    /** A job that a change of owner left behind; alter_job cannot move it. */
    | { readonly kind: "jobOwner"; readonly actual: ActualJob; readonly will: string };

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
    readonly compression: ActualCompression | null;
}

export interface PolicyDiff {
    readonly changes: readonly PolicyChange[];
    /** Policies that stand and were never declared: reported and kept. */
    readonly notes: readonly string[];
}

/** Everything that a new table or aggregate needs, in the order in which the server takes it. */
export function newPolicies(desired: DesiredPolicies): PolicyChange[] {
    return [
        ...(desired.compressionPolicy
            ? [{ kind: "compression", was: null, will: desired.compressionPolicy } as const]
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

export function policyDiff(
    actual: ActualPolicies,
    desired: DesiredPolicies,
    declared: DeclaredPolicies,
    owner: string,
    /** While the first fill is under way the refresh job waits for it, and that is no drift. */
    { filling = false }: { readonly filling?: boolean } = {},
): PolicyDiff {
    const removals: PolicyChange[] = [];
    const others: PolicyChange[] = [];
    const notes: string[] = [];
    const jobs = desiredJobs(desired);
    for (const policy of ["compression", "refresh", "retention"] as const) {
        const [first, ...duplicates] = actual.jobs.filter(
            ({ procedure }) => procedure === policyProcedures[policy],
        );
        const job = jobs.find(({ kind }) => kind === policy);
        if (job === undefined) {
            if (first === undefined) continue;
            if (declared[`${policy}Policy`]) {
                removals.push({ kind: "removePolicy", policy, actual: first });
                removals.push(...duplicates.map((actual) => deletion(policy, actual)));
            } else {
                notes.push(
                    `a ${policy} policy (job ${first.id}) stands on it that the program does not declare: it is kept`,
                );
            }
            continue;
        }
        removals.push(...duplicates.map((duplicate) => deletion(policy, duplicate)));
        if (first === undefined) {
            others.push({ kind: "addPolicy", job });
            continue;
        }
        if (first.owner !== owner) {
            others.push({ kind: "jobOwner", actual: first, will: owner });
        }
        const differences = jobDifferences(first, job, {
            ignoreScheduled: filling && policy === "refresh",
        });
        if (differences.length > 0) {
            others.push({ kind: "alterPolicy", actual: first, job, differences });
        }
    }
    const compression = compressionChange(actual, desired, declared);
    return {
        changes: [...removals, ...compression, ...inServerOrder(others)],
        notes,
    };
}

function deletion(policy: PolicyKind, actual: ActualJob): PolicyChange {
    return { kind: "deleteJob", policy, actual };
}

function inServerOrder(changes: readonly PolicyChange[]): PolicyChange[] {
    const order: readonly PolicyKind[] = ["refresh", "compression", "retention"];
    const rank = (change: PolicyChange): number =>
        "job" in change ? order.indexOf(change.job.kind) : -1;
    return [...changes].sort((one, other) => rank(one) - rank(other));
}

function compressionChange(
    actual: ActualPolicies,
    desired: DesiredPolicies,
    declared: DeclaredPolicies,
): PolicyChange[] {
    const policy = desired.compressionPolicy;
    const was = actual.compressed ? actual.compression : null;
    if (policy === undefined) {
        return declared.compressionPolicy && actual.compressed
            ? [{ kind: "compression", was, will: null }]
            : [];
    }
    const same =
        was !== null &&
        (policy.segmentBy === undefined || sameList(was.segmentBy, policy.segmentBy)) &&
        (policy.orderBy === undefined || sameList(orderOf(was), policy.orderBy.map(orderByTerm)));
    return same ? [] : [{ kind: "compression", was, will: policy }];
}

/** The order of compressed rows, in the terms that a program may write. */
export function orderOf(compression: ActualCompression): string[] {
    return compression.orderBy.map((column, index) =>
        orderByTerm(
            [
                escapeIdentifier(column),
                compression.orderByDesc[index] === true ? "DESC" : "ASC",
                compression.orderByNullsFirst[index] === true ? "NULLS FIRST" : "NULLS LAST",
            ].join(" "),
        ),
    );
}

function sameList(one: readonly string[], other: readonly string[]): boolean {
    return one.length === other.length && one.every((entry, index) => entry === other[index]);
}

export function policyLines(change: PolicyChange): ChangeLine[] {
    switch (change.kind) {
        case "compression":
            return [
                {
                    property: "compression",
                    was:
                        change.was === null
                            ? "off"
                            : `segmentBy ${change.was.segmentBy.join(", ") || "nothing"} orderBy ${orderOf(change.was).join(", ")}`,
                    will:
                        change.will === null
                            ? "off"
                            : `segmentBy ${change.will.segmentBy?.join(", ") ?? "by default"} orderBy ${change.will.orderBy?.map(orderByTerm).join(", ") ?? "by default"}`,
                },
            ];
        case "addPolicy":
            return [
                {
                    property: policyProperties[change.job.kind],
                    was: "none",
                    will: describeJob(change.job),
                },
            ];
        case "alterPolicy":
            return change.differences.map(({ field, was, will }) => ({
                property: `${policyProperties[change.job.kind]}.${field}`,
                was,
                will,
            }));
        case "removePolicy":
            return [{ property: policyProperties[change.policy], was: `job ${change.actual.id}` }];
        case "deleteJob":
            return [
                {
                    property: `${policyProperties[change.policy]} (it stands twice)`,
                    was: `job ${change.actual.id}`,
                },
            ];
        case "jobOwner":
            return [];
    }
}

function describeJob(job: DesiredJob): string {
    const offsets = Object.entries(job.offsets).map(
        ([name, value]) => `${name} ${value ?? "unbounded"}`,
    );
    return [...offsets, `every ${job.scheduleInterval}`].join(", ");
}

export function policyStatements(
    change: PolicyChange,
    relation: QualifiedName,
    table: "MATERIALIZED VIEW" | "TABLE",
    { pauseRefresh = false }: { readonly pauseRefresh?: boolean } = {},
): Statement[] {
    const scheduled = (job: DesiredJob): boolean =>
        job.scheduled && !(pauseRefresh && job.kind === "refresh");
    switch (change.kind) {
        case "compression":
            return [compressionStatement(table, relation, change.will)];
        case "addPolicy":
            return [addPolicy(relation, change.job, { scheduled: scheduled(change.job) })];
        case "alterPolicy":
            return [alterPolicy(change.actual, change.job, { scheduled: scheduled(change.job) })];
        case "removePolicy":
            return [removePolicy(relation, change.policy)];
        case "deleteJob":
            return [deleteJob(change.actual)];
        // A refusal: it stops before the first statement.
        case "jobOwner":
            return [];
    }
}

export function policyRefusals(change: PolicyChange, relation: QualifiedName): TimescaleError[] {
    if (change.kind !== "jobOwner") return [];
    const { actual } = change;
    const object = displayName(relation);
    return [
        new TimescaleError(`job ${actual.id} of ${object} still belongs to ${actual.owner}`, {
            code: "another_job_owner",
            detail: "a change of owner leaves the jobs behind; they then fail with: must be owner of view",
            hint: `run SELECT delete_job(${actual.id}) as ${actual.owner} or a superuser; the next deployment adds the policy again`,
            object,
        }),
    ];
}
