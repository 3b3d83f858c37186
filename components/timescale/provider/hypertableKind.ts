/** Hypertables for the lifecycle. */
import { searchPathOf } from "../core/converging";
import {
    convergeHypertable,
    type HypertableMemory,
    planLiveHypertable,
    removeHypertable,
} from "../core/hypertable/converge";
import type { InspectedHypertable } from "../core/hypertable/inspect";
import {
    desiredHypertable,
    hypertableProperties,
    validateHypertable,
} from "../core/hypertable/spec";
import { inspectServer } from "../core/server";
import { inTransaction } from "../core/session";
import { actualPolicyInputs } from "./policyInputs";
import { formerName, type Properties, type ResourceKind } from "./resourceKind";

export const hypertableKind: ResourceKind = {
    name: "Hypertable",
    properties: hypertableProperties,
    liveProperties: [],
    validate: validateHypertable,
    validateLive: () => Promise.resolve([]),

    async plan(session, inputs, outputs) {
        const desired = desiredHypertable(inputs);
        const { plan, actual, databaseUuid } = await planLiveHypertable(
            session,
            desired,
            memoryOf(inputs, outputs),
        );
        return {
            plan,
            databaseUuid,
            exists: actual.kind === "hypertable",
            actualInputs: actualInputs(
                inputs,
                actual,
                plan.lines.map(({ property }) => property),
            ),
        };
    },

    async converge(session, inputs, outputs, hooks) {
        const desired = desiredHypertable(inputs);
        const result = await convergeHypertable(session, desired, memoryOf(inputs, outputs), hooks);
        return { ...result };
    },

    async remove(session, outputs, onStatus) {
        const desired = desiredHypertable(outputs);
        const server = await inTransaction(
            session,
            { readOnly: true, searchPath: ["pg_catalog"] },
            inspectServer,
        );
        await removeHypertable(session, {
            name: desired,
            searchPath: searchPathOf(desired, server),
            onRetry: onStatus,
        });
    },
};

function memoryOf(inputs: Properties, outputs: Properties | undefined): HypertableMemory {
    return {
        managed: outputs !== undefined,
        declared: {
            refreshPolicy: false,
            retentionPolicy: outputs?.["retentionPolicy"] !== undefined,
            compressionPolicy: outputs?.["compressionPolicy"] !== undefined,
            indexes:
                outputs === undefined
                    ? []
                    : desiredHypertable(outputs).indexes.map(({ name }) => name),
        },
        databaseUuid: (outputs?.["metDatabaseUuid"] as string | undefined) ?? null,
        formerName: formerName(inputs, outputs),
    };
}

/** Only what differs is replaced, so that a refresh shows drift and nothing else. */
function actualInputs(
    inputs: Properties,
    actual: InspectedHypertable,
    changed: readonly string[],
): Properties {
    if (actual.kind !== "hypertable") return inputs;
    const differs = (property: string): boolean =>
        changed.some((path) => path === property || path.startsWith(`${property}.`));
    return {
        ...inputs,
        ...(differs("comment") && { comment: actual.comment ?? undefined }),
        ...(differs("chunkTimeInterval") && { chunkTimeInterval: actual.chunkTimeInterval }),
        ...(differs("grants") && { grants: actual.grants }),
        ...(differs("columns") && {
            columns: actual.columns.map(({ name, type, nullable, ...column }) => ({
                name,
                type,
                nullable,
                ...(column.default !== null && { default: column.default }),
                ...(column.comment !== null && { comment: column.comment }),
            })),
        }),
        ...actualPolicyInputs(actual, differs),
    };
}
