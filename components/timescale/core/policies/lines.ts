/** Changes of policies as people read them in a preview. Pure. */
import type { ChangeLine } from "../plan/plan";
import { orderByTerm } from "../relation/tableStatements";
import type { ActualCompression, CompressionSettings, PolicyChange } from "./changes";
import { orderOf } from "./compressionDiff";
import { type DesiredJob, offsetFields, policyProperties } from "./policy";

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
