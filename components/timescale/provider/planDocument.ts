/**
 * What a comparison found, as a document that programs read; the text of a preview is made from it.
 *
 * With the environment variable `PULUMI_TIMESCALE_PLANS=json`, each resource's document is its one
 * diagnostic, on one line, so that `pulumi preview --json` holds them all.
 */
import { definitionDiff } from "../core/definitionDiff";
import { explain, TimescaleError } from "../core/errors";
import {
    type ChangeLine,
    describePlan,
    isEmpty,
    type Note,
    type Plan,
    type Statement,
} from "../core/plan";
import type { Judged } from "../core/rules/finding";
import type { Severity } from "./engineLog";

/** Fields are never renamed and codes never change meaning; a reader passes over those it does not know. */
export interface PlanDocument {
    /** Format of this document. */
    readonly timescalePlan: 1;
    readonly urn: string;
    /** As in the type token, such as `ContinuousAggregate`. */
    readonly kind: string;
    /** Qualified name, quoted where PostgreSQL needs it. */
    readonly object: string;
    /** `notCompared`: nothing is known of the database, and `reason` says why. */
    readonly result: "same" | "differs" | "notCompared";
    readonly reason?: { readonly code: string; readonly message: string };
    /** Whether anything stands under the name. */
    readonly exists?: boolean;
    readonly changes: readonly PlannedChange[];
    /** What `up` runs, in order. */
    readonly statements: readonly PlannedStatement[];
    /** Whether buckets are filled after the statements. */
    readonly fill: boolean;
    /** Decisions that `up` refuses to take by itself. */
    readonly refusals: readonly PlannedRefusal[];
    readonly notes: readonly Note[];
}

export interface PlannedChange {
    readonly code: ChangeLine["code"];
    readonly property: string;
    /** Null where nothing is or will be there. */
    readonly was: string | null;
    readonly will: string | null;
    /** Columns of a query's output that appear, vanish or change type. */
    readonly columns?: NonNullable<ChangeLine["columns"]>;
    /** Two whole texts as a line diff. */
    readonly diff?: string;
}

export interface PlannedStatement {
    readonly name: string;
    readonly sql: string;
    readonly values?: readonly unknown[];
    /** `shared` by all statements that say so, or of its `own` after them. */
    readonly transaction: "shared" | "own";
}

export interface PlannedRefusal {
    readonly code: string;
    readonly message: string;
    readonly detail: string | null;
    readonly hint: string | null;
}

export interface Subject {
    readonly urn: string;
    readonly kind: string;
    readonly object: string;
}

export function planDocument(
    subject: Subject,
    plan: Plan,
    { exists, refusals = [] }: { exists: boolean; refusals?: readonly TimescaleError[] },
): PlanDocument {
    const all = [...refusals, ...plan.refusals];
    return {
        timescalePlan: 1,
        ...subject,
        result: isEmpty(plan) && refusals.length === 0 ? "same" : "differs",
        exists,
        changes: plan.lines.map(plannedChange),
        statements: plan.statements.map(plannedStatement),
        fill: plan.fill,
        refusals: all.map(plannedRefusal),
        notes: plan.notes,
    };
}

function plannedRefusal({ code, message, detail, hint }: TimescaleError): PlannedRefusal {
    return { code: code ?? "refused", message, detail: detail ?? null, hint: hint ?? null };
}

function plannedChange({ code, property, was, will, columns }: ChangeLine): PlannedChange {
    const whole = `${was}${will}`.includes("\n");
    return {
        code,
        property,
        was: was ?? null,
        will: will ?? null,
        ...(columns !== undefined && { columns }),
        ...(whole && { diff: definitionDiff(was ?? "", will ?? "") }),
    };
}

function plannedStatement({ name, sql, values, outside }: Statement): PlannedStatement {
    return {
        name,
        sql,
        ...(values !== undefined && { values }),
        transaction: outside === undefined ? "shared" : "own",
    };
}

export function notCompared(
    subject: Subject,
    reason: { readonly code: string; readonly message: string },
    rules: Judged = { refusals: [], notes: [] },
): PlanDocument {
    return {
        timescalePlan: 1,
        ...subject,
        result: "notCompared",
        reason,
        changes: [],
        statements: [],
        fill: false,
        refusals: rules.refusals.map(plannedRefusal),
        notes: rules.notes,
    };
}

/** Why, from an error that kept the database from being read. */
export function reasonOf(error: TimescaleError): { code: string; message: string } {
    return { code: error.code ?? "error", message: explain(error) };
}

export interface Message {
    readonly severity: Severity;
    readonly text: string;
}

/** The document as people read it: nothing where nothing differs. */
export function messagesOf(document: PlanDocument): Message[] {
    if (document.result === "notCompared") {
        const text = `not compared with the live database: ${document.reason?.message ?? ""}`;
        return [{ severity: "warning", text }, ...decisionsOf(document)];
    }
    const lines = describePlan({
        lines: document.changes.map(({ was, will, diff, ...line }) => ({
            ...line,
            was: was ?? undefined,
            will: will ?? undefined,
            ...(diff !== undefined && !isTold(diff, document) && { details: [indented(diff)] }),
        })),
    });
    return [
        ...(lines.length === 0
            ? []
            : [{ severity: "info", text: lines.map((text) => `~ ${text}`).join("\n") } as const]),
        ...decisionsOf(document),
    ];
}

/** What is kept, pointed out, waived or refused. */
function decisionsOf({ notes, refusals }: PlanDocument): Message[] {
    return [
        ...notes.map(({ code, message }): Message => ({
            severity: code === "taken_over" || code === "waived" ? "info" : "warning",
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

/** A refusal shows the difference that it is about itself, also where there is no preview. */
function isTold(diff: string, { refusals }: PlanDocument): boolean {
    return refusals.some(({ detail }) => detail?.includes(diff) === true);
}

function indented(text: string): string {
    return text.replace(/^/gm, "    ");
}

/** Whether programs read the diagnostics, not people. */
export function asJson(environment: NodeJS.ProcessEnv): boolean {
    return environment["PULUMI_TIMESCALE_PLANS"] === "json";
}
