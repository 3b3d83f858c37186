/**
 * The real Pulumi engine for tests: a stack of inline programs, run by the Automation API, on a
 * backend in a temporary folder.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";

import { automation } from "@pulumi/pulumi";

import { folderOnPath } from "../../commands/engine/executables";
import { type TestServer, testServers } from "./databases";
import { engineVariable, recordEnvironment } from "./environment";
import { startGuarded } from "./guarded";

const root = dirname(dirname(__dirname));

/** The folder of the engine: that of `npm test`, else that of the `pulumi` on PATH. */
export function engineDirectory(): string | undefined {
    // `ensureEngine` may have to download, for which it needs modules that Jest cannot load.
    return process.env[engineVariable] ?? folderOnPath("pulumi");
}

/** Says why tests cannot run on this server; undefined when they can. */
type Obstacle = (server: TestServer) => string | undefined;

/** Declares the same tests for every server of this run; what cannot run is recorded and skipped. */
export function describeOnServers(
    title: string,
    tests: (server: TestServer) => void,
    obstacleOn: Obstacle = () => undefined,
): void {
    forServers(title, obstacleOn, (server, name, runs) =>
        (runs ? describe : describe.skip)(name, () => tests(server)),
    );
}

/** The same for one test that mostly waits: all servers at once. */
export function testOnServers(
    title: string,
    test: (server: TestServer) => Promise<void>,
    obstacleOn: Obstacle = () => undefined,
): void {
    forServers(title, obstacleOn, (server, name, runs) =>
        runs ? it.concurrent(name, () => test(server)) : it.skip(name, () => undefined),
    );
}

function forServers(
    title: string,
    obstacleOn: Obstacle,
    declare: (server: TestServer, name: string, runs: boolean) => void,
): void {
    for (const server of testServers()) {
        const obstacle =
            engineDirectory() === undefined
                ? `there is no Pulumi engine: set ${engineVariable} to its folder, or run npm test`
                : obstacleOn(server);
        if (obstacle !== undefined) {
            recordEnvironment(`not run: engine suite, ${title}, on ${server.name}: ${obstacle}`);
        }
        declare(server, `${title}, on ${server.name}`, obstacle === undefined);
    }
}

export interface Step {
    /** Such as `create`, `update`, `same` or `delete`. */
    readonly op: string;
    /** The resource's name, the last part of its URN. */
    readonly name: string;
}

export interface Diagnostic {
    /** Name of the resource that it is about; empty for the run as a whole. */
    readonly name: string;
    readonly severity: string;
    readonly message: string;
}

/** What one operation of the engine did and said. */
export interface Run {
    /** Why it failed, with all diagnostics; undefined when it succeeded. */
    readonly failure: string | undefined;
    /** Of resources inside the database alone: no components, no providers. */
    readonly steps: readonly Step[];
    readonly diagnostics: readonly Diagnostic[];
    /** Passing messages on resources' own rows, as `name: text`. */
    readonly statuses: readonly string[];
    /** Everything the engine printed. */
    readonly output: string;
}

/** Operation by resource, without those that stay the same. */
export function changes(run: Run): Readonly<Record<string, string>> {
    return Object.fromEntries(
        run.steps.filter(({ op }) => op !== "same").map(({ name, op }) => [name, op]),
    );
}

/** All diagnostics of a resource. */
export function said(run: Run, name: string): string {
    const messages = run.diagnostics.filter((one) => one.name === name);
    return messages.map(({ message }) => message).join("\n");
}

/** @throws with everything that the engine said, when the run failed */
export function succeeded(run: Run): Run {
    if (run.failure !== undefined) throw new Error(`the engine failed:\n${run.failure}`);
    return run;
}

/** @throws when the run succeeded; otherwise gives what it failed with */
export function failed(run: Run): Run & { readonly failure: string } {
    const { failure } = run;
    if (failure === undefined) throw new Error("the engine succeeded, and should have failed");
    return { ...run, failure };
}

export interface EngineStack {
    readonly stack: automation.Stack;
    readonly up: (
        program: automation.PulumiFn,
        options?: Partial<automation.UpOptions>,
    ) => Promise<Run>;
    readonly preview: (
        program: automation.PulumiFn,
        options?: Partial<automation.PreviewOptions>,
    ) => Promise<Run>;
    /** Without the program, as `pulumi refresh`. */
    readonly refresh: (options?: Partial<automation.RefreshOptions>) => Promise<Run>;
    /** Without the program, as `pulumi destroy`; the Automation API skips its preview. */
    readonly destroy: (options?: Partial<automation.DestroyOptions>) => Promise<Run>;
    /** Runs a command of the CLI on this stack, and gives what it printed. */
    readonly cli: (...args: readonly string[]) => Promise<string>;
    /** The state, with secrets in clear text: encrypted anew at each run, they could not be compared. */
    readonly state: () => Promise<State>;
    /** Ends the engine that runs now with SIGKILL; resolves with the process ids of its children. */
    readonly kill: () => Promise<readonly number[]>;
    /**
     * Whatever could give a secret away, by where it is: the exported state, every file of the
     * backend and of the work folder, and everything that was ever printed.
     */
    readonly traces: () => Promise<ReadonlyMap<string, string>>;
    /** Deletes the backend and the work folder, not what was provisioned. */
    readonly remove: () => Promise<void>;
}

