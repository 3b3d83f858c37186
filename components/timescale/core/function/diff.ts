/**
 * The difference between a function in the database and its declaration, as typed changes. Pure:
 * both sides are values, and the server has compared the bodies already.
 */
import type { QualifiedName } from "../identifier";
import {
    type CommentChange,
    commentChanges,
    grantChanges,
    type GrantsChange,
    type OwnerDifference,
} from "../plan/objectChanges";
import type { Dependant } from "../relation/dependants";
import type { ActualFunction } from "./routine";
import type { DesiredFunction } from "./spec";

export type InspectedFunction =
    | { readonly kind: "absent" }
    | {
          readonly kind: "other";
          /** "aggregate", "procedure", … */
          readonly routine: string;
          readonly owner: string;
          /** Where the function of the last apply stands now, if it does. */
          readonly movedTo?: QualifiedName;
      }
    | { readonly kind: "function"; readonly standing: ActualFunction };

/** What the server says of the declared function and the one that stands. */
export interface Comparison {
    readonly declared: ActualFunction;
    readonly sameBody: boolean;
    /** Why PostgreSQL does not replace it in place; null: it does. */
    readonly irreplaceable: string | null;
}

/** The function of the last apply, where the program gave it other arguments since. */
export interface StaleFunction {
    readonly standing: ActualFunction;
    readonly dependants: readonly Dependant[];
}

export interface DefinitionDifference {
    readonly was: ActualFunction;
    readonly will: ActualFunction;
    /** Whether more than attributes and settings differs. */
    readonly text: boolean;
}

export type FunctionChange =
    | { readonly kind: "create" }
    | { readonly kind: "rename"; readonly was: ActualFunction }
    | {
          readonly kind: "owner";
          readonly standing: ActualFunction;
          readonly was: string;
          readonly will: string;
      }
    | { readonly kind: "dropStale"; readonly standing: ActualFunction }
    | { readonly kind: "replace" | "recreate"; readonly difference: DefinitionDifference }
    | CommentChange
    | GrantsChange
    | { readonly kind: "refuse"; readonly reason: FunctionRefusal };

export type FunctionRefusal =
    | {
          readonly what: "other";
          readonly routine: string;
          readonly owner: string;
          readonly movedTo?: QualifiedName;
      }
    | {
          readonly what: "adopt";
          readonly difference: DefinitionDifference | null;
          readonly owner: OwnerDifference | null;
      }
    | { readonly what: "owner"; readonly was: string; readonly will: string }
    | {
          readonly what: "dependants";
          readonly why: string;
          readonly difference: DefinitionDifference;
          readonly dependants: readonly Dependant[];
      }
    | { readonly what: "stale"; readonly stale: StaleFunction }
    | {
          readonly what: "jobs";
          readonly was: ActualFunction;
          readonly dependants: readonly Dependant[];
      };

export interface FunctionDiffInput {
    readonly actual: InspectedFunction;
    readonly desired: DesiredFunction;
    /** Null when the text and what stands are known to be those of the last apply. */
    readonly comparison: Comparison | null;
    readonly dependants: readonly Dependant[];
    readonly stale: StaleFunction | null;
    readonly owner: string;
    /** True when the resource is in state already; otherwise an existing function has to be the same, or adopted. */
    readonly managed: boolean;
}

/** Whoever may log in may call a new function. */
export const newGrants = [{ role: "public", privileges: ["EXECUTE"] }] as const;

export function diffFunction(input: FunctionDiffInput): readonly FunctionChange[] {
    const { actual, desired, stale } = input;
    const dropped = stale === null ? [] : [staleChange(stale)];
    switch (actual.kind) {
        case "absent":
            return [
                ...dropped,
                { kind: "create" },
                ...commentChanges(null, desired.comment),
                ...grantChanges(newGrants, desired.grants),
            ];
        case "other": {
            const { routine, owner, movedTo } = actual;
            const reason = { what: "other", routine, owner } as const;
            return [
                {
                    kind: "refuse",
                    reason: { ...reason, ...(movedTo !== undefined && { movedTo }) },
                },
            ];
        }
        case "function":
            return [...dropped, ...existing(actual.standing, input)];
    }
}

