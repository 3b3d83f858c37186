/**
 * What the program said of its declarations by the rules, kept for the rest of the run. It comes as a
 * hidden input and goes no further: nothing of it is stored, and nothing of it makes a difference.
 */
import { judge, type Judged, nothingDeclared, type ProgramJudgement } from "../core/rules/finding";
import { waiversOf } from "../core/rules/waivers";
import type { Properties, ResourceKind } from "./resourceKind";
import { hasUnknown, isUnknown } from "./unknown";

/** Source: components/timescale/resource.ts */
const input = "__findings";

const byUrn = new Map<string, ProgramJudgement>();

/** Remembers what the program found. @returns the inputs without it */
export function takeJudgement(urn: string, inputs: Properties): Record<string, unknown> {
    const { [input]: given, ...others } = inputs;
    if (isJudgement(given)) byUrn.set(urn, given);
    else byUrn.delete(urn);
    return others;
}

/** Checked earlier in the same run; a program that says nothing declares the resource alone. */
export function judgementOf(urn: string): ProgramJudgement {
    return byUrn.get(urn) ?? nothingDeclared;
}

/** What can be said where there is no database to ask; waivers that found nothing may apply there. */
export function judgeAlone(
    kind: ResourceKind,
    urn: string,
    inputs: Properties,
    object: string,
): Judged {
    // The connection says nothing to rules, and may well be what is not known yet.
    const { connection: _connection, ...others } = inputs;
    const own = hasUnknown(others) ? [] : (kind.findings?.(inputs) ?? []);
    return judge(
        [...own, ...judgementOf(urn).findings],
        waiversOf(inputs["waive"], isUnknown),
        object,
        false,
    );
}

function isJudgement(value: unknown): value is ProgramJudgement {
    return typeof value === "object" && value !== null && "findings" in value;
}
