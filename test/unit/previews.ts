/** Previews as `pulumi preview --json` writes them, for tests of reviews. */
import type { PlanDocument } from "../../components/timescale/provider/planDocument";

const head = "urn:pulumi:prod::llm-observatory::";
const dynamic = "pulumi-nodejs:dynamic/timescale:";

export function urnOf(kind: string, name: string): string {
    return `${head}${kind.includes(":") ? kind : `timescale:observatory:Observatory$${dynamic}${kind}`}::${name}`;
}

export interface TestStep {
    readonly op: string;
    readonly urn: string;
    readonly oldState?: object;
    readonly newState?: object;
}

export function step(
    op: string,
    kind: string,
    name: string,
    states: Partial<TestStep> = {},
): TestStep {
    return { op, urn: urnOf(kind, name), ...states };
}

/** Of an object that is as declared, unless said otherwise. */
export function document(name: string, fields: Partial<PlanDocument> = {}): PlanDocument {
    const kind = fields.kind ?? "ContinuousAggregate";
    return {
        timescalePlan: 1,
        urn: urnOf(kind, name),
        kind,
        object: `public.${name}`,
        result: Object.keys(fields).length === 0 ? "same" : "differs",
        exists: true,
        changes: [],
        statements: [],
        fill: false,
        hazards: [],
        refusals: [],
        notes: [],
        ...fields,
    };
}

export function preview(
    steps: readonly TestStep[],
    documents: readonly object[],
    fields: Readonly<Record<string, unknown>> = {},
): string {
    const counts: Record<string, number> = { same: 1 };
    for (const { op } of steps) counts[op] = (counts[op] ?? 0) + 1;
    const stack = `${head}pulumi:pulumi:Stack::llm-observatory-prod`;
    return JSON.stringify({
        steps: [{ op: "same", urn: stack, oldState: { custom: false } }, ...steps],
        diagnostics: documents.map((one) => ({
            urn: "urn" in one ? one.urn : "",
            severity: "info",
            message: `${JSON.stringify(one)}\n`,
        })),
        duration: 1,
        changeSummary: counts,
        ...fields,
    });
}