/** A function of other arguments is another one: the old one goes. */
function staleChange(stale: StaleFunction): FunctionChange {
    return stale.dependants.length === 0
        ? { kind: "dropStale", standing: stale.standing }
        : { kind: "refuse", reason: { what: "stale", stale } };
}

function existing(standing: ActualFunction, input: FunctionDiffInput): FunctionChange[] {
    const { desired, owner, stale } = input;
    const difference = definitionDifference(standing, input.comparison);
    const ownership = standing.owner === owner ? null : { was: standing.owner, will: owner };
    // Beside the function of the last apply this is somebody else's.
    const ours = input.managed && stale === null;
    if (!ours && !desired.adopt && (difference !== null || ownership !== null)) {
        return [{ kind: "refuse", reason: { what: "adopt", difference, owner: ownership } }];
    }
    return [
        ...ownerChanges(standing, ownership),
        ...renameChanges(standing, input),
        ...(difference === null ? [] : [definitionChange(difference, input)]),
        ...commentChanges(standing.comment, desired.comment),
        ...grantChanges(standing.grants, desired.grants),
    ];
}

function ownerChanges(
    standing: ActualFunction,
    ownership: OwnerDifference | null,
): FunctionChange[] {
    if (ownership === null) return [];
    return standing.mayGiveAway
        ? [{ kind: "owner", standing, ...ownership }]
        : [{ kind: "refuse", reason: { what: "owner", ...ownership } }];
}

/** A view goes on calling it under the new name, a job does not. */
function renameChanges(
    standing: ActualFunction,
    { desired, dependants }: FunctionDiffInput,
): FunctionChange[] {
    if (standing.schema === desired.schema && standing.name === desired.name) return [];
    const jobs = dependants.filter(({ kind }) => kind === "job");
    return jobs.length === 0
        ? [{ kind: "rename", was: standing }]
        : [{ kind: "refuse", reason: { what: "jobs", was: standing, dependants: jobs } }];
}

function definitionDifference(
    was: ActualFunction,
    comparison: Comparison | null,
): DefinitionDifference | null {
    if (comparison === null) return null;
    const will = comparison.declared;
    const text =
        !comparison.sameBody ||
        was.arguments !== will.arguments ||
        was.result !== will.result ||
        was.language !== will.language;
    const difference = { was, will, text };
    return text || attributeDifferences(difference).length > 0 ? difference : null;
}

function definitionChange(
    difference: DefinitionDifference,
    { comparison, dependants }: FunctionDiffInput,
): FunctionChange {
    const why = comparison?.irreplaceable ?? null;
    if (why === null) return { kind: "replace", difference };
    return dependants.length === 0
        ? { kind: "recreate", difference }
        : { kind: "refuse", reason: { what: "dependants", why, difference, dependants } };
}

/** Attributes and settings that differ, by the names that people know them by. */
export function attributeDifferences({ was, will }: DefinitionDifference): {
    readonly property: string;
    readonly was: string;
    readonly will: string;
}[] {
    const before = describeAttributes(was);
    const after = describeAttributes(will);
    return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((property) => {
        const one = before.get(property) ?? "none";
        const other = after.get(property) ?? "none";
        return one === other ? [] : [{ property, was: one, will: other }];
    });
}

function describeAttributes({ attributes, settings }: ActualFunction): Map<string, string> {
    return new Map([
        ...Object.entries(attributes).map(([name, value]) => [name, String(value)] as const),
        ...settings.map((setting) => {
            const at = setting.indexOf("=");
            // An empty search path is a value too.
            return [`set.${setting.slice(0, at)}`, setting.slice(at + 1) || "''"] as const;
        }),
    ]);
}
