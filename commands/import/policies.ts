/** Policies as the database has them, as a program declares them: settings that are the default are left out. */
import { isDeepStrictEqual } from "node:util";

import { sameInterval } from "../../components/timescale/core/interval";
import type { ActualPolicies } from "../../components/timescale/core/policies/changes";
import { orderOf } from "../../components/timescale/core/policies/compressionDiff";
import {
    type ActualJob,
    desiredCompressionJob,
    type DesiredJob,
    desiredRefreshJob,
    desiredRetentionJob,
    offsetFields,
    parseInstant,
    type PolicyKind,
    policyProcedures,
    policyProperties,
} from "../../components/timescale/core/policies/policy";
import {
    orderByTerm,
    parseOrderTerm,
} from "../../components/timescale/core/relation/tableStatements";
import { friendlyInterval, friendlyLength } from "./intervals";
import type { Inputs } from "./properties";
import { orderTerm } from "./terms";

/** What the server takes for settings of compression that are left out. */
export interface UsualCompression {
    readonly segmentBy: readonly string[];
    readonly orderBy: readonly string[];
}

const policyKinds = ["refresh", "compression", "retention"] as const satisfies PolicyKind[];

/** What keeps a policy out of the declaration, by its property, in words. */
export interface PolicyProblem {
    readonly property: string;
    readonly object: string;
    readonly why: string;
}

/** A job that stands beside or inside a policy, and that no property says. */
export function policyProblems(actual: ActualPolicies, owner: string): PolicyProblem[] {
    return policyKinds.flatMap((kind) => {
        const [job, ...others] = jobsOf(kind, actual);
        const property = policyProperties[kind];
        if (job === undefined) {
            return kind === "compression" && actual.compressed
                ? [
                      {
                          property,
                          object: "compression",
                          why: "it is on without a compression policy",
                      },
                  ]
                : [];
        }
        const problem = (why: string): PolicyProblem => ({
            property,
            object: `${kind} policy (job ${[job, ...others].map(({ id }) => id).join(", ")})`,
            why,
        });
        if (others.length > 0) return [problem("it stands more than once; remove all but one")];
        if (job.owner !== owner) {
            return [problem(`its job belongs to ${job.owner}, and the object to ${owner}`)];
        }
        if (kind !== "refresh" && !hasOffset(kind, job)) {
            return [problem(`its settings are of another form: ${JSON.stringify(job.config)}`)];
        }
        return [];
    });
}

/** Settings in a job's config that no property says; they are kept. */
export function unknownSettings(actual: ActualPolicies): PolicyProblem[] {
    const known = [...Object.keys(offsetFields), "hypertable_id", "mat_hypertable_id"];
    return policyKinds.flatMap((kind) =>
        jobsOf(kind, actual).flatMap((job) =>
            Object.entries(job.config)
                .filter(([key, value]) => value !== null && !known.includes(key))
                .map(([key, value]) => ({
                    property: policyProperties[kind],
                    object: `${kind} policy (job ${job.id})`,
                    why: `no property says its setting ${key}: ${JSON.stringify(value)}`,
                })),
        ),
    );
}

function hasOffset(kind: PolicyKind, job: ActualJob): boolean {
    return typeof job.config[kind === "retention" ? "drop_after" : "compress_after"] === "string";
}

function jobsOf(kind: PolicyKind, { jobs }: ActualPolicies): ActualJob[] {
    return jobs.filter(({ procedure }) => procedure === policyProcedures[kind]);
}

export function policyInputs(
    actual: ActualPolicies,
    skipped: ReadonlySet<string>,
    defaults: UsualCompression,
): Inputs {
    return Object.fromEntries(
        policyKinds.flatMap((kind) => {
            const property = policyProperties[kind];
            const job = jobsOf(kind, actual)[0];
            if (job === undefined || skipped.has(property)) return [];
            const compression = kind === "compression" ? compressionInputs(actual, defaults) : {};
            return [[property, jobInputs(kind, job, compression)]];
        }),
    );
}

function jobInputs(kind: PolicyKind, job: ActualJob, compression: Inputs): Inputs {
    const offsets = Object.fromEntries(
        Object.entries(offsetFields).flatMap(([key, field]) => {
            const value = job.config[key];
            return typeof value === "string" ? [[field, friendlyInterval(value)]] : [];
        }),
    );
    const usual = defaultsOf(kind, job, offsets);
    const interval = (field: "scheduleInterval" | "maxRuntime" | "retryPeriod"): Inputs =>
        sameInterval(job[field], usual[field]) ? {} : { [field]: friendlyInterval(job[field]) };
    return {
        ...offsets,
        ...compression,
        ...(kind === "refresh"
            ? { scheduleInterval: friendlyInterval(job.scheduleInterval) }
            : interval("scheduleInterval")),
        ...(job.fixedSchedule &&
            job.initialStart !== null && { initialStart: instant(job.initialStart) }),
        ...(job.timezone !== null && { timezone: job.timezone }),
        ...(!job.scheduled && { paused: true }),
        ...interval("maxRuntime"),
        ...(job.maxRetries !== usual.maxRetries && { maxRetries: job.maxRetries }),
        ...interval("retryPeriod"),
    };
}

/** The job that only its offsets, and a refresh policy's schedule, were given for. */
function defaultsOf(kind: PolicyKind, job: ActualJob, offsets: Inputs): DesiredJob {
    const offset = (field: string): string => (offsets[field] as string | undefined) ?? "0";
    switch (kind) {
        case "refresh":
            return desiredRefreshJob({ scheduleInterval: job.scheduleInterval });
        case "retention":
            return desiredRetentionJob({ dropAfter: offset("dropAfter") });
        case "compression":
            return desiredCompressionJob({ compressAfter: offset("compressAfter") });
    }
}

function compressionInputs({ compression }: ActualPolicies, defaults: UsualCompression): Inputs {
    if (compression === null) return {};
    const order = orderOf(compression);
    const { chunkTimeInterval } = compression;
    return {
        ...(!isDeepStrictEqual(compression.segmentBy, defaults.segmentBy) && {
            segmentBy: compression.segmentBy,
        }),
        ...(!isDeepStrictEqual(order, defaults.orderBy.map(orderByTerm)) && {
            orderBy: order.map((term) => {
                const { column, descending, nullsFirst } = parseOrderTerm(term);
                return orderTerm(column, descending, nullsFirst);
            }),
        }),
        ...(chunkTimeInterval != null && {
            compressChunkTimeInterval: friendlyLength(chunkTimeInterval),
        }),
    };
}

function instant(text: string): string {
    const time = parseInstant(text);
    return Number.isNaN(time) ? text : new Date(time).toISOString().replace(".000Z", "Z");
}
