/** Hypertables for the lifecycle. */
import {
    convergeHypertable,
    type HypertableMemory,
    planLiveHypertable,
} from "../core/hypertable/converge";
import type { ActualHypertable, InspectedHypertable } from "../core/hypertable/inspect";
import { leavingHypertable, removeHypertable } from "../core/hypertable/remove";
import {
    desiredHypertable,
    hypertableProperties,
    validateHypertable,
} from "../core/hypertable/spec";
import { unquote } from "../core/identifier";
import type { ChangeLine } from "../core/plan/plan";
import { hypertableFindings } from "../core/rules/own";
import { actualPolicyInputs } from "./policyInputs";
import {
    actualCommon,
    actualName,
    applying,
    differing,
    knownObject,
    partsMemory,
    type Properties,
    type ResourceKind,
    standingIndexes,
} from "./resourceKind";

export const hypertableKind: ResourceKind = {
    name: "Hypertable",
    properties: hypertableProperties,
    liveProperties: [],
    validate: validateHypertable,
    validateLive: () => Promise.resolve([]),

    findings: (inputs) => hypertableFindings(desiredHypertable(inputs)),

    async plan(session, inputs, outputs, rules) {
        const desired = desiredHypertable(inputs);
        const { plan, actual, databaseUuid } = await planLiveHypertable(
            session,
            desired,
            memoryOf(inputs, outputs),
            rules,
        );
        return {
            plan,
            databaseUuid,
            exists: actual.kind === "hypertable",
            actualInputs: actualInputs(inputs, actual, plan.lines),
        };
    },

    async converge(session, inputs, outputs, hooks, rules) {
        const desired = desiredHypertable(inputs);
        const result = await convergeHypertable(
            session,
            desired,
            memoryOf(inputs, outputs),
            applying(hooks),
            rules,
        );
        return { ...result };
    },

    async remove(session, outputs, onStatus) {
        const desired = desiredHypertable(outputs);
        return removeHypertable(session, {
            name: desired,
            ...knownObject(outputs),
            ...(desired.owner !== undefined && { owner: desired.owner }),
            ...(desired.backup !== undefined && { backup: desired.backup }),
            onRetry: onStatus,
        });
    },

    leaving: (session, outputs, patience) =>
        leavingHypertable(
            session,
            { name: desiredHypertable(outputs), ...knownObject(outputs) },
            patience,
        ),
};

function memoryOf(inputs: Properties, outputs: Properties | undefined): HypertableMemory {
    const columnNumbers = outputs?.["columnNumbers"] as HypertableMemory["columnNumbers"];
    return {
        ...partsMemory(inputs, outputs, (given) => desiredHypertable(given).indexes),
        ...(columnNumbers !== undefined && { columnNumbers }),
    };
}

/** Only what differs is replaced, so that a refresh shows drift and nothing else. */
function actualInputs(
    inputs: Properties,
    actual: InspectedHypertable,
    lines: readonly ChangeLine[],
): Properties {
    if (actual.kind !== "hypertable") return inputs;
    const differs = differing(lines);
    return {
        ...inputs,
        ...actualName(actual.name, differs),
        ...actualCommon(actual, differs),
        ...(differs("primaryKey") && { primaryKey: keyOf(actual) }),
        ...(differs("chunkTimeInterval") && { chunkTimeInterval: actual.chunkTimeInterval }),
        ...(differs("columns") && { columns: actualColumns(inputs, actual, differs) }),
        ...(differs("indexes") && {
            indexes: standingIndexes(inputs, desiredHypertable(inputs).indexes, differs),
        }),
        ...actualPolicyInputs(inputs, actual, differs),
    };
}

function keyOf({ indexes }: ActualHypertable): string[] {
    const key = indexes.find(({ primary }) => primary);
    return key?.columns.map(({ expression }) => unquote(expression)) ?? [];
}

/** The declared columns that stand, each with what differs in it. */
function actualColumns(
    inputs: Properties,
    actual: ActualHypertable,
    differs: (property: string) => boolean,
): Properties[] {
    return desiredHypertable(inputs).columns.flatMap((column) => {
        const stands = actual.columns.find(({ name }) => name === column.name);
        if (stands === undefined) return [];
        const path = `columns.${column.name}`;
        return [
            {
                ...column,
                ...(differs(`${path}.nullable`) && { nullable: stands.nullable }),
                ...(differs(`${path}.default`) && { default: stands.default ?? undefined }),
                ...(differs(`${path}.comment`) && { comment: stands.comment ?? undefined }),
            },
        ];
    });
}
