/** The `pulumi up` of a prepared stack, and what it gives. */
import type { automation } from "@pulumi/pulumi";

import type { Connection } from "../../components/timescale/core/connection/connection";
import { TimescaleError } from "../../components/timescale/core/errors";
import { withStep } from "../progress";
import { inWords, nothingChanged, type Summary } from "./events";
import type { Interrupts } from "./interrupts";
import { runOperation } from "./operation";
import type { PreparedStack } from "./session";

export interface Outputs {
    readonly owner: Connection;
    readonly writer: Connection;
    readonly reader: Connection;
    readonly aggregates: readonly string[];
}

export async function bringUp(
    { stack }: PreparedStack,
    interrupts: Interrupts,
): Promise<{ readonly summary: Summary; readonly outputs: Outputs }> {
    return withStep("pulumi up", async (step) => {
        let outputs: automation.OutputMap = {};
        const summary = await runOperation("pulumi up", step, interrupts, async (operation) => {
            ({ outputs } = await stack.stack.up(operation));
        });
        step.done(
            nothingChanged(summary)
                ? "pulumi up: nothing to change"
                : `pulumi up: ${inWords(summary)}`,
        );
        return {
            summary,
            outputs: {
                owner: output(outputs, "connection") as Connection,
                writer: output(outputs, "writer") as Connection,
                reader: output(outputs, "reader") as Connection,
                aggregates: output(outputs, "aggregates") as readonly string[],
            },
        };
    });
}

function output(outputs: automation.OutputMap, name: string): unknown {
    const found = outputs[name];
    if (found === undefined) {
        throw new TimescaleError(`the stack has no output "${name}"`, {
            code: "output_missing",
            hint: "index.ts has to return it",
        });
    }
    return found.value;
}
