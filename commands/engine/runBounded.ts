/**
 * Runs a program that may wait for a network that never answers.
 */
export interface Bounds {
    readonly cwd?: string;
    /** The whole environment of the program. */
    readonly env: NodeJS.ProcessEnv;
    /** Seconds without a line of output after which the program is ended. */
    readonly silence: number;
    /** Seconds after which it is ended in any case. */
    readonly limit: number;
}

export interface Ended {
    readonly ok: boolean;
    /** Why it failed, in one line: its last line of output, or which bound it met. */
    readonly reason: string;
    /** Everything it wrote to standard output. */
    readonly stdout: string;
    /** Everything it wrote, in order. */
    readonly output: string;
}

/**
 * Runs it to its end or its bounds. `onLine` gets every line of output, and undefined once a second
 * while there is none, so that a display can show the time.
 */
export async function runBounded(
    command: string,
    args: readonly string[],
    { silence, limit, ...options }: Bounds,
    onLine: (line: string | undefined) => void,
): Promise<Ended> {
    const { execa } = await import("execa");
    const started = Date.now();
    let lastSign = started;
    let bound: string | undefined;
    const child = execa(command, args, {
        ...options,
        extendEnv: false,
        stdin: "ignore",
        all: true,
        reject: false,
        forceKillAfterDelay: 2000,
        // npm starts programs of its own, which a signal to npm alone would leave running.
        detached: process.platform !== "win32",
    });
    const timer = setInterval(() => {
        const now = Date.now();
        if (now - lastSign > silence * 1000) {
            bound = `no answer within ${silence} seconds`;
        } else if (now - started > limit * 1000) {
            bound = `not done within ${limit} seconds`;
        }
        if (bound !== undefined && child.pid !== undefined) {
            killGroup(child.pid);
        }
        onLine(undefined);
    }, 1000);
    const stopWithUs = (): void => {
        if (child.pid !== undefined) {
            killGroup(child.pid);
        }
    };
    process.once("exit", stopWithUs);
    onLine(undefined);
    try {
        for await (const line of child.iterable({ from: "all" })) {
            lastSign = Date.now();
            onLine(line.trim());
        }
        const result = await child;
        return {
            ok: result.exitCode === 0 && bound === undefined,
            reason: bound ?? lastLine(result.all) ?? result.shortMessage ?? "it ended at once",
            stdout: result.stdout,
            output: result.all,
        };
    } finally {
        clearInterval(timer);
        process.off("exit", stopWithUs);
    }
}

function killGroup(pid: number): void {
    try {
        process.kill(process.platform === "win32" ? pid : -pid, "SIGTERM");
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
            throw error;
        }
    }
}

function lastLine(output: string): string | undefined {
    return output.trim().split("\n").at(-1)?.trim() || undefined;
}
