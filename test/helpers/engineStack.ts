/**
 * The real Pulumi engine for tests: a stack of inline programs, run by the Automation API, on a
 * backend in a temporary folder.
 */
import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { automation } from "@pulumi/pulumi";

import { folderOnPath } from "../../commands/engine/executables";
import { type TestServer, testServers } from "./databases";
import { openEngine } from "./engineProcess";
import { dynamic, nameOf, type Run, type Watch, watch } from "./engineRun";
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
    const engine = engineDirectory();
    if (engine === undefined) {
        recordEnvironment(
            `not run: engine suite: there is no Pulumi engine; npm test looks for one, or set ${engineVariable} to its folder`,
        );
    }
    for (const server of testServers()) {
        const obstacle = obstacleOn(server);
        if (engine !== undefined && obstacle !== undefined) {
            recordEnvironment(`not run: engine suite, ${title}, on ${server.name}: ${obstacle}`);
        }
        const runs = engine !== undefined && obstacle === undefined;
        declare(server, `${title}, on ${server.name}`, runs);
    }
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
    /** Ends the engine that runs now with SIGKILL; gives the process ids of its children. */
    readonly kill: () => readonly number[];
    /** Sends the engine that runs now what Ctrl-C sends. */
    readonly interrupt: () => void;
    /** Process ids of the children of the engine that runs now. */
    readonly children: () => readonly number[];
    /** The folder in which the engine and the provider run. */
    readonly workDir: string;
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
    /** URNs of what it is created after and deleted before. */
    readonly dependencies: readonly string[] | undefined;
}

/** The resources inside the database, by name. */
export function resourcesOf(state: State): ReadonlyMap<string, StateResource> {
    const inside = state.resources.filter(({ type }) => type.startsWith(dynamic));
    return new Map(inside.map((resource) => [nameOf(resource.urn), resource]));
}

const project = "llm-observatory";

/**
 * A new, empty stack.
 *
 * @param files a folder whose files are put where the engine and the provider run
 */
export async function createEngineStack(files?: string): Promise<EngineStack> {
    const directory = engineDirectory();
    if (directory === undefined) throw new Error("there is no Pulumi engine");
    const backend = mkdtempSync(join(tmpdir(), "observatory-backend-"));
    // Inside the repository: the provider process finds the package from its folder upwards.
    mkdirSync(join(root, ".observatory"), { recursive: true });
    const workDir = mkdtempSync(join(root, ".observatory", "test-"));
    // They go with this process, however it ends.
    const folders = startGuarded("", 'rm -rf "$1" "$2"', { args: [backend, workDir] });
    folders.release();
    if (files !== undefined) cpSync(files, workDir, { recursive: true });
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
        printed.push(result.output, result.failure ?? "", ...result.statuses);
        printed.push(...result.diagnostics.map(({ message }) => message));
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
                    ({ urn, type, id, inputs, outputs, initErrors, dependencies }) => {
                        return { urn, type, id, inputs, outputs, initErrors, dependencies };
                    },
                ),
                pendingOperations: deployment.pending_operations?.length ?? 0,
            };
        },
        kill: engine.kill,
        interrupt: engine.interrupt,
        children: engine.children,
        workDir,
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
