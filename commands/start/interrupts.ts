/**
 * Ctrl-C, SIGTERM and a closed terminal: the first asks for an orderly end, the second for a quick one.
 */

export interface Interrupts {
    /** Aborted by the first interrupt. */
    readonly stop: AbortSignal;
    /** Aborted by the second. */
    readonly force: AbortSignal;
    /** While work goes on that can be stopped in order; otherwise an interrupt ends this process at once. */
    readonly whileStoppable: <Result>(
        onStop: () => void,
        work: () => Promise<Result>,
    ) => Promise<Result>;
}

/** One key press may arrive twice: from the terminal, and passed on by the parent process. */
const debounce = 500;

/** The exit code of a process that was interrupted, by convention. */
export const interruptedExitCode = 130;

/** The user has stopped the operation; everything it had begun is done or undone. */
export class Interrupted extends Error {
    /**
     * @param what was stopped
     * @param then what that means, in a sentence
     */
    constructor(what: string, then = "The same command goes on from there.") {
        super(`${what.charAt(0).toUpperCase()}${what.slice(1)} was stopped. ${then}`);
    }
}

export function listenForInterrupts(): Interrupts {
    const stop = new AbortController();
    const force = new AbortController();
    let onStop: (() => void) | undefined;
    let last = 0;
    const interrupt = (): void => {
        const now = Date.now();
        if (now - last < debounce) {
            return;
        }
        last = now;
        if (stop.signal.aborted) {
            force.abort();
        } else if (onStop === undefined) {
            process.stderr.write("\nstopped\n");
            process.exit(interruptedExitCode);
        } else {
            onStop();
            stop.abort();
        }
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        process.on(signal, interrupt);
    }
    return {
        stop: stop.signal,
        force: force.signal,
        whileStoppable: async (told, work) => {
            onStop = told;
            try {
                return await work();
            } finally {
                onStop = undefined;
            }
        },
    };
}
