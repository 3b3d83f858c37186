/**
 * The stack of one target: where its files lie, its config, and the engine's commands on it.
 */
import { mkdirSync } from "node:fs";

import { automation } from "@pulumi/pulumi";

import { namespace, ownEntries, type Target } from "../../components/config/keys";
import { TimescaleError } from "../../components/timescale/core/errors";
import type { Engine } from "../engine";
import type { Setting } from "./configuration";
import { runOnStack } from "./engineRun";
import { interruptible } from "./interruptible";
import { pulumiEnvironment, stackFolder, type Workspace } from "./workspace";

export interface TargetStack {
    readonly target: Target;
    /** The target's own, or that of a database of `npm run deploy`. */
    readonly name: string;
    readonly stack: automation.Stack;
    /** Runs `pulumi` on this stack and gives its standard output. */
    readonly pulumi: (args: readonly string[], input?: string) => Promise<string>;
}

/** Selects the stack of a target, and makes it first where there is none. */
export async function openStack(
    workspace: Workspace,
    target: Target,
    engine: Engine,
    program: automation.PulumiFn,
    force: AbortSignal,
    name: string = target,
): Promise<TargetStack> {
    const workDir = stackFolder(workspace, name);
    mkdirSync(workDir, { recursive: true });
    mkdirSync(workspace.stateFolder, { recursive: true });
    const environment = {
        ...pulumiEnvironment(workspace),
        PULUMI_SKIP_UPDATE_CHECK: "true",
        // A plugin that is missing has been said to be; the engine would look for it for a long time.
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    };
    const settings = await projectSettings(workspace, engine);
    const stack = await automation.LocalWorkspace.createOrSelectStack(
        { stackName: name, projectName: namespace, program },
        {
            workDir,
            pulumiCommand: interruptible(engine.command, force),
            secretsProvider: "passphrase",
            envVars: environment,
            projectSettings: settings,
        },
    ).catch((error: unknown) => {
        throw new TimescaleError(`stack ${name} cannot be opened`, {
            code: "engine_failed",
            detail: engineErrors(error),
            cause: error,
        });
    });
    const pulumi: TargetStack["pulumi"] = async (args, input) => {
        const place = { cwd: workDir, environment, input };
        const { stdout, stderr, failure, summary } = await runOnStack(engine, name, args, place);
        if (failure === undefined) return stdout;
        throw new TimescaleError(`pulumi ${args.slice(0, 2).join(" ")} failed`, {
            code: "engine_failed",
            detail: stderr || (summary ?? failure),
        });
    };
    return { target, name, stack, pulumi };
}

/** What the engine said, out of what the Automation API makes of it. */
function engineErrors(error: unknown): string {
    const text = error instanceof Error ? error.message : String(error);
    const lines = text.split("\n").map((line) => line.trim());
    const errors = new Set(lines.filter((line) => line.startsWith("error: ")));
    return errors.size === 0 ? text : [...errors].join("\n");
}

/**
 * The project's settings as the plain CLI reads them from the repository, so that both check and default
 * the config alike; only the program is the one handed to the engine.
 */
async function projectSettings(
    { root }: Workspace,
    engine: Engine,
): Promise<automation.ProjectSettings> {
    const repository = await automation.LocalWorkspace.create({
        workDir: root,
        pulumiCommand: engine.command,
    });
    const { main: _main, ...settings } = await repository.projectSettings();
    return settings;
}

/**
 * The stack's own config without the namespace, secrets decrypted. The project's defaults, which the
 * engine mixes in, are left out: they may change with the program.
 */
export async function readConfig({
    stack,
    name,
}: TargetStack): Promise<ReadonlyMap<string, Value>> {
    const all = await stack.getAllConfig();
    const { config = {} } = await stack.workspace.stackSettings(name);
    const own = new Set(ownEntries<unknown>(config).map(([key]) => key));
    return new Map(
        ownEntries(all)
            .filter(([key]) => own.has(key))
            .map(([key, { value, secret }]) => [key, { value, secret: secret === true }]),
    );
}

export interface Value {
    readonly value: string;
    readonly secret: boolean;
}

/** Secrets go by standard input: the arguments of a process are everyone's to read. */
export async function writeConfig(
    { pulumi }: TargetStack,
    settings: readonly Setting[],
): Promise<void> {
    const plain = settings.filter(({ secret }) => !secret);
    if (plain.length > 0) {
        await pulumi([
            "config",
            "set-all",
            ...plain.flatMap(({ key, value }) => ["--plaintext", `${namespace}:${key}=${value}`]),
        ]);
    }
    for (const { key, value } of settings.filter(({ secret }) => secret)) {
        await pulumi(["config", "set", "--secret", `${namespace}:${key}`], value);
    }
}

/** The plain values in the config file of a stack that may not be open yet, by key without the namespace. */
export async function storedConfig(
    workspace: Workspace,
    name: string,
    engine: Engine,
): Promise<ReadonlyMap<string, string>> {
    const folder = await automation.LocalWorkspace.create({
        workDir: stackFolder(workspace, name),
        pulumiCommand: engine.command,
    });
    const { config = {} } = await folder.stackSettings(name);
    return new Map(
        ownEntries<unknown>(config).flatMap(([key, value]) =>
            // Written by hand, true and 5 need no quotes.
            ["string", "boolean", "number"].includes(typeof value)
                ? [[key, String(value)] as const]
                : [],
        ),
    );
}
