/**
 * The difference between an aggregate in the database and its declaration, as typed changes.
 * Pure: both sides are values, and the queries on them are in the server's own words already.
 */
import { type GrantDifference, grantDifferences } from "../grants";
import type { QualifiedName } from "../identifier";
import { lengthOf, parseInterval, sameInterval } from "../interval";
import { desiredRefreshJob } from "../policy";
import { type DeclaredPolicies, newPolicies, type PolicyChange, policyDiff } from "../policyDiff";
import type { ActualAggregate, InspectedAggregate } from "./inspect";
import { type DesiredAggregate, windowProblem } from "./spec";

export type AggregateChange =
    | { readonly kind: "create" }
    | { readonly kind: "rename"; readonly was: QualifiedName }
    /** Back into service after `onDelete: "keep"` left it standing without jobs. */
    | { readonly kind: "takeBack" }
    | { readonly kind: "refuse"; readonly reason: AggregateRefusal }
    | { readonly kind: "materializedOnly"; readonly was: boolean; readonly will: boolean }
    | { readonly kind: "chunkTimeInterval"; readonly was: string; readonly will: string }
    | PolicyChange
    | { readonly kind: "comment"; readonly was: string | null; readonly will: string | null }
    | { readonly kind: "grants"; readonly difference: GrantDifference }
    | { readonly kind: "fill" };

export type AggregateRefusal =
    | { readonly what: "query"; readonly was: string; readonly will: string }
    | { readonly what: "adopt"; readonly was: string; readonly will: string }
    | { readonly what: "other"; readonly relation: string; readonly owner: string }
    | { readonly what: "orphan" }
    | {
          readonly what: "hijacked";
          readonly materialization: QualifiedName;
          readonly materializationId: number;
          readonly materializedOnly: boolean;
      }
    | { readonly what: "owner"; readonly was: string; readonly will: string }
    | {
          readonly what: "window";
          readonly message: string;
          readonly detail: string;
          readonly hint: string;
      };

export interface AggregateDiffInput {
    readonly actual: InspectedAggregate;
    readonly desired: DesiredAggregate;
    /** The desired query in the server's words; null when it is known to be the one of the last apply. */
    readonly desiredDefinition: string | null;
    readonly owner: string;
    readonly declared: DeclaredPolicies;
    /** True when the resource is in state already; otherwise an existing object has to be the same, or adopted. */
    readonly managed: boolean;
    /** The name that `actual` still has, when the program has given it another one. */
    readonly formerName?: QualifiedName | undefined;
}

export interface AggregateDiff {
    readonly changes: readonly AggregateChange[];
    /** Objects that stand on the aggregate and were never declared: reported and kept. */
    readonly notes: readonly string[];
}

export function diffAggregate(input: AggregateDiffInput): AggregateDiff {
    const { actual, desired } = input;
    switch (actual.kind) {
        case "absent":
            return { changes: creation(desired), notes: [] };
        case "other":
            return refused({ what: "other", relation: actual.relation, owner: actual.owner });
        case "orphan":
            return refused({ what: "orphan" });
        case "aggregate":
            return existing(actual, input);
    }
}

function refused(reason: AggregateRefusal): AggregateDiff {
    return { changes: [{ kind: "refuse", reason }], notes: [] };
}

function creation(desired: DesiredAggregate): AggregateChange[] {
    return [
        { kind: "create" },
        ...(desired.chunkTimeInterval === undefined
            ? []
            : [
                  {
                      kind: "chunkTimeInterval",
                      was: "the server's default",
                      will: desired.chunkTimeInterval,
                  } as const,
              ]),
        ...newPolicies(desired),
        ...(desired.comment === null
            ? []
            : [{ kind: "comment", was: null, will: desired.comment } as const]),
        ...grantDifferences([], desired.grants).map(
            (difference) => ({ kind: "grants", difference }) as const,
        ),
        { kind: "fill" },
    ];
}

function existing(
    actual: ActualAggregate & { readonly kind: "aggregate" },
    input: AggregateDiffInput,
): AggregateDiff {
    const { desired, desiredDefinition, owner, managed } = input;
    const refusal = (reason: AggregateRefusal): AggregateChange => ({ kind: "refuse", reason });
    const structural: AggregateChange[] = [];
    if (!actual.intact) {
        const { materialization, materializationId, materializedOnly } = actual;
        structural.push(
            refusal({ what: "hijacked", materialization, materializationId, materializedOnly }),
        );
    }
    if (desiredDefinition !== null && desiredDefinition !== actual.definition) {
        const what = managed || desired.adopt ? "query" : "adopt";
        structural.push(refusal({ what, was: actual.definition, will: desiredDefinition }));
    }
    if (actual.owner !== owner) {
        structural.push(refusal({ what: "owner", was: actual.owner, will: owner }));
    }
    const window = alteredWindow(actual, desired);
    if (window !== undefined) structural.push(refusal({ what: "window", ...window }));
    const { changes: policies, notes } = policyDiff(actual, desired, input.declared, owner, {
        filling: actual.marker.filling,
    });
    const changes: AggregateChange[] = [
        ...structural,
        ...(input.formerName === undefined
            ? []
            : [{ kind: "rename", was: input.formerName } as const]),
        ...(actual.materializedOnly === desired.materializedOnly
            ? []
            : [
                  {
                      kind: "materializedOnly",
                      was: actual.materializedOnly,
                      will: desired.materializedOnly,
                  } as const,
              ]),
        ...(desired.chunkTimeInterval === undefined ||
        sameInterval(actual.chunkTimeInterval, desired.chunkTimeInterval)
            ? []
            : [
                  {
                      kind: "chunkTimeInterval",
                      was: actual.chunkTimeInterval,
                      will: desired.chunkTimeInterval,
                  } as const,
              ]),
        ...policies,
        ...(actual.comment === desired.comment
            ? []
            : [{ kind: "comment", was: actual.comment, will: desired.comment } as const]),
        ...grantDifferences(actual.grants, desired.grants).map(
            (difference) => ({ kind: "grants", difference }) as const,
        ),
        ...(actual.marker.keptFrom === undefined ? [] : [{ kind: "takeBack" } as const]),
        ...(actual.marker.filling || actual.marker.keptFrom !== undefined
            ? [{ kind: "fill" } as const]
            : []),
    ];
    return { changes, notes };
}

/** alter_job does not check the two-bucket rule; every later run of the job would fail. */
function alteredWindow(
    actual: ActualAggregate,
    desired: DesiredAggregate,
): { message: string; detail: string; hint: string } | undefined {
    const length = (text: string | null | undefined): number | undefined => {
        const parsed = text == null ? undefined : parseInterval(text);
        return parsed === undefined ? undefined : lengthOf(parsed);
    };
    if (desired.refreshPolicy === undefined) return undefined;
    const job = desiredRefreshJob(desired.refreshPolicy);
    const start = length(job.offsets["start_offset"]);
    const end = length(job.offsets["end_offset"]);
    if (start === undefined || end === undefined) return undefined;
    return windowProblem(start, end, length(actual.bucketWidth));
}
