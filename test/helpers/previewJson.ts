/** Runs of the engine with environment variables, and what `pulumi preview --json` writes of an inline program. */
import type { automation } from "@pulumi/pulumi";

import { askingForJson } from "../../commands/review/askingForJson";
import type { EngineStack } from "./engineStack";

/** The provider sees the variable for as long as `work` runs. */
export async function withVariable<T>(
    { stack }: EngineStack,
    name: string,
    value: string,
    work: () => Promise<T>,
): Promise<T> {
    const { envVars } = stack.workspace;
    const before = envVars[name];
    envVars[name] = value;
    try {
        return await work();
    } finally {
        if (before === undefined) Reflect.deleteProperty(envVars, name);
        else envVars[name] = before;
    }
}

/** With a plan document on every resource inside a database. */
export function withPlans<T>(stack: EngineStack, work: () => Promise<T>): Promise<T> {
    return withVariable(stack, "PULUMI_TIMESCALE_PLANS", "json", work);
}

/** The standard output of `pulumi preview --json`. */
export async function previewedAsJson(
    stack: EngineStack,
    program: automation.PulumiFn,
): Promise<string> {
    const { pulumiCommand } = stack.stack.workspace as unknown as {
        pulumiCommand: Parameters<typeof askingForJson>[0] & { run: unknown };
    };
    const { run } = pulumiCommand;
    const seen = { text: "" };
    // Bound to what it was, and not to itself.
    const bound = Object.assign(Object.create(pulumiCommand) as typeof pulumiCommand, { run });
    const asking = askingForJson(bound, seen) as typeof pulumiCommand;
    Object.assign(pulumiCommand, { run: asking.run });
    try {
        await withPlans(stack, () => stack.preview(program));
    } finally {
        Object.assign(pulumiCommand, { run });
    }
    return seen.text;
}
