/** Runs the preview that is reviewed: of a stack of the plain CLI, or of one that `npm start` or `npm run deploy` has made. */
import type { Target } from "../../components/config/keys";
import { TimescaleError } from "../../components/timescale/core/errors";
import { type Preview, readPreview } from "../../components/timescale/provider/preview";
import { stackDatabase } from "../database/stack";
import type { Engine } from "../engine";
import { withStep } from "../progress";
import { type EngineRun, runOnStack } from "../start/engineRun";
import { findEngine } from "../start/session";
import { openStack } from "../start/stack";
import { stacksHere, targetHere } from "../start/target";
import { workspaceIn } from "../start/workspace";
import { askForJson } from "./askingForJson";
import { countRemovals, type Removals } from "./countRemovals";

export interface LivePreview {
    readonly preview: Preview;
    /** How it ended, when it did not end well: its JSON need not say so. */
    readonly failure: string | undefined;
    /** What the database holds of what goes. */
    readonly removals: Removals;
}

const plans = { PULUMI_TIMESCALE_PLANS: "json" };
const exportCommand = ["stack", "export", "--show-secrets"];

/** As the workflow and `npm start -- --destroy` do it: what is protected stays. */
const destroyCommand = ["destroy", "--preview-only", "--json", "--exclude-protected"];

/** What `pulumi destroy` prints where everything is protected is nothing. */
const nothingGoes = JSON.stringify({ steps: [], changeSummary: {} });

/**
 * @param destroy previews `pulumi destroy` in the place of `up`
 * @throws TimescaleError when the engine printed nothing
 */
export async function livePreview(
    root: string,
    name: string,
    destroy: boolean,
): Promise<LivePreview> {
    const target = targetHere(workspaceIn(root), name);
    const engine = await findEngine();
    const operation = destroy ? "pulumi destroy --preview-only" : "pulumi preview";
    const read = (ended: Ended): Promise<LivePreview> => counted(ended, { root, name, operation });
    return withStep(`${operation} of stack ${name}`, async (step) => {
        const found =
            target === undefined
                ? await plainPreview(root, name, engine, destroy, read)
                : await startedPreview(root, { target, name }, engine, destroy, read);
        step.done(
            `${operation} of stack ${name}${found.failure === undefined ? "" : `: ${found.failure}`}`,
        );
        return found;
    });
}

interface Ended extends Pick<LivePreview, "failure"> {
    /** What the engine printed. */
    readonly text: string;
    /** On standard error. */
    readonly said: string;
    /** Reads the state. */
    readonly exported: () => Promise<string>;
}

/** Reads it, while the database can still be asked. */
async function counted(
    { text, failure, said, exported }: Ended,
    { root, name, operation }: Record<"root" | "name" | "operation", string>,
): Promise<LivePreview> {
    if (text.trim() === "") {
        throw new TimescaleError(`stack ${name} cannot be previewed`, {
            code: "preview_failed",
            detail: `${failure ?? "it printed nothing"}${said}`,
            hint: `made here: ${stacksHere(workspaceIn(root)).join(", ") || "none"}; for one of the plain CLI ${operation} --stack has to work in this folder: backend, passphrase and plugins are the environment's`,
        });
    }
    const preview = readPreview(text);
    return { preview, failure, removals: await countRemovals(preview, exported) };
}

type Reading = (ended: Ended) => Promise<LivePreview>;

async function plainPreview(
    root: string,
    name: string,
    engine: Engine,
    destroy: boolean,
    read: Reading,
): Promise<LivePreview> {
    const run = (args: readonly string[]): Promise<EngineRun> =>
        runOnStack(engine, name, args, { cwd: root, environment: plans });
    const { stdout, stderr, failure } = await run(destroy ? destroyCommand : ["preview", "--json"]);
    return read({
        text: orNothing(stdout, destroy && failure === undefined),
        failure: failure && `it ended with ${failure}`,
        said: afterColon(stderr),
        exported: async () => {
            const state = await run(exportCommand);
            if (state.failure === undefined) return state.stdout;
            throw new TimescaleError(`pulumi ${exportCommand.join(" ")} failed`, {
                code: "engine_failed",
                detail: `it ended with ${state.failure}${afterColon(state.stderr)}`,
            });
        },
    });
}

function afterColon(text: string): string {
    return text === "" ? "" : `: ${text}`;
}

function orNothing(text: string, succeeded: boolean): string {
    return succeeded && text.trim() === "" ? nothingGoes : text;
}

/** By the Automation API, which asks for no JSON by itself. */
async function startedPreview(
    root: string,
    { target, name }: { readonly target: Target; readonly name: string },
    engine: Engine,
    destroy: boolean,
    read: Reading,
): Promise<LivePreview> {
    // Not needed where the engine runs the program itself.
    const { default: program } = await import("../../index.js");
    // The others are up by themselves, or are not, which the preview finds out.
    const database =
        target === "embedded" ? await stackDatabase(root, name, "connection", engine) : undefined;
    try {
        const seen: { text: string } = { text: "" };
        const never = new AbortController().signal;
        const stack = await openStack(workspaceIn(root), target, engine, program, never, name);
        const exported = (): Promise<string> => stack.pulumi(exportCommand);
        if (destroy) {
            const text = orNothing(await stack.pulumi(destroyCommand), true);
            return await read({ text, failure: undefined, said: "", exported });
        }
        Object.assign(stack.stack.workspace.envVars, plans);
        askForJson(stack.stack.workspace, seen);
        const failure = await stack.stack.preview().then(
            () => undefined,
            (error: unknown) => (error instanceof Error ? error.message : String(error)),
        );
        return await read({
            text: seen.text,
            failure: failure && "it failed",
            said: afterColon(failure ?? ""),
            exported,
        });
    } finally {
        await database?.close();
    }
}
