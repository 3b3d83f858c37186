/** What a rule has found, and what becomes of it in a plan: a refusal, a note, or a waived note. */
import { explain, TimescaleError } from "../errors";
import type { Note, Plan } from "../plan/plan";
import { type RuleCode, rules } from "./codes";

export interface Finding {
    readonly rule: RuleCode;
    readonly severity: "refuse" | "warn";
    readonly message: string;
    /** The rule and the values. */
    readonly detail: string;
    /** The remedy. */
    readonly hint: string;
    /** The input that it is about, such as `refreshPolicy`. */
    readonly property: string;
    /** Why the resource at the other end waived it. */
    readonly waived?: string;
}

/** A guard rail that is switched off on one resource, such as `{ rule: "having", reason: "only busy models matter" }`. */
export interface Waiver {
    /** An unknown code, or one of what is malformed, fails preview. */
    readonly rule: RuleCode;
    /** Shown in every preview; an empty one fails it. */
    readonly reason: string;
}

/** What the program found, and what it declares around a resource; see `declared.ts`. */
export interface ProgramJudgement {
    readonly findings: readonly Finding[];
    /** Whether the program declares what the resource reads, so that the catalog need not be asked for it. */
    readonly sourceDeclared: boolean;
    /** Qualified names of the aggregates that the program declares over this resource. */
    readonly declaredReaders: readonly string[];
}

export const nothingDeclared: ProgramJudgement = {
    findings: [],
    sourceDeclared: false,
    declaredReaders: [],
};

type FindingRule = {
    [Code in RuleCode]: (typeof rules)[Code]["severity"] extends "malformed" ? never : Code;
}[RuleCode];

export function finding(
    rule: FindingRule,
    property: string,
    fields: Pick<Finding, "message" | "detail" | "hint">,
): Finding {
    return { rule, severity: rules[rule].severity, property, ...fields };
}

export interface Judged {
    readonly refusals: readonly TimescaleError[];
    readonly notes: readonly Note[];
}

/**
 * @param object qualified, for errors
 * @param complete whether every rule was looked at, so that what was not found does not apply
 */
export function judge(
    findings: readonly Finding[],
    waivers: readonly Waiver[],
    object: string,
    complete: boolean,
): Judged {
    const refusals: TimescaleError[] = [];
    const notes: Note[] = [];
    for (const one of distinct(findings)) {
        const { rule, severity, message, detail, hint } = one;
        const reason = waivers.find((waiver) => waiver.rule === rule)?.reason ?? one.waived;
        const error = new TimescaleError(message, { code: rule, detail, hint, object });
        if (reason !== undefined) {
            notes.push({
                code: "waived",
                rule,
                message: `rule ${rule} waived: ${reason}; ${message}`,
            });
        } else if (severity === "refuse") refusals.push(error);
        else notes.push({ code: "rule", rule, message: explain(error) });
    }
    const unused = waivers.filter(({ rule }) => !findings.some((one) => one.rule === rule));
    for (const { rule, reason } of complete ? unused : []) {
        notes.push({
            code: "waived",
            rule,
            message: `rule ${rule} waived, and does not apply: ${reason}`,
        });
    }
    return { refusals, notes };
}

/** The program and the server may both have found it. */
function distinct(findings: readonly Finding[]): Finding[] {
    return [
        ...new Map(findings.map((one) => [`${one.rule}\0${one.message}`, one] as const)).values(),
    ];
}

/** The plan with what the rules say of it. Notes make no difference, refusals do. */
export function withRules(plan: Plan, { refusals, notes }: Judged): Plan {
    return {
        ...plan,
        refusals: [...plan.refusals, ...refusals],
        notes: [...plan.notes, ...notes],
    };
}
