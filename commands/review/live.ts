/** Runs the preview that is reviewed: of a stack of the plain CLI, or of one that `npm start` has made. */
import { existsSync } from "node:fs";

import { targets } from "../../components/config/keys";
import { TimescaleError } from "../../components/timescale/core/errors";
import { stackDatabase } from "../database/stack";
import type { Engine } from "../engine";
import { withStep } from "../progress";
import { pathFor } from "../start/interruptible";
import { findEngine } from "../start/session";
import { openStack } from "../start/stack";
import { stackConfigFile, workspaceIn } from "../start/workspace";
import { askingForJson } from "./askingForJson";

export interface LivePreview {
    /** What the engine printed. */
    readonly text: string;
    /** How it ended, when it did not end well: its JSON need not say so. */
    readonly failure: string | undefined;
}

const plans = { PULUMI_TIMESCALE_PLANS: "json" };

/** @throws TimescaleError when the engine printed nothing */
export async function livePreview(root: string, name: string): Promise<LivePreview> {
    const target = targets.find(
        (one) => one === name && existsSync(stackConfigFile(workspaceIn(root), one)),
    );
    const engine = await findEngine();
    const preview = await withStep(`pulumi preview of stack ${name}`, async (step) => {
        const ended =
            target === undefined
                ? await plainPreview(root, name, engine)
                : await startedPreview(root, target, engine);
        step.done(
            `pulumi preview of stack ${name}${ended.failure === undefined ? "" : `: ${ended.failure}`}`,
        );
        return ended;
    });
    if (preview.text.trim() !== "") return preview;
    throw new TimescaleError(`stack ${name} cannot be previewed`, {
        code: "preview_failed",
        detail: `${preview.failure ?? "it printed nothing"}${preview.said}`,
        hint: "pulumi preview --stack has to work in this folder: backend, passphrase and plugins are the environment's",
    });
}

interface Ended extends LivePreview {
    /** On standard error. */
    readonly said: string;
}

async function plainPreview(root: string, name: string, engine: Engine): Promise<Ended> {
    const { execa } = await import("execa");
    const { command } = engine.command;
    const result = await execa(
        command,
        ["preview", "--json", "--stack", name, "--non-interactive"],
        {
            cwd: root,
            env: { PATH: pathFor(command), PULUMI_SKIP_UPDATE_CHECK: "true", ...plans },
            stdin: "ignore",
            reject: false,
        },
    );
    const failure = result.failed
        ? `it ended with ${result.signal ?? `code ${result.exitCode}`}`
        : undefined;
    return {
        text: result.stdout,
        failure,
        said: result.stderr === "" ? "" : `: ${result.stderr.trim()}`,
    };
}

/** By the Automation API, which asks for no JSON by itself. */
async function startedPreview(
    root: string,
    target: (typeof targets)[number],
    engine: Engine,
): Promise<Ended> {
    // Not needed where the engine runs the program itself.
    const { default: program } = await import("../../index.js");
    const database = await stackDatabase(root, target);
    try {
        const seen: { text: string } = { text: "" };
        const asking = { ...engine, command: askingForJson(engine.command, seen) };
        const never = new AbortController().signal;
        const stack = await openStack(workspaceIn(root), target, asking, program, never);
        Object.assign(stack.stack.workspace.envVars, plans);
        const failure = await stack.stack.preview().then(
            () => undefined,
            (error: unknown) => (error instanceof Error ? error.message : String(error)),
        );
        return {
            text: seen.text,
            failure: failure && "it failed",
            said: failure === undefined ? "" : `: ${failure}`,
        };
    } finally {
        await database.close();
    }
}
