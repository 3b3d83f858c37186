/** The engine's commands on one stack. */
import type { Engine } from "../engine";
import { pathFor } from "./interruptible";

export interface EngineRun {
    readonly stdout: string;
    /** Without the space around it. */
    readonly stderr: string;
    /** How it ended, such as `code 255` or a signal; undefined: well. */
    readonly failure: string | undefined;
    /** The same in one line, with the command; undefined: well. */
    readonly summary: string | undefined;
}

interface Place {
    /** The program's folder, or the workspace of the stack. */
    readonly cwd: string;
    /** Backend and secrets provider, beside what this process has of them. */
    readonly environment?: Readonly<Record<string, string>>;
    /** On standard input. @default nothing */
    readonly input?: string | undefined;
}

/** Never asks, and never fails by itself: what became of it is in the result. */
export async function runOnStack(
    { command: { command } }: Engine,
    stack: string,
    args: readonly string[],
    { cwd, environment, input }: Place,
): Promise<EngineRun> {
    const { execa } = await import("execa");
    const result = await execa(command, [...args, "--stack", stack, "--non-interactive"], {
        cwd,
        env: { PULUMI_SKIP_UPDATE_CHECK: "true", ...environment, PATH: pathFor(command) },
        ...(input === undefined ? { stdin: "ignore" as const } : { input }),
        reject: false,
    });
    const failure = result.failed ? (result.signal ?? `code ${result.exitCode}`) : undefined;
    const { stdout, stderr, shortMessage: summary } = result;
    return { stdout, stderr: stderr.trim(), failure, summary };
}
