/** What it means that a resource of another provider goes or is replaced, of which no plan tells. */
import type { Step } from "../../components/timescale/provider/preview";
import type { Action, Reason } from "./document";
import type { Verdict } from "./verdict";

export function actionOf(steps: readonly Step[]): Action {
    const ops = steps.map(({ op }) => op);
    if (ops.some((op) => /replace/.test(op))) return "replace";
    for (const action of ["delete", "create", "update"] as const) {
        if (ops.includes(action)) return action;
    }
    return ops.every((op) => op === "same" || op === "read" || op === "refresh") ? "same" : "other";
}

/** Of these nothing that anybody keeps there goes with them; of any other type it may. */
const withoutData: readonly RegExp[] = [
    /^docker:index\/(?:container|remoteImage|network|tag):/,
    /^postgresql:index\/(?:grant|grantRole|defaultPrivileges|defaultPrivilege|function):/,
    /^command:/,
    /^random:/,
];

const timescale = "pulumi-nodejs:dynamic/timescale:";

/** Whether it is one of this package's, which have plans unless they are deleted; its kind then. */
export function timescaleKind(type: string): string | undefined {
    return type.startsWith(timescale) ? type.slice(timescale.length) : undefined;
}

/** Of a resource of another provider. */
export function judgeElsewhere(steps: readonly Step[]): { verdict: Verdict; reasons: Reason[] } {
    const action = actionOf(steps);
    const type = steps[0]?.type ?? "";
    if (action === "same") return { verdict: "noChange", reasons: [] };
    if (action === "create" || action === "update") return { verdict: "safe", reasons: [] };
    if (action === "other") {
        const ops = steps.map(({ op }) => op).join(", ");
        return {
            verdict: "caution",
            reasons: [{ code: "unknown_operation", message: `Pulumi does ${ops}` }],
        };
    }
    const goes = action === "delete" ? "is deleted" : "is replaced by a new one";
    if (withoutData.some((pattern) => pattern.test(type))) {
        return {
            verdict: "caution",
            reasons: [{ code: `${action}s_resource`, message: `it ${goes}` }],
        };
    }
    if (action === "delete" && isRetained(steps)) {
        const message = "Pulumi forgets it, and it stays (retainOnDelete)";
        return { verdict: "caution", reasons: [{ code: "forgets_resource", message }] };
    }
    const message = `it ${goes}, with whatever it holds`;
    return { verdict: "destructive", reasons: [{ code: `${action}s_resource`, message }] };
}

/** Whether Pulumi forgets it and deletes nothing. */
export function isRetained(steps: readonly Step[]): boolean {
    return steps.some(({ old }) => old?.retainOnDelete === true);
}
