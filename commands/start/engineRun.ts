/** The engine on a stack of the plain CLI, in the program's folder: backend and secrets provider are the environment's. */
import type { Engine } from "../engine";
import { pathFor } from "../start/interruptible";

export interface PlainRun {
    readonly stdout: string;
    /** Without the space around it. */
    readonly stderr: string;
    /** How it ended, such as `code 255` or a signal; undefined: well. */
    readonly failure: string | undefined;
    /** The same in one line, with the command; undefined: well. */
    readonly summary: string | undefined;
}

/** Never asks, and never fails by itself: what became of it is in the result. */
export async function runPlain(
    root: string,
    name: string,
    { command: { command } }: Engine,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
): Promise<PlainRun> {
    const { execa } = await import("execa");
    const result = await execa(command, [...args, "--stack", name, "--non-interactive"], {
        cwd: root,
        env: { PATH: pathFor(command), PULUMI_SKIP_UPDATE_CHECK: "true", ...environment },
        stdin: "ignore",
        reject: false,
    });
    const failure = result.failed ? (result.signal ?? `code ${result.exitCode}`) : undefined;
    const { stdout, stderr, shortMessage: summary } = result;
    return { stdout, stderr: stderr.trim(), failure, summary };
}
