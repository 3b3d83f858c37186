/**
 * Runs a workflow outside the forge: each job in a checkout of its own, its `run:` steps by bash as they are written,
 * with nothing in their environment but what a runner has and what their `env:` says.
 */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { condition, type Contexts, resolve, type Scope } from "./expressions";
import type { ForgeServer } from "./forgeServer";
import { type Job, readWorkflow, type Step } from "./read";

export interface Runner {
    readonly forge: ForgeServer;
    /** A folder for everything that runs leave behind. */
    readonly folder: string;
    /** Makes a checkout of a commit; without one, of what is on the main branch. */
    readonly checkout: (into: string, commit: string | undefined) => void;
    /** By environment. */
    readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
    /** What a runner has of itself, such as PATH. */
    readonly environment: Readonly<Record<string, string>>;
}

export interface Trigger {
    /** What `github.event` has. */
    readonly event?: object;
    readonly inputs?: Readonly<Record<string, string>>;
    /** Of the stacks in a matrix, those to run. @default all */
    readonly stacks?: readonly string[];
    /** Called before a job begins, with its name and its one value of the matrix or input. */
    readonly before?: (job: string, stack: string) => Promise<void>;
}

export type Result = "success" | "failure" | "skipped";

export interface JobRun {
    readonly job: string;
    /** What it is about; an empty text where it is about no stack. */
    readonly stack: string;
    readonly result: Result;
    readonly outputs: Readonly<Record<string, string>>;
    /** Standard output and error of its steps. */
    readonly log: string;
    /** What it wrote for people. */
    readonly summary: string;
}

/** Every job that the workflow has, in the order in which they ended. */
export async function runWorkflow(
    runner: Runner,
    file: string,
    trigger: Trigger = {},
): Promise<readonly JobRun[]> {
    const { jobs } = readWorkflow(file);
    const artifacts = mkdtempSync(join(runner.folder, "artifacts-"));
    const runs: JobRun[] = [];
    const over = new Map<string, { readonly result: Result; readonly outputs: object }>();
    for (const [name, job] of Object.entries(jobs)) {
        const needed = [job.needs ?? []].flat();
        const needs = Object.fromEntries(
            needed.map((one) => {
                const state = over.get(one);
                if (state === undefined) throw new Error(`${name} needs ${one}, which is below it`);
                return [one, state];
            }),
        );
        const success = Object.values(needs).every(({ result }) => result === "success");
        const { event = {}, inputs = {} } = trigger;
        const scope: Scope = {
            success,
            contexts: { needs, inputs, github: { ...github(runner), event } },
        };
        const ended = condition(job.if, scope)
            ? await runJob({ runner, file, artifacts, trigger }, name, job, scope.contexts)
            : [skipped(name)];
        runs.push(...ended);
        over.set(name, {
            result: together(ended.map(({ result }) => result)),
            outputs: ended[0]?.outputs ?? {},
        });
    }
    return runs;
}

/** The workflow is well when none of its jobs has failed. */
export function together(results: readonly Result[]): Result {
    if (results.includes("failure")) return "failure";
    return results.every((result) => result === "skipped") ? "skipped" : "success";
}

interface Place {
    readonly runner: Runner;
    readonly file: string;
    readonly artifacts: string;
    readonly trigger: Trigger;
}

function skipped(job: string): JobRun {
    return { job, stack: "", result: "skipped", outputs: {}, log: "", summary: "" };
}

function github({ forge }: Runner): Readonly<Record<string, unknown>> {
    const server_url = "https://forge.example.com";
    return { server_url, repository: forge.repository, run_id: 77 };
}

/** Once for each value of its matrix, at the same time. */
async function runJob(
    place: Place,
    name: string,
    job: Job,
    contexts: Contexts,
): Promise<readonly JobRun[]> {
    if (job.uses !== undefined) {
        const scope = { contexts, success: true };
        const inputs = Object.fromEntries(
            Object.entries(job.with ?? {}).map(([key, value]) => [key, resolve(value, scope)]),
        );
        const called = join(dirname(place.file), basename(job.uses));
        if (job.uses !== `./.github/workflows/${basename(called)}`) throw unknownUse(job.uses);
        const runs = await runWorkflow(place.runner, called, { ...place.trigger, inputs });
        return runs.map((run) => ({ ...run, job: `${name}/${run.job}` }));
    }
    const { stacks } = place.trigger;
    const stack = job.strategy?.matrix["stack"]?.filter((one) => stacks?.includes(one) ?? true);
    const given = (contexts["inputs"] as Readonly<Record<string, string>>)["stack"] ?? "";
    return Promise.all(
        stack === undefined
            ? [runSteps(place, name, job, given, contexts)]
            : stack.map((one) =>
                  runSteps(place, name, job, one, { ...contexts, matrix: { stack: one } }),
              ),
    );
}

