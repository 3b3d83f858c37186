/** A plan's document as people read it in a preview. */
import { explain, TimescaleError } from "../core/errors";
import { describePlan, type Note } from "../core/plan/plan";
import type { Severity } from "./engineLog";
import type { PlanDocument } from "./planDocument";
import { hazardText, planText } from "./planText";

export interface Message {
    readonly severity: Severity;
    readonly text: string;
}

export interface MessageOptions {
    /** Whether to show what differs. Default true. */
    readonly changes?: boolean;
    /** Whether to show what `up` would run, and what is at stake. Default true. */
    readonly plan?: boolean;
}

/** The document as people read it: nothing where nothing differs. */
export function messagesOf(
    document: PlanDocument,
    { changes = true, plan = true }: MessageOptions = {},
): Message[] {
    if (document.result === "notCompared") {
        const text = `not compared with the live database: ${document.reason?.message ?? ""}`;
        return [{ severity: "warning", text }, ...decisionsOf(document)];
    }
    // What is refused is not run.
    const steps = plan && document.refusals.length === 0 ? planText(document) : "";
    return [
        ...(changes ? message("info", changesText(document)) : []),
        ...message("info", steps),
        ...(plan ? message("warning", hazardText(document)) : []),
        ...decisionsOf(document),
    ];
}

/** Nothing that anybody has to look into. */
const informing: readonly Note["code"][] = ["taken_over", "waived", "replaced_version"];

/** What is kept, pointed out, waived or refused. */
function decisionsOf({ notes, refusals }: PlanDocument): Message[] {
    return [
        ...notes.map(({ code, message }): Message => ({
            severity: informing.includes(code) ? "info" : "warning",
            text: message,
        })),
        ...refusals.map(
            ({ code, message, detail, hint }) =>
                ({
                    severity: "warning",
                    text: `up will refuse this: ${explain(
                        new TimescaleError(message, {
                            code,
                            detail: detail ?? undefined,
                            hint: hint ?? undefined,
                        }),
                    )}`,
                }) as const,
        ),
    ];
}

/** None for an empty text. */
function message(severity: Severity, text: string): Message[] {
    return text === "" ? [] : [{ severity, text }];
}

/** One line a change. */
function changesText(document: PlanDocument): string {
    const lines = describePlan({
        lines: document.changes.map(({ was, will, diff, ...line }) => ({
            ...line,
            was: was ?? undefined,
            will: will ?? undefined,
            ...(diff !== undefined && !isTold(diff, document) && { details: [indented(diff)] }),
        })),
    });
    return lines.map((text) => `~ ${text}`).join("\n");
}

/** A refusal shows the difference that it is about itself, also where there is no preview. */
function isTold(diff: string, { refusals }: PlanDocument): boolean {
    return refusals.some(({ detail }) => detail?.includes(diff) === true);
}

function indented(text: string): string {
    return text.replace(/^/gm, "    ");
}
