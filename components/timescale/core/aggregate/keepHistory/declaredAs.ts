/** A standing aggregate as a program would declare it, so that another one like it can be made. */
import { escapeIdentifier } from "../../identifier";
import { orderOf } from "../../policies/compressionDiff";
import { type ActualJob, type PolicyKind, policyProcedures } from "../../policies/policy";
import { declarableGrants, type Grant } from "../../relation/grants";
import type { ActualIndex, DesiredIndex } from "../../relation/indexes";
import type { ActualAggregate } from "../inspect";
import type { DesiredAggregate } from "../spec";

/** @param query what it selects, which may be from another relation */
export function declaredAs(actual: ActualAggregate, query: string): DesiredAggregate {
    const { compression } = actual;
    const text = (job: ActualJob, key: string): string | undefined => {
        const value = job.config[key];
        return typeof value === "string" ? value : undefined;
    };
    const refresh = jobOf(actual, "refresh");
    const retention = jobOf(actual, "retention");
    const compress = jobOf(actual, "compression");
    const [startOffset, endOffset] = refresh === undefined ? [] : [text(refresh, "start_offset"), text(refresh, "end_offset")]; // prettier-ignore
    return {
        ...actual.name,
        query,
        materializedOnly: actual.materializedOnly,
        createGroupIndexes: actual.groupIndexes,
        chunkTimeInterval: actual.chunkTimeInterval,
        ...(refresh !== undefined && {
            refreshPolicy: {
                ...settingsOf(refresh),
                ...(startOffset !== undefined && { startOffset }),
                ...(endOffset !== undefined && { endOffset }),
            },
        }),
        ...(retention !== undefined && {
            retentionPolicy: {
                ...settingsOf(retention),
                dropAfter: text(retention, "drop_after") ?? "",
            },
        }),
        ...(compress !== undefined &&
            compression !== null && {
                compressionPolicy: {
                    ...settingsOf(compress),
                    compressAfter: text(compress, "compress_after") ?? "",
                    segmentBy: compression.segmentBy,
                    orderBy: orderOf(compression),
                    ...(compression.chunkTimeInterval != null && {
                        compressChunkTimeInterval: compression.chunkTimeInterval,
                    }),
                },
            }),
        comment: actual.comment,
        owner: actual.owner,
        indexes: actual.indexes.filter(({ valid, unique }) => valid && !unique).map(declaredIndex),
        grants: declarableGrants(actual.grants) as readonly Grant[],
        adopt: false,
        acceptLoss: 0,
        onDelete: "drop",
        onQueryChange: "refuse",
        history: {},
        waive: [],
    };
}

export function jobOf(actual: ActualAggregate, kind: PolicyKind): ActualJob | undefined {
    return actual.jobs.find(({ procedure }) => procedure === policyProcedures[kind]);
}

function settingsOf(job: ActualJob) {
    return {
        scheduleInterval: job.scheduleInterval,
        ...(job.fixedSchedule && job.initialStart !== null && { initialStart: job.initialStart }),
        ...(job.timezone !== null && { timezone: job.timezone }),
        paused: !job.scheduled,
        maxRuntime: job.maxRuntime,
        maxRetries: job.maxRetries,
        retryPeriod: job.retryPeriod,
    };
}

function declaredIndex({ name, method, columns, predicate }: ActualIndex): DesiredIndex {
    return {
        name,
        method,
        columns: columns.map(
            ({ expression, descending, nullsFirst }) =>
                `${expression.startsWith('"') ? expression : escapeIdentifier(expression)}${descending ? " DESC" : ""} NULLS ${nullsFirst ? "FIRST" : "LAST"}`,
        ),
        ...(predicate !== null && { where: predicate }),
    };
}
