/**
 * What `npm start` and `npm start -- --destroy` have in common: engine, target and stack, in a state to
 * work on.
 */
import { existsSync, readFileSync } from "node:fs";

import type { automation } from "@pulumi/pulumi";

import type { Target } from "../../components/config/keys";
import type { StackConfig } from "../../components/config/stackConfig";
import { validateConfig } from "../../components/config/validate";
import { TimescaleError } from "../../components/timescale/core/errors";
import { type EmbeddedServer, openEmbedded } from "../embedded/server";
import { type Engine, ensureEngine } from "../engine";
import { withStep } from "../progress";
import { environmentKeys, newSettings } from "./configuration";
import { reviveContainer } from "./container";
import type { Interrupts } from "./interrupts";
import { dropUnrecorded } from "./leftovers";
import type { StartOptions } from "./options";
import {
    type ExportedState,
    exportState,
    forgetPending,
    removeUnrecordedContainers,
} from "./pending";
import { ensurePassphrase, generators } from "./secrets";
import {
    openStack,
    readConfig,
    storedConfig,
    type TargetStack,
    type Value,
    writeConfig,
} from "./stack";
import { clearStateLock } from "./stateLock";
import {
    type Choice,
    chooseTarget,
    defaultImage,
    probesOf,
    rememberedTarget,
    requirePlugins,
} from "./target";
import { embeddedDataFolder, stackConfigFile, type Workspace } from "./workspace";

export interface PreparedStack {
    readonly stack: TargetStack;
    readonly config: StackConfig;
    /** As it was before the operation. */
    readonly state: ExportedState;
}

export async function findEngine(): Promise<Engine> {
    return withStep("looking for the Pulumi engine", async (step) => {
        const engine = await ensureEngine(step.report);
        const sources = { path: "on PATH", download: "downloaded", "go-module": "built with Go" };
        step.done(`Pulumi engine ${engine.version}, ${sources[engine.source]}`);
        return engine;
    });
}

/** Chooses the target. */
export async function findTarget(
    workspace: Workspace,
    engine: Engine,
    options: Pick<StartOptions, "target" | "config">,
): Promise<Choice> {
    return withStep("choosing the target", async (step) => {
        const remembered = rememberedTarget(workspace);
        const choice = await chooseTarget(
            {
                asked: options.target,
                remembered,
                image: options.config["image"] ?? (await storedImage(workspace, engine)),
            },
            probesOf(engine, step.report),
        );
        step.done(`target ${choice.target}: ${choice.why}`);
        return choice;
    });
}

/** The image that the docker stack has in its config, which needs no engine to be read. */
async function storedImage(workspace: Workspace, engine: Engine): Promise<string> {
    if (!existsSync(stackConfigFile(workspace, "docker"))) {
        return defaultImage;
    }
    return (await storedConfig(workspace, "docker", engine)).get("image") ?? defaultImage;
}

export interface StackOptions extends Pick<StartOptions, "config"> {
    /** @default the target's */
    readonly name?: string | undefined;
    /** What fills in the config of an external target. @default the process's own */
    readonly environment?: NodeJS.ProcessEnv;
}

/** Opens the target's stack, completes its config, and clears what a killed run has left behind. */
export async function prepareStack(
    workspace: Workspace,
    engine: Engine,
    target: Target,
    options: StackOptions,
    program: automation.PulumiFn,
    interrupts: Interrupts,
): Promise<PreparedStack> {
    const { name = target } = options;
    return withStep(`opening stack ${name}`, async (step) => {
        ensurePassphrase(workspace);
        const stack = await openStack(workspace, target, engine, program, interrupts.force, name);
        const config = await completeConfig(stack, options);
        step.report("checking what is needed");
        await requirePlugins(target, config.manageAccess, probesOf(engine, step.report));
        await clearStateLock(workspace, stack, step);
        const state = await exportState(stack);
        await removeUnrecordedContainers(state, step);
        if (target === "docker") {
            await reviveContainer(stack, state, step);
        }
        await dropUnrecorded(state, config, step);
        await forgetPending(stack, state, step);
        step.done(`stack ${name} is ready`);
        return { stack, config, state };
    });
}

/**
 * Adds to the stack's config what was asked for and what is missing, once all of it is sound.
 *
 * @throws TimescaleError with every problem
 */
async function completeConfig(
    stack: TargetStack,
    { config: asked, environment = process.env }: StackOptions,
): Promise<StackConfig> {
    const present = await readConfig(stack);
    const settings = (
        await newSettings(stack.target, new Set(present.keys()), asked, environment, generators)
    ).filter(({ key, value }) => present.get(key)?.value !== value);
    const complete = new Map<string, Value>([
        ...present,
        ...settings.map(({ key, value, secret }) => [key, { value, secret }] as const),
    ]);
    const { config, errors } = validateConfig({
        stack: stack.name,
        values: Object.fromEntries([...complete].map(([key, { value }]) => [key, value])),
        secretKeys: new Set([...complete].flatMap(([key, { secret }]) => (secret ? [key] : []))),
        readText: (path) => readFileSync(path, "utf8"),
    });
    if (config === undefined) {
        throw new TimescaleError(`the configuration of stack ${stack.name} cannot be used`, {
            code: "invalid_config",
            detail: errors
                .map(({ message, detail }) => `\n    - ${message}${detail && `: ${detail}`}`)
                .join(""),
            hint: configHint(stack.target),
        });
    }
    await writeConfig(stack, settings);
    return config;
}

function configHint(target: Target): string {
    const byOption = `npm start -- --target ${target} --config key=value`;
    const variables = Object.entries(environmentKeys).map(([name, key]) => `${name} (${key})`);
    return target === "external"
        ? `set them by ${byOption}, or by the environment: ${variables.join(", ")}`
        : `set them by ${byOption}`;
}

/**
 * Serves the embedded database, or attaches to the process that does, and writes the port where the
 * program reads it.
 */
export async function serveEmbedded(
    workspace: Workspace,
    { stack, config }: PreparedStack,
): Promise<EmbeddedServer> {
    return withStep("opening the embedded database", async (step) => {
        const server = await openEmbedded({
            directory: embeddedDataFolder(workspace),
            port: config.port,
            database: config.database,
            report: step.report,
        });
        if (server.port !== config.port) {
            await writeConfig(stack, [{ key: "port", value: String(server.port), secret: false }]);
        }
        step.done(
            server.owned
                ? `the embedded database is open on port ${server.port}`
                : `the embedded database is served by process ${server.pid} on port ${server.port}`,
        );
        return server;
    });
}
