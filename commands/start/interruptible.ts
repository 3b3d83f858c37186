/**
 * Runs the engine's long operations so that exactly one interrupt reaches it.
 */
import { delimiter, dirname, isAbsolute } from "node:path";

import type { automation } from "@pulumi/pulumi";

import { languageHostExecutable, languageHostFolder } from "../engine/engine";
import { folderOnPath } from "../engine/executables";

/** The part of the Automation API's command that its workspaces call. */
interface Runnable {
    readonly run: (
        args: string[],
        cwd: string,
        environment: Record<string, string>,
        onOutput?: (text: string) => void,
        onError?: (text: string) => void,
        signal?: AbortSignal,
    ) => Promise<unknown>;
}

const operations: ReadonlySet<string> = new Set(["up", "destroy", "refresh", "preview"]);

/**
 * The same command, but `up`, `destroy`, `refresh` and `preview` run in a process group of their own.
 *
 * Ctrl-C in a terminal reaches every process of a group. The engine would get that interrupt and then the
 * one that is passed on to it, and at the second one it drops its work instead of ending it. `force` ends
 * it at once; what that leaves behind is cleared by the next start.
 */
export function interruptible(
    command: automation.PulumiCommand,
    force: AbortSignal,
): automation.PulumiCommand {
    const original = command as automation.PulumiCommand & Runnable;
    const run: Runnable["run"] = async (args, cwd, environment, onOutput, onError, signal) => {
        if (!operations.has(args[0] ?? "")) {
            return original.run(args, cwd, environment, onOutput, onError, signal);
        }
        const { execa } = await import("execa");
        const child = execa(command.command, [...args, "--non-interactive"], {
            cwd,
            env: {
                ...environment,
                PATH: pathFor(command.command),
                PULUMI_AUTOMATION_API: "true",
            },
            detached: process.platform !== "win32",
            cleanup: false,
            stdin: "ignore",
            reject: false,
        });
        child.stdout.on("data", (chunk: Buffer) => onOutput?.(chunk.toString()));
        child.stderr.on("data", (chunk: Buffer) => onError?.(chunk.toString()));
        const interrupt = (): void => {
            child.kill("SIGINT");
        };
        const kill = (): void => {
            child.kill("SIGKILL");
        };
        signal?.addEventListener("abort", interrupt);
        force.addEventListener("abort", kill);
        const { stdout, stderr, exitCode, signal: endedBy, failed } = await child;
        signal?.removeEventListener("abort", interrupt);
        force.removeEventListener("abort", kill);
        if (failed) {
            const errors = stdout.split("\n").filter((line) => line.trim().startsWith("error:"));
            throw new OperationError(
                stderr.trim() ||
                    errors.join("\n").trim() ||
                    `pulumi ${args[0]} ended with ${endedBy ?? `code ${exitCode}`}`,
                exitCode ?? -1,
            );
        }
        return { stdout, stderr, code: exitCode };
    };
    return Object.assign(Object.create(command) as automation.PulumiCommand, { run });
}

/** An operation of the engine that failed. Its diagnostics came as events; this is its last word. */
export class OperationError extends Error {
    readonly exitCode: number;

    constructor(output: string, exitCode: number) {
        super(output);
        this.name = "OperationError";
        this.exitCode = exitCode;
    }
}

/**
 * PATH with the engine's folder first: the plugins that lie beside an engine belong to it. Where there is no language
 * host, this project's own is last.
 */
export function pathFor(command: string): string {
    const path = process.env["PATH"] ?? "";
    const all = isAbsolute(command) ? [dirname(command), path].join(delimiter) : path;
    return folderOnPath(languageHostExecutable, all) === undefined
        ? [all, languageHostFolder].join(delimiter)
        : all;
}
