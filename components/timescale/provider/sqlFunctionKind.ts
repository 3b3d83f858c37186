/** Functions for the lifecycle. */
import { explain, TimescaleError } from "../core/errors";
import { checkBody } from "../core/function/compare";
import { convergeFunction, removeFunction } from "../core/function/converge";
import type { FunctionMemory, RememberedSignature } from "../core/function/find";
import { planLiveFunction } from "../core/function/live";
import type { ActualFunction } from "../core/function/routine";
import {
    desiredFunction,
    functionIdentity,
    functionProperties,
    validateFunction,
} from "../core/function/spec";
import { readServer, trying } from "../core/plan/converging";
import type { ChangeLine } from "../core/plan/plan";
import { isAboutTheText, missingObjects } from "./aboutTheText";
import {
    actualCommon,
    applying,
    differing,
    objectMemory,
    type Properties,
    type ResourceKind,
} from "./resourceKind";

export const sqlFunctionKind: ResourceKind = {
    name: "SqlFunction",
    properties: functionProperties,
    liveProperties: ["definition", "schema"],
    identityOf: functionIdentity,
    identityProperty: "definition",
    validate: validateFunction,

    async validateLive(session, inputs) {
        const desired = desiredFunction(inputs);
        const { server, searchPath } = await readServer(session, desired);
        if (server.replica) return [];
        try {
            await trying(session, desired, searchPath, "check_function", (client) =>
                checkBody(client, desired),
            );
        } catch (error) {
            if (error instanceof TimescaleError && isAboutTheText(error, missingObjects))
                return [{ property: "definition", reason: explain(error) }];
        }
        return [];
    },

    async plan(session, inputs, outputs) {
        const { plan, standing, databaseUuid } = await planLiveFunction(
            session,
            desiredFunction(inputs),
            memoryOf(outputs),
        );
        return {
            plan,
            databaseUuid,
            exists: standing !== undefined,
            actualInputs: actualInputs(inputs, standing, plan.lines),
        };
    },

    async converge(session, inputs, outputs, hooks) {
        const result = await convergeFunction(
            session,
            desiredFunction(inputs),
            memoryOf(outputs),
            applying(hooks),
        );
        return { ...result };
    },

    async remove(session, outputs, onStatus) {
        await removeFunction(session, desiredFunction(outputs), memoryOf(outputs), onStatus);
        return undefined;
    },
};

function memoryOf(outputs: Properties | undefined): FunctionMemory {
    const signature = outputs?.["signature"] as RememberedSignature | undefined;
    return { ...objectMemory(outputs), ...(signature !== undefined && { signature }) };
}

/** Only what differs is replaced, so that a refresh shows drift and nothing else. */
function actualInputs(
    inputs: Properties,
    standing: ActualFunction | undefined,
    lines: readonly ChangeLine[],
): Properties {
    if (standing === undefined) return inputs;
    const differs = differing(lines);
    const redefined = lines.some(({ code }) => ["definition", "option", "name"].includes(code));
    return {
        ...inputs,
        ...(redefined && { definition: standing.definition }),
        ...actualCommon(standing, differs),
    };
}
