/** How a command ends: with its exit code, or with what went wrong. */
import { explain, TimescaleError } from "../components/timescale/core/errors";
import { colours } from "./progress";
import { Interrupted, interruptedExitCode } from "./start/interrupts";

/** Ends the process when `main` has ended; without a number, its exit code is 0. */
export function endWith(main: Promise<unknown>): void {
    main.then((code) => process.exit(typeof code === "number" ? code : 0), failed);
}

/** Says what, why and what to do, and ends the process with 1; with 130 where the user has stopped it. */
export function failed(error: unknown): never {
    if (error instanceof Interrupted) {
        process.stderr.write(`${error.message}\n`);
        process.exit(interruptedExitCode);
    }
    const text = error instanceof TimescaleError ? explain(error) : String(error);
    process.stderr.write(`${colours.red("error")}: ${text}\n`);
    process.exit(1);
}
