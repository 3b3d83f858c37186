/** The policies of a table or aggregate against the declared ones, as typed changes. Pure. */
import { TimescaleError } from "./errors";
import {
    displayName,
    escapeIdentifier,
    escapeLiteral,
    type QualifiedName,
    quoteQualified,
} from "./identifier";
import { sameLength } from "./interval";
import { addPolicy, alterPolicy, deleteJob, removePolicy } from "./jobStatements";
import type { ChangeLine, Note, Statement } from "./plan";
import {
    type ActualJob,
    type CompressionPolicy,
    desiredCompressionJob,
    type DesiredJob,
    desiredRefreshJob,
    desiredRetentionJob,
    type JobDifference,
    jobDifferences,
    offsetFields,
    type PolicyKind,
    policyProcedures,
    policyProperties,
    type RefreshPolicy,
    type RetentionPolicy,
} from "./policy";
import { compressionStatement, orderByTerm, parseOrderTerm } from "./tableStatements";

/** Compression settings as the catalog has them, in the order of its arrays. */
export interface ActualCompression {
    readonly segmentBy: readonly string[];
    readonly orderBy: readonly string[];
    readonly orderByDesc: readonly boolean[];
    readonly orderByNullsFirst: readonly boolean[];
    readonly chunkTimeInterval?: string | null;
}

/** What the server takes for settings of compression that are left out. */
export interface CompressionDefaults {
    readonly timeColumn: string;
    readonly segmentBy: readonly string[];
    readonly orderBy: readonly string[];
}

/** Settings as they are to be; those that are undefined are left to the server. */
export type CompressionSettings = Pick<
    CompressionPolicy,
    "segmentBy" | "orderBy" | "compressChunkTimeInterval"
>;

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
                      will: settings(desired.compressionPolicy, defaults),
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

function settings(
    policy: CompressionPolicy,
    defaults: CompressionDefaults | undefined,
): CompressionSettings {
    const segmentBy = policy.segmentBy ?? defaults?.segmentBy;
    const orderBy = withTime(policy.orderBy, defaults) ?? defaults?.orderBy;
    const { compressChunkTimeInterval } = policy;
    return {
        ...(segmentBy !== undefined && { segmentBy }),
        ...(orderBy !== undefined && { orderBy }),
        ...(compressChunkTimeInterval !== undefined && { compressChunkTimeInterval }),
    };
}

/** The server appends the time column, newest first, to an order that lacks it. */
function withTime(
    orderBy: readonly string[] | undefined,
    defaults: CompressionDefaults | undefined,
): readonly string[] | undefined {
    if (orderBy === undefined || defaults === undefined) return orderBy;
    const { timeColumn } = defaults;
    return orderBy.some((term) => parseOrderTerm(term).column === timeColumn)
        ? orderBy
        : [...orderBy, `${escapeIdentifier(timeColumn)} DESC`];
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

function compressionChange(
    actual: ActualPolicies,
    desired: DesiredPolicies,
    declared: DeclaredPolicies,
    defaults: CompressionDefaults | undefined,
): PolicyDiff {
    const policy = desired.compressionPolicy;
    const was = actual.compressed ? actual.compression : null;
    if (policy === undefined) {
        if (!actual.compressed) return { changes: [], notes: [] };
        if (declared.compressionPolicy) {
            const chunks = actual.compressedChunks ?? 0;
            return {
                changes: [
                    { kind: "compression", was, will: null },
                    ...(chunks > 0 ? [{ kind: "compressedChunks", chunks } as const] : []),
                ],
                notes: [],
            };
        }
        // A policy that is kept says as much already.
        const told = actual.jobs.some(
            ({ procedure }) => procedure === policyProcedures.compression,
        );
        return {
            changes: [],
            notes: told
                ? []
                : [
                      {
                          code: "kept_compression",
                          message:
                              "compression is on, which the program does not declare: it is kept",
                      },
                  ],
        };
    }
    const will = settings(policy, defaults);
    const interval = will.compressChunkTimeInterval ?? null;
    const sameChunks = sameLength(was?.chunkTimeInterval ?? null, interval);
    const same =
        was !== null &&
        sameChunks &&
        (will.segmentBy === undefined || sameList(was.segmentBy, will.segmentBy)) &&
        (will.orderBy === undefined || sameList(orderOf(was), will.orderBy.map(orderByTerm)));
    if (same) return { changes: [], notes: [] };
    // A setting that is left out of the statement stays; none is written as zero.
    const reset =
        was?.chunkTimeInterval != null && interval === null
            ? { compressChunkTimeInterval: "0" }
            : {};
    return { changes: [{ kind: "compression", was, will: { ...will, ...reset } }], notes: [] };
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
                    code: "compression",
                    property: "compression",
                    was: change.was === null ? "off" : describeActual(change.was),
                    will: change.will === null ? "off" : describeSettings(change.will),
                },
            ];
        case "addPolicy":
            return [
                {
                    code: "policy_missing",
                    property: policyProperties[change.job.kind],
                    was: "none",
                    will: describeJob(change.job),
                },
            ];
        case "alterPolicy":
            return change.differences.map(({ field, was, will }) => ({
                code: "policy_setting",
                property: `${policyProperties[change.job.kind]}.${field}`,
                was,
                will,
            }));
        case "removePolicy":
            return [
                {
                    code: "policy_undeclared",
                    property: policyProperties[change.policy],
                    was: `job ${change.actual.id}`,
                },
            ];
        case "deleteJob":
            return [
                change.why === "duplicated"
                    ? {
                          code: "policy_duplicated",
                          property: `${policyProperties[change.policy]} (it stands twice)`,
                          was: `job ${change.actual.id}`,
                      }
                    : {
                          code: "policy_stale",
                          property: `${policyProperties[change.policy]} (compression is off, so it can only fail)`,
                          was: `job ${change.actual.id}`,
                      },
            ];
        case "replaceJob":
            return [
                {
                    code: "policy_owner",
                    property: `${policyProperties[change.policy]}.owner`,
                    was: `${change.actual.owner} (job ${change.actual.id})`,
                    will: `${change.will} (a new job: ${describeJob(change.job)})`,
                },
            ];
        case "jobOwner":
        case "compressedChunks":
            return [];
    }
}