export interface State {
    readonly resources: readonly StateResource[];
    readonly pendingOperations: number;
}

export interface StateResource {
    readonly urn: string;
    readonly type: string;
    readonly id: string | undefined;
    readonly inputs: Readonly<Record<string, unknown>> | undefined;
    readonly outputs: Readonly<Record<string, unknown>> | undefined;
    /** What an operation that was done in part left undone. */
    readonly initErrors: readonly string[] | undefined;
}

/** The resources inside the database, by name. */
export function resourcesOf(state: State): ReadonlyMap<string, StateResource> {
    const inside = state.resources.filter(({ type }) => type.startsWith(dynamic));
    return new Map(inside.map((resource) => [nameOf(resource.urn), resource]));
}

const dynamic = "pulumi-nodejs:dynamic/timescale:";

function nameOf(urn: string): string {
    return urn.split("::")[3] ?? "";
}

const project = "llm-observatory";

/** A new, empty stack. */
export async function createEngineStack(): Promise<EngineStack> {
    const directory = engineDirectory();
    if (directory === undefined) throw new Error("there is no Pulumi engine");
    const backend = mkdtempSync(join(tmpdir(), "observatory-backend-"));
    // Inside the repository: the provider process finds the package from its folder upwards.
    mkdirSync(join(root, ".observatory"), { recursive: true });
    const workDir = mkdtempSync(join(root, ".observatory", "test-"));
    // They go with this process, however it ends.
    const folders = startGuarded("", 'rm -rf "$1" "$2"', { args: [backend, workDir] });
    folders.release();
    const engine = await openEngine(directory);
    const envVars = {
        PULUMI_BACKEND_URL: `file://${backend}`,
        PULUMI_HOME: join(backend, "home"),
        PULUMI_CONFIG_PASSPHRASE: randomBytes(16).toString("hex"),
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    };
    const stack = await automation.LocalWorkspace.createStack(
        { stackName: "test", projectName: project, program: () => Promise.resolve() },
        {
            workDir,
            envVars,
            pulumiCommand: engine.command,
            secretsProvider: "passphrase",
            projectSettings: { name: project, runtime: "nodejs" },
        },
    );
    const printed: string[] = [];
    const run = async (operate: (options: Watch) => Promise<unknown>): Promise<Run> => {
        const result = await watch(operate);
        printed.push(result.output, ...result.diagnostics.map(({ message }) => message));
        return result;
    };
    const cli: EngineStack["cli"] = async (...args) => {
        const options = [...args, "--stack", "test"];
        return (await engine.run(options, workDir, envVars)).stdout;
    };
    return {
        stack,
        up: (program, options) => run((seen) => stack.up({ ...options, ...seen, program })),
        preview: (program, options) =>
            run((seen) => stack.preview({ ...options, ...seen, program })),
        refresh: (options) => run((seen) => stack.refresh({ ...options, ...seen })),
        destroy: (options) => run((seen) => stack.destroy({ ...options, ...seen })),
        cli,
        state: async () => {
            const { deployment } = JSON.parse(await cli("stack", "export", "--show-secrets")) as {
                deployment: {
                    resources?: StateResource[];
                    pending_operations?: unknown[];
                };
            };
            return {
                resources: (deployment.resources ?? []).map(
                    // The rest is the engine's own book-keeping.
                    ({ urn, type, id, inputs, outputs, initErrors }) => {
                        return { urn, type, id, inputs, outputs, initErrors };
                    },
                ),
                pendingOperations: deployment.pending_operations?.length ?? 0,
            };
        },
        kill: engine.kill,
        traces: async () =>
            new Map([
                ["the exported state", await cli("stack", "export")],
                ...[backend, workDir].flatMap(filesIn),
                ["everything printed", printed.join("\n")],
            ]),
        remove: () => folders.stop(),
    };
}

function filesIn(folder: string): [string, string][] {
    if (!existsSync(folder)) return [];
    return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((file) => [file, readFileSync(file, "latin1")]);
}

interface Watch {
    readonly onEvent: (event: automation.EngineEvent) => void;
    readonly onOutput: (text: string) => void;
    readonly onError: (text: string) => void;
    readonly color: "never";
}

