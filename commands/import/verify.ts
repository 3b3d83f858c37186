/**
 * Proves, before anything is written, that a declaration changes nothing: the rules that `check`
 * has for it, and the difference that `diff` would find, without a server.
 */
import { diffAggregate } from "../../components/timescale/core/aggregate/diff";
import type { ActualAggregate } from "../../components/timescale/core/aggregate/inspect";
import { planAggregate } from "../../components/timescale/core/aggregate/plan";
import {
    desiredAggregate,
    validateAggregate,
} from "../../components/timescale/core/aggregate/spec";
import type { Connection } from "../../components/timescale/core/connection/connection";
import { diffFunction } from "../../components/timescale/core/function/diff";
import { planFunction } from "../../components/timescale/core/function/plan";
import {
    type ActualFunction,
    displayFunction,
} from "../../components/timescale/core/function/routine";
import { desiredFunction, validateFunction } from "../../components/timescale/core/function/spec";
import { diffHypertable } from "../../components/timescale/core/hypertable/diff";
import type { ActualHypertable } from "../../components/timescale/core/hypertable/inspect";
import { planHypertable } from "../../components/timescale/core/hypertable/plan";
import {
    desiredHypertable,
    validateHypertable,
} from "../../components/timescale/core/hypertable/spec";
import { describePlan, isEmpty, type Plan } from "../../components/timescale/core/plan/plan";
import type { IsUnknown, Problem } from "../../components/timescale/core/validate";
import { diffView } from "../../components/timescale/core/view/diff";
import type { ActualView } from "../../components/timescale/core/view/inspect";
import { planView } from "../../components/timescale/core/view/plan";
import { desiredView, validateView } from "../../components/timescale/core/view/spec";
import type { Inputs } from "./properties";

/** A part that its rules keep out of the declaration. */
export interface LeftOut {
    readonly property: string;
    readonly why: string;
}

export type Verdict =
    | { readonly ok: true; readonly inputs: Inputs; readonly leftOut: readonly LeftOut[] }
    | { readonly ok: false; readonly why: string };

/** What can be left out, because a part that is not declared is kept. */
const optional = ["compressionPolicy", "refreshPolicy", "retentionPolicy", "indexes"];

const undeclaredBefore = {
    refreshPolicy: false,
    retentionPolicy: false,
    compressionPolicy: false,
    indexes: [],
} as const;

export function verifyHypertable(
    actual: ActualHypertable & { readonly databaseUuid: string },
    inputs: Inputs,
    connection: Connection,
): Verdict {
    return verify(inputs, connection, validateHypertable, (sound) => {
        const desired = desiredHypertable(sound);
        const difference = diffHypertable({
            actual: { kind: "hypertable", ...actual },
            desired,
            owner: actual.owner,
            declared: undeclaredBefore,
            managed: false,
        });
        return planHypertable(difference, desired);
    });
}

/** The query is the server's own text, which it reads as the same query. */
export function verifyAggregate(
    actual: ActualAggregate & { readonly databaseUuid: string },
    inputs: Inputs,
    connection: Connection,
): Verdict {
    return verify(inputs, connection, validateAggregate, (sound) => {
        const desired = desiredAggregate(sound);
        const difference = diffAggregate({
            actual: { kind: "aggregate", ...actual },
            desired,
            desiredQuery: null,
            owner: actual.owner,
            declared: undeclaredBefore,
            managed: false,
        });
        return planAggregate(difference, desired, { filling: false });
    });
}

export function verifyView(
    actual: ActualView & { readonly databaseUuid: string },
    inputs: Inputs,
    connection: Connection,
): Verdict {
    return verify(inputs, connection, validateView, (sound) => {
        const desired = desiredView(sound);
        const changes = diffView({
            actual: { kind: "view", ...actual },
            desired,
            desiredQuery: null,
            dependants: [],
            owner: actual.owner,
            managed: false,
        });
        return planView(changes, desired);
    });
}

/** The text is the server's own. */
export function verifyFunction(
    standing: ActualFunction,
    inputs: Inputs,
    connection: Connection,
): Verdict {
    return verify(inputs, connection, validateFunction, (sound) => {
        const desired = desiredFunction(sound);
        const changes = diffFunction({
            actual: { kind: "function", standing },
            desired,
            comparison: null,
            dependants: [],
            stale: null,
            owner: standing.owner,
            managed: false,
        });
        return planFunction(changes, desired, {
            identityArguments: standing.identityArguments,
            object: displayFunction(standing),
        });
    });
}

function verify(
    inputs: Inputs,
    connection: Connection,
    validate: (inputs: Inputs, isUnknown: IsUnknown) => Problem[],
    plan: (inputs: Inputs) => Plan,
): Verdict {
    let sound = inputs;
    const leftOut: LeftOut[] = [];
    for (;;) {
        const problems = validate({ ...sound, connection }, () => false);
        const [first] = problems;
        if (first === undefined) break;
        const { property, reason } = first;
        if (!optional.includes(property) || !(property in sound)) {
            return {
                ok: false,
                why: problems.map((problem) => oneLine(problem.reason)).join("; "),
            };
        }
        const { [property]: _left, ...rest } = sound;
        sound = rest;
        leftOut.push({ property, why: oneLine(reason) });
    }
    const planned = plan(sound);
    if (isEmpty(planned)) return { ok: true, inputs: sound, leftOut };
    const would = [
        ...describePlan(planned),
        ...planned.refusals.map(({ message, detail }) =>
            [message, detail].filter(Boolean).join(": "),
        ),
    ];
    return { ok: false, why: `declaring it would change it: ${oneLine(would.join("; "))}` };
}

function oneLine(text: string): string {
    return text.replace(/\s*\n\s*/g, "; ");
}
