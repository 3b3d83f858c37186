/** Runs the Pulumi engine in such a way that its process is known, and can be killed. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { basename, delimiter, dirname } from "node:path";

import { automation } from "@pulumi/pulumi";

/** The part of the Automation API's command that its workspaces call. */
export interface Runnable {
    readonly run: (
        args: string[],
        cwd: string,
        environment: Readonly<Record<string, string>>,
        onOutput?: (text: string) => void,
        onError?: (text: string) => void,
    ) => Promise<{ readonly stdout: string; readonly stderr: string; readonly code: number }>;
}

export interface EngineProcess extends Runnable {
    readonly command: automation.PulumiCommand;
    /** Ends the engine that runs now with SIGKILL; gives the process ids of its children. */
    readonly kill: () => readonly number[];
    /** Sends the engine that runs now what Ctrl-C sends. */
    readonly interrupt: () => void;
    /** Process ids of the children of the engine that runs now. */
    readonly children: () => readonly number[];
}

/** The engine in this folder. */
export async function openEngine(directory: string): Promise<EngineProcess> {
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
    const children = (): readonly number[] =>
        running?.pid === undefined ? [] : descendants(running.pid);
    return {
        run,
        children,
        command: Object.assign(Object.create(command) as automation.PulumiCommand, { run }),
        interrupt: () => {
            if (running?.kill("SIGINT") !== true) throw new Error("no engine is running");
        },
        kill: () => {
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
