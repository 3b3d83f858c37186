/**
 * What stands and breaks a rule is taken over all the same: `up` changes nothing of it. The rule is
 * waived where `up` would refuse, so that every preview says what there is to correct.
 */
import { desiredAggregate } from "../../components/timescale/core/aggregate/spec";
import { declarationJudgements } from "../../components/timescale/core/declarations";
import type { Finding, Waiver } from "../../components/timescale/core/rules/finding";
import { aggregateFindings } from "../../components/timescale/core/rules/own";
import type { Ordered } from "./order";
import type { Inputs } from "./properties";

export const importReason = "it stood like this when it was imported";

/** Of rules that `up` would refuse by. */
export function waiversFor(findings: readonly Finding[]): Waiver[] {
    const refused = findings.filter(({ severity }) => severity === "refuse");
    return [...new Set(refused.map(({ rule }) => rule))].map((rule) => ({
        rule,
        reason: importReason,
    }));
}

export function withWaivers(declarations: readonly Ordered[]): Ordered[] {
    const judgeable = declarations.map((declaration) => judgeableOf(declaration));
    const judged = declarationJudgements(judgeable);
    return declarations.map((declaration, at) => {
        const one = judgeable[at];
        // What is found at the end that is read is waived by the aggregate over it.
        const between = ((one && judged.get(one)?.findings) ?? []).filter(
            ({ property }) => property !== "retentionPolicy",
        );
        const found = [...ownFindings(declaration), ...between];
        const standing = (declaration.inputs["waive"] ?? []) as readonly Waiver[];
        const waive = [...standing, ...waiversFor(found)].filter(
            ({ rule }, index, all) => all.findIndex((other) => other.rule === rule) === index,
        );
        if (waive.length === 0) return declaration;
        return {
            ...declaration,
            inputs: { ...declaration.inputs, waive },
            remarks: [
                ...declaration.remarks,
                `Waives ${waive.map(({ rule }) => rule).join(", ")}, so that it is taken over as it stands: correct it.`,
            ],
        };
    });
}

function ownFindings({ kind, name, inputs, text }: Ordered): Finding[] {
    if (kind !== "ContinuousAggregate") return [];
    return aggregateFindings(desiredAggregate({ ...inputs, ...name, query: text?.sql }));
}

function judgeableOf({ kind, object, name, inputs, text }: Ordered) {
    return {
        database: "imported",
        kind,
        resource: object,
        schema: name.schema,
        name: name.name,
        text: text?.sql,
        refreshPolicy: inputs["refreshPolicy"] as Inputs | undefined,
        retentionPolicy: inputs["retentionPolicy"] as Inputs | undefined,
        columnTypes: new Map(
            ((inputs["columns"] ?? []) as readonly { name: string; type: string }[]).map(
                (column) => [column.name, column.type] as const,
            ),
        ),
    };
}
