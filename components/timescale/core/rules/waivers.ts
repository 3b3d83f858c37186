/** Rules that a program waives on a resource, with a reason. */
import leven from "leven";

import { type IsUnknown, shown, type Validation } from "../validate";
import { isRuleCode, ruleCodes, rules } from "./codes";
import type { Waiver } from "./finding";

export function validateWaivers(check: Validation, value: unknown): void {
    const seen = new Set<unknown>();
    check.list("waive", value).forEach((entry, index) => {
        if (check.isUnknown(entry)) return;
        const path = `waive[${index}]`;
        if (typeof entry !== "object" || entry === null) {
            check.add(
                "waive",
                `${path} must be { rule, reason }`,
                shown(entry),
                'write { rule: "order_by", reason: "…" }',
            );
            return;
        }
        check.onlyKnown(entry, ["rule", "reason"], `${path}.`);
        const { rule, reason } = entry as Readonly<Record<string, unknown>>;
        validateRule(check, rule, `${path}.rule`);
        if (check.isUnknown(rule)) return;
        if (seen.has(rule)) {
            check.add("waive", `rule ${String(rule)} is waived twice`, undefined, "keep one");
        }
        seen.add(rule);
        if (check.isUnknown(reason)) return;
        if (typeof reason !== "string" || reason.trim() === "") {
            check.add(
                "waive",
                `${path}.reason is missing`,
                reason === undefined ? undefined : shown(reason),
                "say why the rule does not hold here: every preview shows it",
            );
        }
    });
}

function validateRule(check: Validation, rule: unknown, path: string): void {
    if (check.isUnknown(rule)) return;
    if (!isRuleCode(rule)) {
        const near = typeof rule === "string" ? nearest(rule) : undefined;
        check.add(
            "waive",
            `${path} is no rule`,
            shown(rule),
            near === undefined
                ? `known are ${ruleCodes.filter(waivable).join(", ")}`
                : `write ${near}`,
        );
    } else if (!waivable(rule)) {
        check.add(
            "waive",
            `rule ${rule} cannot be waived`,
            `it says that the declaration is malformed: ${rules[rule].meaning}`,
            "correct the declaration, and remove the waiver",
        );
    }
}

function waivable(rule: (typeof ruleCodes)[number]): boolean {
    return rules[rule].severity !== "malformed";
}

function nearest(word: string): string | undefined {
    const given = word.toLowerCase().replaceAll(/[\s-]+/g, "_");
    const [best] = ruleCodes
        .map((code) => ({ code, distance: leven(code, given) }))
        .sort((one, other) => one.distance - other.distance);
    return best !== undefined && best.distance <= Math.max(2, word.length / 4)
        ? best.code
        : undefined;
}

/** The waivers of a resource, as far as they are known and well formed. */
export function waiversOf(value: unknown, isUnknown: IsUnknown = () => false): Waiver[] {
    if (!Array.isArray(value)) return [];
    return (value as unknown[]).flatMap((entry) => {
        if (typeof entry !== "object" || entry === null || isUnknown(entry)) return [];
        const { rule, reason } = entry as Readonly<Record<string, unknown>>;
        return isRuleCode(rule) && typeof reason === "string" && !isUnknown(reason)
            ? [{ rule, reason }]
            : [];
    });
}