async function watch(operate: (options: Watch) => Promise<unknown>): Promise<Run> {
    const steps: Step[] = [];
    const diagnostics: Diagnostic[] = [];
    const statuses: string[] = [];
    let output = "";
    const append = (text: string): void => {
        output += text;
    };
    const onEvent = (event: automation.EngineEvent): void => {
        const { resourcePreEvent, resOutputsEvent, diagnosticEvent } = event;
        // What a refresh comes to is known when it is done.
        const metadata =
            resourcePreEvent?.metadata.op === "refresh"
                ? undefined
                : (resourcePreEvent?.metadata ?? resOutputsEvent?.metadata);
        if (metadata?.type.startsWith(dynamic) === true) {
            const name = nameOf(metadata.urn);
            if (!steps.some((step) => step.name === name)) steps.push({ op: metadata.op, name });
        }
        if (diagnosticEvent === undefined) return;
        const { urn = "", severity, ephemeral } = diagnosticEvent;
        const message = plain(diagnosticEvent.message);
        // The Automation API asks the engine for its debug messages, which its types leave out.
        if (message === "" || (severity as string) === "debug") return;
        if (ephemeral === true) statuses.push(`${nameOf(urn)}: ${message}`);
        else diagnostics.push({ name: nameOf(urn), severity, message });
    };
    const failure = await operate({
        onEvent,
        onOutput: append,
        onError: append,
        color: "never",
    }).then(
        () => undefined,
        (error: unknown) => plain(error instanceof Error ? error.message : String(error)),
    );
    const everything = diagnostics.map(({ name, message }) => `${name}: ${message}`).join("\n");
    return {
        failure: failure === undefined ? undefined : `${failure}\n${everything}`,
        steps,
        diagnostics,
        statuses,
        output,
    };
}

function plain(text: string): string {
    return stripVTControlCharacters(text.replace(/<\{%[^%]*%\}>/g, "")).trim();
}

/** The part of the Automation API's command that its workspaces call. */
interface Runnable {
    readonly run: (
        args: string[],
        cwd: string,
        environment: Readonly<Record<string, string>>,
        onOutput?: (text: string) => void,
        onError?: (text: string) => void,
    ) => Promise<{ readonly stdout: string; readonly stderr: string; readonly code: number }>;
}

/** The engine, run in such a way that its process is known. */
async function openEngine(
    directory: string,
): Promise<
    Runnable & { readonly command: automation.PulumiCommand; readonly kill: EngineStack["kill"] }
> {
    // Given a root, the Automation API looks into its folder `bin`; otherwise at PATH.
    const root = basename(directory) === "bin" ? { root: dirname(directory) } : undefined;
    const command = await automation.PulumiCommand.get(root);
    let running: ChildProcess | undefined;
    const run: Runnable["run"] = async (args, cwd, environment, onOutput, onError) => {
        // `up` asks for these when it is done, with three more processes, and no test reads them.
        if (args[0] === "stack" && (args[1] === "output" || args[1] === "history")) {
            return { stdout: args[1] === "output" ? "{}" : "[]", stderr: "", code: 0 };
        }
        const child = spawn(command.command, [...args, "--non-interactive"], {
            cwd,
            env: {
                ...process.env,
                ...environment,
                PATH: [directory, process.env["PATH"]].join(delimiter),
                PULUMI_AUTOMATION_API: "true",
            },
            stdio: ["ignore", "pipe", "pipe"],
        });
        running = child;
        let [stdout, stderr] = ["", ""];
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
            stdout += text;
            onOutput?.(text);
        });
        child.stderr.setEncoding("utf8").on("data", (text: string) => {
            stderr += text;
            onError?.(text);
        });
        const [code, signal] = (await once(child, "close")) as [number | null, string | null];
        if (code !== 0)
            throw new Error(`pulumi ${args[0]} ended with ${code ?? signal}:\n${stderr}${stdout}`);
        return { stdout, stderr, code };
    };
    return {
        run,
        command: Object.assign(Object.create(command) as automation.PulumiCommand, { run }),
        kill: async () => {
            const engine = running;
            if (engine?.pid === undefined) throw new Error("no engine is running");
            const children = descendants(engine.pid);
            engine.kill("SIGKILL");
            return children;
        },
    };
}

/** Process ids of the processes that this one has started, and of those that they have. */
function descendants(pid: number): number[] {
    const processes = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
        .split("\n")
        .map((line) => line.trim().split(/\s+/).map(Number));
    const under = (parent: number): number[] =>
        processes
            .filter(([, ppid]) => ppid === parent)
            .flatMap(([child = 0]) => [child, ...under(child)]);
    return under(pid);
}
