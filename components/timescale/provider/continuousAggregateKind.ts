/** Continuous aggregates for the lifecycle. */
import { converge } from "../core/aggregate/converge";
import type { InspectedAggregate } from "../core/aggregate/inspect";
import { leavingAggregate } from "../core/aggregate/leaving";
import { normaliseDesired, planLive, queryRefusals } from "../core/aggregate/live";
import { removeAggregate } from "../core/aggregate/remove";
import { aggregateProperties, desiredAggregate, validateAggregate } from "../core/aggregate/spec";
import { explain, TimescaleError } from "../core/errors";
import { displayName } from "../core/identifier";
import { readServer } from "../core/plan/converging";
import type { ChangeLine } from "../core/plan/plan";
import type { PartsMemory } from "../core/relation/hypertableParts";
import { aggregateFindings } from "../core/rules/own";
import { isAboutTheText } from "./aboutTheText";
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

export const continuousAggregateKind: ResourceKind = {
    name: "ContinuousAggregate",
    properties: aggregateProperties,
    liveProperties: ["query", "schema", "name"],
    validate: validateAggregate,

    async validateLive(session, inputs) {
        const desired = desiredAggregate(inputs);
        const { server, searchPath } = await readServer(session, desired);
        if (server.replica) return [];
        try {
            const normalised = await normaliseDesired(session, desired, searchPath);
            return queryRefusals(normalised, displayName(desired)).map((error) => ({
                property: "query",
                reason: explain(error),
            }));
        } catch (error) {
            if (error instanceof TimescaleError && isAboutTheText(error)) {
                return [{ property: "query", reason: explain(error) }];
            }
            return [];
        }
    },

    findings: (inputs) => aggregateFindings(desiredAggregate(inputs)),

    async plan(session, inputs, outputs, rules) {
        const desired = desiredAggregate(inputs);
        const { plan, actual, databaseUuid } = await planLive(
            session,
            desired,
            memoryOf(inputs, outputs),
            rules,
        );
        return {
            plan,
            databaseUuid,
            exists: actual.kind === "aggregate",
            actualInputs: actualInputs(inputs, actual, plan.lines),
        };
    },

    async converge(session, inputs, outputs, hooks, rules) {
        const desired = desiredAggregate(inputs);
        const result = await converge(
            session,
            desired,
            memoryOf(inputs, outputs),
            applying(hooks),
            rules,
        );
        return { ...result };
    },

    async remove(session, outputs, onStatus) {
        const desired = desiredAggregate(outputs);
        return removeAggregate(session, {
            name: desired,
            ...knownObject(outputs),
            ...(desired.owner !== undefined && { owner: desired.owner }),
            acceptLoss: desired.acceptLoss,
            onDelete: desired.onDelete,
            ...(desired.backup !== undefined && { backup: desired.backup }),
            onRetry: onStatus,
        });
    },

    leaving(session, outputs, patience) {
        const desired = desiredAggregate(outputs);
        const { acceptLoss } = desired;
        return leavingAggregate(
            session,
            { name: desired, ...knownObject(outputs), acceptLoss },
            patience,
        );
    },
};

function memoryOf(inputs: Properties, outputs: Properties | undefined): PartsMemory {
    return partsMemory(inputs, outputs, (given) => desiredAggregate(given).indexes);
}

/** Only what differs is replaced, so that a refresh shows drift and nothing else. */
function actualInputs(
    inputs: Properties,
    actual: InspectedAggregate,
    lines: readonly ChangeLine[],
): Properties {
    if (actual.kind !== "aggregate") return inputs;
    const differs = differing(lines);
    return {
        ...inputs,
        ...actualName(actual.name, differs),
        ...actualCommon(actual, differs),
        ...(differs("materializedOnly") && { materializedOnly: actual.materializedOnly }),
        ...(differs("chunkTimeInterval") && { chunkTimeInterval: actual.chunkTimeInterval }),
        ...(differs("indexes") && {
            indexes: standingIndexes(inputs, desiredAggregate(inputs).indexes, differs),
        }),
        ...((differs("query") || differs("columns")) && { query: actual.definition }),
        ...actualPolicyInputs(inputs, actual, differs),
    };
}