async function runSteps(
    { runner, artifacts, trigger }: Place,
    name: string,
    job: Job,
    stack: string,
    given: Contexts,
): Promise<JobRun> {
    await trigger.before?.(name, stack);
    const folder = mkdtempSync(join(runner.folder, `${name}-${stack}-`));
    const workspace = join(folder, "workspace");
    mkdirSync(workspace);
    const files = { output: join(folder, "output"), summary: join(folder, "summary") };
    for (const file of Object.values(files)) writeFileSync(file, "");
    const steps: Record<string, { outputs: Readonly<Record<string, string>> }> = {};
    const token = runner.forge.tokenFor(job.permissions ?? {});
    const contexts: Contexts = {
        ...given,
        steps,
        github: { ...(given["github"] as object), token, workspace },
        ...secretsOf(runner, job, given),
    };
    let success = true;
    let log = "";
    for (const step of job.steps ?? []) {
        const scope = { contexts, success };
        if (!condition(step.if, scope)) continue;
        let ended: { readonly ok: boolean; readonly said: string };
        if (step.uses !== undefined) {
            ended = use(step, scope, { runner, artifacts, workspace });
        } else {
            writeFileSync(files.output, "");
            ended = await runScript(step, scope, { runner, workspace, folder, files });
            if (step.id !== undefined) steps[step.id] = { outputs: outputsIn(files.output) };
        }
        log += ended.said;
        success &&= ended.ok || step["continue-on-error"] === true;
    }
    const scope = { contexts, success };
    return {
        job: name,
        stack,
        result: success ? "success" : "failure",
        outputs: Object.fromEntries(
            Object.entries(success ? (job.outputs ?? {}) : {}).map(([key, value]) => [
                key,
                resolve(value, scope),
            ]),
        ),
        log,
        summary: readFileSync(files.summary, "utf8"),
    };
}

/** A job outside of an environment has none: whoever reads one there fails. */
function secretsOf({ secrets }: Runner, job: Job, contexts: Contexts): Contexts {
    if (job.environment === undefined) return {};
    const environment = resolve(job.environment, { contexts, success: true });
    const found = secrets[environment];
    if (found === undefined) throw new Error(`there is no environment ${environment}`);
    return { secrets: found };
}

interface Checkout {
    readonly runner: Runner;
    readonly workspace: string;
}

/** The actions that the workflows use, and what stands for them here. */
function use(
    { uses = "", with: given = {} }: Step,
    scope: Scope,
    { runner, artifacts, workspace }: Checkout & { readonly artifacts: string },
): { readonly ok: boolean; readonly said: string } {
    const input = (name: string): string => resolve(String(given[name] ?? ""), scope);
    const artifact = join(artifacts, input("name"));
    const well = { ok: true, said: "" };
    switch (uses.split("@")[0]) {
        case "actions/checkout":
            runner.checkout(workspace, input("ref") || undefined);
            return well;
        case "actions/setup-node":
            return well;
        case "actions/upload-artifact": {
            const paths = input("path").split("\n").filter(Boolean);
            const there = paths.filter((path) => existsSync(join(workspace, path)));
            for (const path of there) cpSync(join(workspace, path), join(artifact, path));
            const missing = there.length === 0 && input("if-no-files-found") === "error";
            return { ok: !missing, said: missing ? "No files were found to upload\n" : "" };
        }
        case "actions/download-artifact":
            if (!existsSync(artifact)) return { ok: false, said: "Artifact not found\n" };
            cpSync(artifact, join(workspace, input("path")), { recursive: true });
            return well;
        default:
            throw unknownUse(uses);
    }
}

function unknownUse(uses: string): Error {
    return new Error(`the tests do not know what ${uses} does`);
}

/** As GitHub runs a step that names no shell. */
async function runScript(
    { run = "", env = {} }: Step,
    scope: Scope,
    {
        runner,
        workspace,
        folder,
        files,
    }: Checkout & {
        readonly folder: string;
        readonly files: Readonly<Record<"output" | "summary", string>>;
    },
): Promise<{ readonly ok: boolean; readonly said: string }> {
    // What it would install is linked into the checkout.
    if (run.trim() === "npm ci") return { ok: true, said: "" };
    if (run.includes("${{")) throw new Error(`a script has an expression in it: ${run}`);
    const script = join(folder, "step.sh");
    writeFileSync(script, run);
    const child = spawn("bash", ["-e", script], {
        cwd: workspace,
        env: {
            ...runner.environment,
            CI: "true",
            GITHUB_ACTIONS: "true",
            GITHUB_API_URL: runner.forge.url,
            GITHUB_REPOSITORY: runner.forge.repository,
            GITHUB_OUTPUT: files.output,
            GITHUB_STEP_SUMMARY: files.summary,
            ...Object.fromEntries(
                Object.entries(env).map(([key, value]) => [key, resolve(value, scope)]),
            ),
        },
        stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => (said += String(chunk)));
    child.stderr.on("data", (chunk: Buffer) => (said += String(chunk)));
    const code = await new Promise<number | null>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", resolve);
    });
    return { ok: code === 0, said };
}

function outputsIn(file: string): Readonly<Record<string, string>> {
    return Object.fromEntries(
        readFileSync(file, "utf8")
            .split("\n")
            .filter(Boolean)
            .map((line) => {
                const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
                if (name === undefined || value === undefined)
                    throw new Error(`this is no output of one line: ${line}`);
                return [name, value];
            }),
    );
}
