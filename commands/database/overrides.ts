/** What a stack declares otherwise than the program does by itself, as its config says it. */
import { ownEntries } from "../../components/config/keys";
import { schema } from "../../components/config/names";
import { policies } from "../../components/config/policies";
import type { Problems } from "../../components/config/problems";
import { slaTargets } from "../../components/config/slaTargets";
import type { StackConfig } from "../../components/config/stackConfig";
import { boolean } from "../../components/config/values";
import { explain, TimescaleError } from "../../components/timescale/core/errors";

export type Overrides = Pick<StackConfig, "schema" | "policies" | "slaTargets" | "helpers">;

/** The engine's command that prints a stack's config, with the project's defaults mixed in. */
export const configCommand = ["config", "--json", "--show-secrets"];

/** @param text what `configCommand` printed */
export function overridesIn(stack: string, text: string): Overrides {
    const all = JSON.parse(text) as Readonly<Record<string, { readonly value?: string }>>;
    const own = ownEntries(all).flatMap(([key, { value }]) =>
        value === undefined ? [] : [[key, value] as const],
    );
    return overridesOf(stack, new Map(own));
}

/**
 * @param config by key without the namespace
 * @throws TimescaleError with every problem of these keys; the others are none of its business
 */
export function overridesOf(stack: string, config: ReadonlyMap<string, string>): Overrides {
    const raw = {
        ...{ stack, values: Object.fromEntries(config), secretKeys: new Set<string>() },
        // None of these keys names a file.
        readText: () => "",
    };
    const problems: Problems = { errors: [], warnings: [] };
    const found = {
        schema: schema(raw, problems),
        policies: policies(raw, problems),
        slaTargets: slaTargets(raw, problems),
        helpers: boolean(raw, problems, "helpers"),
    };
    if (problems.errors.length === 0) return found;
    throw new TimescaleError(`the configuration of stack ${stack} cannot be used`, {
        code: "invalid_config",
        detail: problems.errors.map((error) => explain(error)).join("\n"),
        hint: "pulumi up would refuse it too: correct it with pulumi config set",
    });
}
