/** Policies as the database has them, in the shape in which a program writes them. */
import { isDeepStrictEqual } from "node:util";

import type { ActualCompression, ActualPolicies } from "../core/policies/changes";
import { orderOf } from "../core/policies/compressionDiff";
import {
    type ActualJob,
    type CompressionPolicy,
    offsetFields,
    type PolicyKind,
    policyProcedures,
    policyProperties,
} from "../core/policies/policy";
import { orderByTerm } from "../core/relation/tableStatements";
import type { Properties } from "./resourceKind";

/**
 * The policies that differ, field by field: a field that is the same keeps the program's spelling, or
 * its absence. A policy that is gone is undefined.
 */
export function actualPolicyInputs(
    inputs: Properties,
    actual: ActualPolicies,
    differs: (property: string) => boolean,
): Properties {
    const result: Record<string, unknown> = {};
    for (const kind of ["refresh", "retention", "compression"] as const satisfies PolicyKind[]) {
        const property = policyProperties[kind];
        const settings = kind === "compression" && differs("compression");
        if (!differs(property) && !settings) continue;
        const job = actual.jobs.find(({ procedure }) => procedure === policyProcedures[kind]);
        if (job === undefined) {
            result[property] = undefined;
            continue;
        }
        const declared = inputs[property] as Properties | undefined;
        const fields = Object.entries(jobFields(job)).filter(
            ([field]) => declared === undefined || differs(`${property}.${field}`),
        );
        result[property] = {
            ...declared,
            ...Object.fromEntries(fields),
            ...(settings && compressionFields(declared ?? {}, actual.compression)),
        };
    }
    return result;
}

/** A setting that the job does not have is undefined. */
function jobFields(job: ActualJob): Properties {
    const config = Object.entries(offsetFields).flatMap(([key, field]) =>
        key in job.config ? [[field, job.config[key] ?? undefined] as const] : [],
    );
    return {
        ...Object.fromEntries(config),
        scheduleInterval: job.scheduleInterval,
        initialStart: job.fixedSchedule ? (job.initialStart ?? undefined) : undefined,
        timezone: job.timezone ?? undefined,
        paused: !job.scheduled,
        maxRuntime: job.maxRuntime,
        maxRetries: job.maxRetries,
        retryPeriod: job.retryPeriod,
    };
}

/** Of what is declared, that which is otherwise. */
function compressionFields(declared: Properties, actual: ActualCompression | null): Properties {
    if (actual === null) return {};
    const segmentBy = declared["segmentBy"] as CompressionPolicy["segmentBy"];
    const orderBy = declared["orderBy"] as CompressionPolicy["orderBy"];
    const order = orderOf(actual);
    return {
        ...(segmentBy !== undefined &&
            !isDeepStrictEqual(segmentBy, actual.segmentBy) && { segmentBy: actual.segmentBy }),
        ...(orderBy !== undefined &&
            !isDeepStrictEqual(orderBy.map(orderByTerm), order) && { orderBy: order }),
    };
}
