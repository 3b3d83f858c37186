/**
 * Runs one of the engine's operations and shows it: a row per resource at work, a line for each that is
 * done, diagnostics in full and once.
 */
import type { automation } from "@pulumi/pulumi";

import { TimescaleError } from "../../components/timescale/core/errors";
import { colours, type ProgressRow, type Step } from "../progress";
import { type Line, noProgress, type Row, see, type Summary, unsaid } from "./events";
import { Interrupted, type Interrupts } from "./interrupts";

/** What every operation of the Automation API takes. */
export interface OperationOptions {
    readonly onEvent: (event: automation.EngineEvent) => void;
    readonly signal: AbortSignal;
    readonly color: "never";
}

/**
 * @throws Interrupted after Ctrl-C
 * @throws TimescaleError when the operation failed; its diagnostics are on the terminal by then
 */
export async function runOperation(
    what: string,
    step: Step,
    interrupts: Interrupts,
    operate: (options: OperationOptions) => Promise<unknown>,
    { preview = false }: { readonly preview?: boolean } = {},
): Promise<Summary & { readonly refused: boolean }> {
    let progress = { ...noProgress, preview };
    let stopping = false;
    const onEvent = (event: automation.EngineEvent): void => {
        const seen = see(progress, event, Date.now());
        progress = seen.progress;
        seen.lines.forEach((line) => step.say(styled(line)));
        step.showRows([...progress.rows.values()].map(progressRow));
    };
    const onStop = (): void => {
        stopping = true;
        step.report(`${what}: stopping when the work in hand is done (once more Ctrl-C drops it)`);
    };
    try {
        await interrupts.whileStoppable(onStop, () =>
            operate({ onEvent, signal: interrupts.stop, color: "never" }),
        );
        // A destroy that was stopped ends as one that is done.
        if (stopping) throw new Interrupted(what);
    } catch (error) {
        if (error instanceof Interrupted) throw error;
        if (stopping) throw new Interrupted(what);
        unsaid(progress).forEach((line) => step.say(styled({ kind: "info", text: line })));
        if (progress.errors > 0) {
            throw new TimescaleError(`${what} failed`, {
                code: progress.refused ? "operation_refused" : "operation_failed",
                hint: "the errors are above; when they are mended, the same command goes on from here",
                cause: error,
            });
        }
        // Nothing was said by events: the engine stopped before or outside its work.
        throw new TimescaleError(`${what} failed`, {
            code: "operation_failed",
            detail: error instanceof Error ? error.message : String(error),
            cause: error,
        });
    } finally {
        step.showRows([]);
    }
    return { ...(progress.summary ?? { changes: {} }), refused: progress.refused };
}

function progressRow({ doing, label, status, started }: Row): ProgressRow {
    return { text: `${doing} ${label}`, started, status };
}

function styled(line: Line): string {
    const indented = line.text.replace(/\n/g, "\n    ");
    switch (line.kind) {
        case "done":
            return `  ${colours.green(line.symbol)} ${indented}`;
        case "failed":
            return `  ${colours.red("x")} ${indented}`;
        case "error":
            return `  ${colours.red("error")} ${indented}`;
        case "warning":
            return `  ${colours.yellow("warning")} ${indented}`;
        case "info":
            return `  ${colours.dim("info")} ${indented}`;
    }
}
