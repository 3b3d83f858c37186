/** What a preview says of one resource. */
import { isFields } from "../../components/timescale/core/fields";
import { displayName } from "../../components/timescale/core/identifier";
import type { PlanDocument } from "../../components/timescale/provider/planDocument";
import { type Step, typeOf, type Unreadable } from "../../components/timescale/provider/preview";
import type { ReviewedObject } from "./document";
import { actionOf, judgeElsewhere, timescaleKind } from "./elsewhere";
import { judgePlan } from "./judge";
import { judgeRemoval, type Removal } from "./removal";
import { gravest, isGraver } from "./verdict";

/** One resource, from its steps, the plans that were said of it, and what was found of it where it goes. */
export function objectOf(
    urn: string,
    steps: readonly Step[],
    documents: readonly (PlanDocument | Unreadable)[],
    counted?: Removal,
): ReviewedObject {
    const type = typeOf(urn);
    const kind = timescaleKind(type);
    const action = steps.length === 0 ? "same" : actionOf(steps);
    const base = {
        ...{ urn, object: nameIn(steps) ?? resourceName(urn), kind: kind ?? type, action },
        ...{ planned: false, inputs: changedInputs(steps) },
        ...{ changes: [], statements: [], hazards: [], refusals: [], notes: [] },
    };
    const removed = action === "delete" || action === "replace";
    const removal = removed && kind !== undefined ? judgeRemoval(kind, steps, counted) : undefined;
    const [first, ...others] = documents.map((document) => ({
        document,
        ...judgePlan(document, action, steps),
    }));
    if (first === undefined) {
        if (removal !== undefined) return { ...base, ...removal };
        if (kind === undefined) return { ...base, ...judgeElsewhere(steps) };
        if (action === "same") return { ...base, verdict: "noChange", reasons: [] };
        const message =
            "there is no plan of it in the preview: run it with PULUMI_TIMESCALE_PLANS=json";
        return { ...base, verdict: "notCompared", reasons: [{ code: "no_plan", message }] };
    }
    // Said more than once in a run, the gravest counts.
    const judged = others.reduce(
        (one, other) => (isGraver(other.verdict, one.verdict) ? other : one),
        first,
    );
    const { document, reasons } = judged;
    const verdict = gravest([judged.verdict, ...(removal === undefined ? [] : [removal.verdict])]);
    const all = [...(removal?.reasons ?? []), ...reasons];
    if ("unreadable" in document) return { ...base, ...removal, verdict, reasons: all };
    const { object, changes, statements, hazards, refusals, notes } = document;
    return {
        ...{
            ...base,
            object,
            kind: kind ?? document.kind,
            planned: document.result !== "notCompared",
        },
        ...removal,
        ...{ verdict, reasons: all, changes, statements, notes },
        hazards: [...(removal?.hazards ?? []), ...hazards],
        refusals: [...(removal?.refusals ?? []), ...refusals],
    };
}

/** By its schema and name, of what has no plan. */
export function nameIn(steps: readonly Step[]): string | undefined {
    const [step] = steps;
    if (step === undefined || timescaleKind(step.type) === undefined) return undefined;
    const { schema = "public", name } = (step.old ?? step.new)?.inputs ?? {};
    return typeof name === "string" && typeof schema === "string"
        ? displayName({ schema, name })
        : undefined;
}

export function resourceName(urn: string): string {
    return urn.split("::").slice(3).join("::") || "(the run)";
}

/** Names alone: values may be secret, and of what is in the database the plan has them. */
function changedInputs(steps: readonly Step[]): string[] {
    const was = steps.find(({ old }) => old !== undefined)?.old?.inputs;
    const will = steps.find((step) => step.new !== undefined)?.new?.inputs;
    if (was === undefined || will === undefined) return [];
    return [...new Set([...Object.keys(was), ...Object.keys(will)])]
        .filter((name) => !name.startsWith("__"))
        .filter((name) => JSON.stringify(sorted(was[name])) !== JSON.stringify(sorted(will[name])));
}

function sorted(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(sorted);
    if (!isFields(value)) return value;
    return Object.fromEntries(
        Object.entries(value)
            .sort(([one], [other]) => (one < other ? -1 : 1))
            .map(([name, one]) => [name, sorted(one)]),
    );
}
