/** The ten checks as text for people. */
import type { colours as errorColours } from "../progress";
import { counted, exitCodeOf, type Result } from "./result";

export type Colours = Pick<typeof errorColours, "green" | "red" | "yellow" | "dim">;

/** A line a check, and below it what is wrong. */
export function describeResults(results: readonly Result[], colours: Colours): string {
    const width = Math.max(...results.map(({ name }) => name.length));
    return results
        .flatMap(({ number, name, outcome, summary, problems, notes, milliseconds }) => [
            `${mark(outcome, colours)} ${String(number).padStart(2)} ${name.padEnd(width)}  ${summary}${colours.dim(` (${milliseconds} ms)`)}`,
            ...problems.map((problem) => `       ${indented(problem)}`),
            ...notes.map((note) => `       ${colours.dim(indented(note))}`),
        ])
        .join("\n");
}

function mark(outcome: Result["outcome"], { green, red, yellow }: Colours): string {
    if (outcome === "passed") return green("passed ");
    return outcome === "failed" ? red("failed ") : yellow("skipped");
}

function indented(text: string): string {
    return text.replace(/\n/g, "\n         ");
}

/** Such as "8 of 10 checks passed, 2 failed". */
export function sumUp(results: readonly Result[]): string {
    const of = (outcome: Result["outcome"]): number =>
        results.filter((result) => result.outcome === outcome).length;
    return [
        `${of("passed")} of ${counted(results.length, "check")} passed`,
        ...(of("failed") > 0 ? [`${of("failed")} failed`] : []),
        ...(of("skipped") > 0 ? [`${of("skipped")} could not be run`] : []),
    ].join(", ");
}

/** What differs may be what a stack has otherwise, and without the stack nobody knows. */
export function withoutStack(results: readonly Result[]): readonly Result[] {
    return results.map((result) =>
        result.outcome === "failed" && ["policies", "columns"].includes(result.name)
            ? {
                  ...result,
                  notes: [
                      ...result.notes,
                      "compared with what the program declares by itself: what a stack has otherwise (config keys policies, slaTargets) is known with --stack alone",
                  ],
              }
            : result,
    );
}

export function resultsAsJson(results: readonly Result[]): {
    readonly outcome: "passed" | "failed" | "incomplete";
    readonly checks: readonly Result[];
} {
    const outcome = (["passed", "incomplete", "failed"] as const)[exitCodeOf(results)];
    return { outcome, checks: results };
}
