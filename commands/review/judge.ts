/** How grave the plan of one object is. What this version does not know counts as destructive, not as safe. */
import {
    databaseToCome,
    type PlanDocument,
    type PlannedChange,
} from "../../components/timescale/provider/planDocument";
import type { Step, Unreadable } from "../../components/timescale/provider/preview";
import type { Action, Reason } from "./document";
import { gravest, type Verdict } from "./verdict";

export interface Judged {
    readonly verdict: Verdict;
    readonly reasons: readonly Reason[];
}

type Hazards = Readonly<Record<PlanDocument["hazards"][number]["name"], Verdict>>;

/** Source: core/plan/plan.ts; docs/changes.md, "The plan". */
export const hazardVerdicts: Hazards = {
    LOSES_HISTORY: "destructive",
    LOSES_DATA: "destructive",
    REBUILDS: "caution",
    BLOCKS_WRITES: "caution",
    BLOCKS_READS: "caution",
    DROPS_DEPENDANT: "caution",
    REPOINTS_DEPENDANT: "caution",
    RESTARTS_JOB: "caution",
};

export function judgePlan(
    document: PlanDocument | Unreadable,
    action: Action,
    steps: readonly Step[],
): Judged {
    if ("unreadable" in document) {
        return {
            verdict: "notCompared",
            reasons: [{ code: "unreadable_plan", message: document.unreadable }],
        };
    }
    const found = [...findings(document, action, steps)];
    // What is refused is not run, so nothing of it is lost.
    const refused = document.refusals.length > 0;
    const counted = refused ? found.filter(({ verdict }) => verdict !== "destructive") : found;
    return {
        verdict: gravest([base(document, action), ...counted.map(({ verdict }) => verdict)]),
        reasons: found.map(({ reason }) => reason),
    };
}

function base({ result }: PlanDocument, action: Action): Verdict {
    return result === "same" && action === "same" ? "noChange" : "safe";
}

interface Finding {
    readonly verdict: Verdict;
    readonly reason: Reason;
}

function* findings(
    document: PlanDocument,
    action: Action,
    steps: readonly Step[],
): Generator<Finding> {
    const { result, reason, refusals, hazards, changes, notes, exists } = document;
    if (result === "notCompared") {
        const code = reason?.code ?? "not_compared";
        yield {
            verdict: code === databaseToCome.code && exists === false ? "safe" : "notCompared",
            reason: { code, message: reason?.message ?? "it does not say why" },
        };
    }
    for (const { code, message } of refusals)
        yield { verdict: "refused", reason: { code, message } };
    for (const { name, message } of hazards) {
        const verdict =
            (hazardVerdicts as Readonly<Record<string, Verdict>>)[name] ?? "destructive";
        yield { verdict, reason: { code: name, message } };
    }
    for (const change of changes) {
        const finding = ofChange(change, exists === true);
        if (finding !== undefined) yield finding;
    }
    if (result === "same" && action === "same") return;
    for (const { code, message } of notes) {
        if (code === "rule" || code === "gone" || code === "taken_over") {
            yield { verdict: "caution", reason: { code, message } };
        }
    }
    if (steps.some(({ old }) => (old?.initErrors.length ?? 0) > 0)) {
        const message =
            "an earlier up was interrupted or failed on it, and this one finishes its work";
        yield { verdict: "caution", reason: { code: "unfinished", message } };
    }
}

/** What has no hazard of its own. */
function ofChange({ code, property }: PlannedChange, exists: boolean): Finding | undefined {
    if (code === "drop_version" && property !== "building") {
        const message = "a version that was replaced is dropped, with its buckets";
        return { verdict: "destructive", reason: { code, message } };
    }
    if (exists && code.startsWith("policy_") && property.startsWith("retentionPolicy")) {
        const message = "what retention drops from now on changes";
        return { verdict: "caution", reason: { code: "retention_changes", message } };
    }
    return undefined;
}
