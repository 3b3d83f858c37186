/** The ten checks: their numbers and names, what each came to, and what that means for the exit code. */
import { explain, TimescaleError } from "../../components/timescale/core/errors";

export { counted } from "../../components/timescale/core/health/words";

/** By number, from 1. */
export const checkNames = [
    "version",
    "existence",
    "policies",
    "columns",
    "test data",
    "refresh",
    "queries",
    "accuracy against raw",
    "materialization",
    "speed against raw",
] as const;

export type CheckName = (typeof checkNames)[number];

/** `skipped`: it could not be run, which is never taken for passed. */
export type Outcome = "passed" | "failed" | "skipped";

export interface Result {
    readonly number: number;
    readonly name: CheckName;
    readonly outcome: Outcome;
    /** What was found, in one line. */
    readonly summary: string;
    /** What is wrong, one thing each; why it could not run, where it was skipped. */
    readonly problems: readonly string[];
    /** What is worth knowing and no reason to fail. */
    readonly notes: readonly string[];
    readonly milliseconds: number;
}

/** What a check found, before it is a result. */
export interface Finding {
    readonly summary: string;
    readonly problems: readonly string[];
    readonly notes?: readonly string[];
    /** Why it could not be run. */
    readonly skipped?: string | undefined;
}

/** 0: all passed; 2: at least one failed; 1: none failed, and at least one could not be run. */
export function exitCodeOf(results: readonly Result[]): 0 | 1 | 2 {
    if (results.some(({ outcome }) => outcome === "failed")) return 2;
    return results.some(({ outcome }) => outcome === "skipped") ? 1 : 0;
}

/**
 * Runs one check. What the server says against it is its failure; a server that is gone, or a person who
 * wants to stop, ends the whole verification.
 */
export async function runCheck(name: CheckName, work: () => Promise<Finding>): Promise<Result> {
    const started = performance.now();
    const found = await work().then(undefined, (error: unknown): Finding => {
        if (!(error instanceof TimescaleError) || endsEverything(error)) throw error;
        return { summary: "it broke off", problems: [explain(error)] };
    });
    return resultOf(name, found, performance.now() - started);
}

export function resultOf(name: CheckName, found: Finding, milliseconds: number): Result {
    const { skipped, problems, notes = [] } = found;
    const failed = problems.length > 0;
    return {
        number: checkNames.indexOf(name) + 1,
        name,
        outcome: failed ? "failed" : skipped === undefined ? "passed" : "skipped",
        summary: found.summary,
        problems: skipped === undefined || failed ? problems : [skipped],
        notes: skipped === undefined || !failed ? notes : [...notes, skipped],
        milliseconds: Math.round(milliseconds),
    };
}

/** A session that was lost, or never came about: SQLSTATE classes 08 and 57P, and this project's own words. */
function endsEverything({ code = "" }: TimescaleError): boolean {
    return /^(08|57P|connection_|verification_stopped|password_|28)/.test(code);
}

export function stopped(): TimescaleError {
    return new TimescaleError("the verification was stopped", { code: "verification_stopped" });
}
