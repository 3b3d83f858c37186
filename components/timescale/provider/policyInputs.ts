/** Policies as the database has them, in the shape in which a program writes them. */
import { type PolicyKind, policyProcedures, policyProperties } from "../core/policy";
import type { ActualPolicies } from "../core/policyDiff";
import type { Properties } from "./resourceKind";

const offsets: Readonly<Record<string, string>> = {
    start_offset: "startOffset",
    end_offset: "endOffset",
    drop_after: "dropAfter",
    compress_after: "compressAfter",
};

/** The policies that differ; one that is gone is undefined. */
export function actualPolicyInputs(
    actual: ActualPolicies,
    differs: (property: string) => boolean,
): Properties {
    const result: Record<string, unknown> = {};
    for (const kind of ["refresh", "retention", "compression"] as const satisfies PolicyKind[]) {
        const property = policyProperties[kind];
        if (!differs(property)) continue;
        const job = actual.jobs.find(({ procedure }) => procedure === policyProcedures[kind]);
        if (job === undefined) {
            result[property] = undefined;
            continue;
        }
        const config = Object.entries(job.config).flatMap(([key, value]) =>
            offsets[key] === undefined || value === null ? [] : [[offsets[key], value]],
        );
        result[property] = {
            ...(Object.fromEntries(config) as Record<string, unknown>),
            scheduleInterval: job.scheduleInterval,
            maxRuntime: job.maxRuntime,
            maxRetries: job.maxRetries,
            retryPeriod: job.retryPeriod,
            paused: !job.scheduled,
            ...(job.timezone !== null && { timezone: job.timezone }),
            ...(job.fixedSchedule &&
                job.initialStart !== null && { initialStart: job.initialStart }),
            ...(kind === "compression" &&
                actual.compression !== null && { segmentBy: actual.compression.segmentBy }),
        };
    }
    return result;
}
