/** Reads the stack's configuration and stops the program with all of its problems at once. */
import { readFileSync } from "node:fs";

import * as pulumi from "@pulumi/pulumi";

import { namespace } from "./config/keys";
import type { StackConfig } from "./config/stackConfig";
import { validateConfig } from "./config/validate";
import type { RawConfig } from "./config/values";
import { refuse, warn } from "./report";

export type { StackConfig } from "./config/stackConfig";

/**
 * The configuration of the current stack. Warnings go to its diagnostics.
 *
 * @throws pulumi.RunError that names every problem
 */
export async function loadConfig(): Promise<StackConfig> {
    const { config, errors, warnings } = validateConfig(readConfig());
    await warn(warnings);
    if (config === undefined) {
        return refuse(`the configuration of stack "${pulumi.getStack()}" cannot be used`, errors);
    }
    return config;
}

function readConfig(): RawConfig {
    // allConfig and not pulumi.Config alone, which cannot list the keys that nobody asks for.
    const prefix = `${namespace}:`;
    const all = Object.entries(pulumi.runtime.allConfig()).filter(([key]) =>
        key.startsWith(prefix),
    );
    return {
        stack: pulumi.getStack(),
        values: Object.fromEntries(all.map(([key, value]) => [key.slice(prefix.length), value])),
        secretKeys: new Set(
            all.filter(([key]) => isConfigSecret(key)).map(([key]) => key.slice(prefix.length)),
        ),
        readText: (path) => readFileSync(path, "utf8"),
    };
}

/** Part of Pulumi's runtime since 3.0, and left out of its type declarations. */
function isConfigSecret(key: string): boolean {
    const runtime: typeof pulumi.runtime & {
        readonly isConfigSecret?: (key: string) => boolean;
    } = pulumi.runtime;
    return runtime.isConfigSecret?.(key) ?? true;
}