function describeActual(actual: ActualCompression): string {
    return [
        `segmentBy ${actual.segmentBy.join(", ") || "nothing"} orderBy ${orderOf(actual).join(", ")}`,
        ...(actual.chunkTimeInterval == null
            ? []
            : [`compressChunkTimeInterval ${actual.chunkTimeInterval}`]),
    ].join(" ");
}

function describeSettings(will: CompressionSettings): string {
    const segmentBy =
        will.segmentBy === undefined ? "by default" : will.segmentBy.join(", ") || "nothing";
    const interval = will.compressChunkTimeInterval;
    return [
        `segmentBy ${segmentBy} orderBy ${will.orderBy?.map(orderByTerm).join(", ") ?? "by default"}`,
        ...(interval === undefined || interval === "0"
            ? []
            : [`compressChunkTimeInterval ${interval}`]),
    ].join(" ");
}

function describeJob(job: DesiredJob): string {
    const offsets = Object.entries(job.offsets).map(
        ([name, value]) => `${offsetFields[name] ?? name} ${value ?? "unbounded"}`,
    );
    return [
        ...offsets,
        `every ${job.scheduleInterval}`,
        ...(job.initialStart === null ? [] : [`from ${job.initialStart}`]),
        ...(job.timezone === null ? [] : [`in ${job.timezone}`]),
        ...(job.scheduled ? [] : ["paused"]),
    ].join(", ");
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
        // The old job goes before the role is taken that the new one belongs to: see ownerStatements.
        case "replaceJob":
            return [addPolicy(relation, change.job, { scheduled: scheduled(change.job) })];
        // Refusals: they stop before the first statement.
        case "jobOwner":
        case "compressedChunks":
            return [];
    }
}

/** Statements that the login runs as itself, before it takes the owner's role. */
export function ownerStatements(changes: readonly { readonly kind: string }[]): Statement[] {
    return (changes as readonly PolicyChange[]).flatMap((change) =>
        change.kind === "replaceJob" ? [deleteJob(change.actual)] : [],
    );
}

export function policyRefusals(
    changes: readonly { readonly kind: string }[],
    relation: QualifiedName,
): TimescaleError[] {
    const object = displayName(relation);
    return (changes as readonly PolicyChange[]).flatMap((change) => {
        if (change.kind === "jobOwner") {
            const { actual } = change;
            return [
                new TimescaleError(
                    `job ${actual.id} of ${object} still belongs to ${actual.owner}`,
                    {
                        code: "another_job_owner",
                        detail: "a change of owner leaves the jobs behind; they then fail with: must be owner of view",
                        hint: `run SELECT delete_job(${actual.id}) as ${actual.owner} or a superuser; the next deployment adds the policy again`,
                        object,
                    },
                ),
            ];
        }
        if (change.kind === "compressedChunks") {
            return [
                new TimescaleError(
                    `compression of ${object} cannot be switched off while chunks are compressed`,
                    {
                        code: "compressed_chunks",
                        detail: `${change.chunks} chunks are compressed, and TimescaleDB does not decompress them by itself`,
                        hint: `run SELECT decompress_chunk(c, true) FROM show_chunks(${escapeLiteral(quoteQualified(relation))}) c first, which takes time and space; or keep compressionPolicy with paused: true`,
                        object,
                    },
                ),
            ];
        }
        return [];
    });
}
