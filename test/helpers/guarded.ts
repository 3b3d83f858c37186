/**
 * A shell script that outlives the test process just long enough to clean up: it starts something
 * and then reads its standard input, which ends with the process that holds the other side, also
 * when that process is killed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";

export interface Guarded {
    /** Lets the script clean up and waits for its end. */
    stop(): Promise<void>;
    /** Resolves when the script has ended, with what it wrote to standard error. */
    readonly ended: Promise<string>;
    /** Lets this process end although the script runs; the script then ends too. */
    release(): void;
}

export interface GuardedOptions {
    readonly user?: { readonly uid: number; readonly gid: number } | undefined;
    /** `$1`, `$2`, … of the script. */
    readonly args: readonly string[];
}

/** Runs `start`, waits for the end of this process or `stop`, and runs `cleanUp`. */
export function startGuarded(start: string, cleanUp: string, options: GuardedOptions): Guarded {
    const script = `${start}\ncat >/dev/null\n${cleanUp}`;
    const child: ChildProcess = spawn("/bin/sh", ["-c", script, "sh", ...options.args], {
        ...options.user,
        cwd: "/",
        // Ctrl-C in the terminal is for the test run, whose end is what the script waits for.
        detached: true,
        stdio: ["pipe", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr?.on("data", (bytes: Buffer) => (stderr += String(bytes)));
    const ended = new Promise<string>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", () => resolve(stderr));
    });
    return {
        ended,
        stop: async () => {
            child.stdin?.end();
            await ended;
        },
        release: () => {
            child.unref();
            (child.stdin as Socket | null)?.unref();
            (child.stderr as Socket | null)?.unref();
        },
    };
}
