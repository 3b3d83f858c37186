/** Views for the lifecycle. */
import { explain, TimescaleError } from "../core/errors";
import type { ObjectMemory } from "../core/memory/memory";
import { readServer } from "../core/plan/converging";
import type { ChangeLine } from "../core/plan/plan";
import { convergeView, removeView } from "../core/view/converge";
import type { InspectedView } from "../core/view/inspect";
import { checkQuery, planLiveView } from "../core/view/live";
import { desiredView, validateView, viewProperties } from "../core/view/spec";
import { isAboutTheText, missingObjects } from "./aboutTheText";
import {
    actualCommon,
    actualName,
    applying,
    differing,
    formerName,
    objectMemory,
    type Properties,
    type ResourceKind,
} from "./resourceKind";

export const viewKind: ResourceKind = {
    name: "View",
    properties: viewProperties,
    liveProperties: ["query", "schema", "name"],
    validate: validateView,

    async validateLive(session, inputs) {
        const desired = desiredView(inputs);
        const { server, searchPath } = await readServer(session, desired);
        if (server.replica) return [];
        try {
            await checkQuery(session, desired, searchPath);
        } catch (error) {
            if (error instanceof TimescaleError && isAboutTheText(error, missingObjects))
                return [{ property: "query", reason: explain(error) }];
        }
        return [];
    },

    async plan(session, inputs, outputs) {
        const { plan, actual, databaseUuid } = await planLiveView(
            session,
            desiredView(inputs),
            memoryOf(inputs, outputs),
        );
        return {
            plan,
            databaseUuid,
            exists: actual.kind === "view",
            actualInputs: actualInputs(inputs, actual, plan.lines),
        };
    },

    async converge(session, inputs, outputs, hooks) {
        const result = await convergeView(
            session,
            desiredView(inputs),
            memoryOf(inputs, outputs),
            applying(hooks),
        );
        return { ...result };
    },

    async remove(session, outputs, onStatus) {
        await removeView(session, desiredView(outputs), objectMemory(outputs), onStatus);
        return undefined;
    },
};

function memoryOf(inputs: Properties, outputs: Properties | undefined): ObjectMemory {
    return { ...objectMemory(outputs), formerName: formerName(inputs, outputs) };
}

/** Only what differs is replaced, so that a refresh shows drift and nothing else. */
function actualInputs(
    inputs: Properties,
    actual: InspectedView,
    lines: readonly ChangeLine[],
): Properties {
    if (actual.kind !== "view") return inputs;
    const differs = differing(lines);
    return {
        ...inputs,
        ...actualName(actual.name, differs),
        ...actualCommon(actual, differs),
        ...((differs("query") || differs("columns")) && { query: actual.definition }),
        // Of two values, the one that is not declared.
        ...(differs("securityInvoker") && { securityInvoker: inputs["securityInvoker"] !== true }),
        ...(differs("securityBarrier") && { securityBarrier: inputs["securityBarrier"] !== true }),
    };
}
