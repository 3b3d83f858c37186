/**
 * The difference between a view in the database and its declaration, as typed changes. Pure: both
 * sides are values, and the queries on them are in the server's own words already.
 */
import type { QualifiedName } from "../identifier";
import {
    type CommentChange,
    commentChanges,
    grantChanges,
    type GrantsChange,
    type OwnerDifference,
} from "../plan/objectChanges";
import type { ColumnDifference } from "../plan/plan";
import {
    columnDifferences,
    type ColumnRename,
    columnRenames,
    type OutputColumn,
} from "../relation/columns";
import type { Dependant } from "../relation/dependants";
import type { ActualView, InspectedView } from "./inspect";
import type { DesiredView } from "./spec";

/** Two queries in the server's words. */
export interface QueryDifference {
    readonly was: string;
    readonly will: string;
    readonly columns: readonly ColumnDifference[];
}

export interface OptionChange {
    readonly option: string;
    readonly was: string;
    /** Null: it is taken away. */
    readonly will: string | null;
}

export type ViewChange =
    | { readonly kind: "create" }
    | { readonly kind: "rename"; readonly was: QualifiedName }
    | { readonly kind: "owner"; readonly was: string; readonly will: string }
    | { readonly kind: "renameColumns"; readonly columns: readonly ColumnRename[] }
    /** CREATE OR REPLACE: its columns stay, more may follow. */
    | { readonly kind: "replace"; readonly query: QueryDifference }
    /** DROP and CREATE: nothing depends on it. */
    | { readonly kind: "recreate"; readonly query: QueryDifference }
    | { readonly kind: "option"; readonly change: OptionChange }
    | CommentChange
    | GrantsChange
    | { readonly kind: "refuse"; readonly reason: ViewRefusal };

export type ViewRefusal =
    | {
          readonly what: "other";
          readonly relation: string;
          readonly owner: string;
          readonly movedTo?: QualifiedName;
      }
    | {
          readonly what: "adopt";
          readonly query: QueryDifference | null;
          readonly owner: OwnerDifference | null;
      }
    | { readonly what: "owner"; readonly was: string; readonly will: string }
    | {
          readonly what: "dependants" | "attached";
          /** Why PostgreSQL does not replace it in place. */
          readonly why: string;
          readonly query: QueryDifference;
          readonly named: readonly string[];
      };

/** The desired query in the server's words. */
export interface DesiredQuery {
    readonly definition: string;
    /** The same with its columns named as those that stand; null where their number differs. */
    readonly underActualNames: string | null;
    /** Why PostgreSQL does not replace the view by it in place; null: it does. */
    readonly irreplaceable: string | null;
    readonly columns: readonly OutputColumn[];
}

export interface ViewDiffInput {
    readonly actual: InspectedView;
    readonly desired: DesiredView;
    /** Null when it is known to be the query of the last apply. */
    readonly desiredQuery: DesiredQuery | null;
    /** What a DROP is refused for; asked for only where the query cannot be replaced in place. */
    readonly dependants: readonly Dependant[];
    readonly owner: string;
    /** True when the resource is in state already; otherwise an existing view has to be the same, or adopted. */
    readonly managed: boolean;
}

export function diffView(input: ViewDiffInput): readonly ViewChange[] {
    const { actual, desired } = input;
    switch (actual.kind) {
        case "absent":
            return [
                { kind: "create" },
                ...commentChanges(null, desired.comment),
                ...grantChanges([], desired.grants),
            ];
        case "other": {
            const { relation, owner, movedTo } = actual;
            const reason = { what: "other", relation, owner } as const;
            return [
                {
                    kind: "refuse",
                    reason: { ...reason, ...(movedTo !== undefined && { movedTo }) },
                },
            ];
        }
        case "view":
            return existing(actual, input);
    }
}

function existing(actual: ActualView, input: ViewDiffInput): readonly ViewChange[] {
    const { desired, owner } = input;
    const query = queryChanges(actual, input);
    const ownership = { was: actual.owner, will: owner };
    if (!input.managed && !desired.adopt && (query.length > 0 || actual.owner !== owner)) {
        const difference = queryDifference(actual, input.desiredQuery);
        return [
            {
                kind: "refuse",
                reason: {
                    what: "adopt",
                    query: query.length > 0 ? difference : null,
                    owner: actual.owner === owner ? null : ownership,
                },
            },
        ];
    }
    const moved = actual.name.schema !== desired.schema || actual.name.name !== desired.name;
    return [
        ...(actual.owner === owner
            ? []
            : [
                  actual.mayGiveAway
                      ? ({ kind: "owner", ...ownership } as const)
                      : ({ kind: "refuse", reason: { what: "owner", ...ownership } } as const),
              ]),
        ...(moved ? [{ kind: "rename", was: actual.name } as const] : []),
        ...query,
        ...optionChanges(actual.options, desired),
        ...commentChanges(actual.comment, desired.comment),
        ...grantChanges(actual.grants, desired.grants),
    ];
}

function queryChanges(
    actual: ActualView,
    { desiredQuery, dependants }: ViewDiffInput,
): ViewChange[] {
    if (desiredQuery === null || desiredQuery.definition === actual.definition) return [];
    // Columns keep what they hold, so whatever reads them goes on reading the same.
    if (desiredQuery.underActualNames === actual.definition) {
        const columns = columnRenames(actual.columns, desiredQuery.columns);
        return [{ kind: "renameColumns", columns }];
    }
    const query = queryDifference(actual, desiredQuery);
    const why = desiredQuery.irreplaceable;
    if (why === null) return [{ kind: "replace", query }];
    const refused = (what: "dependants" | "attached", named: readonly string[]): ViewChange[] =>
        named.length === 0 ? [] : [{ kind: "refuse", reason: { what, why, query, named } }];
    const refusals = [
        ...refused(
            "dependants",
            dependants.map(({ kind, identity }) => `${kind} ${identity}`),
        ),
        ...refused("attached", actual.attached),
    ];
    return refusals.length > 0 ? refusals : [{ kind: "recreate", query }];
}

function queryDifference(actual: ActualView, desired: DesiredQuery | null): QueryDifference {
    return {
        // The server begins a definition with a blank.
        was: actual.definition.trim(),
        will: (desired ?? actual).definition.trim(),
        columns: desired === null ? [] : columnDifferences(actual.columns, desired.columns),
    };
}

/** The options that a program declares, as `pg_class.reloptions` names them. */
export function declaredOptions(desired: DesiredView): Readonly<Record<string, boolean>> {
    return { security_barrier: desired.securityBarrier, security_invoker: desired.securityInvoker };
}

function optionChanges(options: readonly string[], desired: DesiredView): ViewChange[] {
    const declared = declaredOptions(desired);
    const actual = new Map(options.map((option) => split(option)));
    const names = [...new Set([...Object.keys(declared), ...actual.keys()])].sort();
    return names.flatMap((option): ViewChange[] => {
        const value = actual.get(option);
        const wanted = declared[option];
        if (wanted === undefined) {
            const change = { option, was: value ?? "", will: null };
            return [{ kind: "option", change }];
        }
        // `on`, `1` and `true` are one value, and one that is not set is false.
        const was = /^(?:t|true|y|yes|on|1)$/i.test(value ?? "");
        if (was === wanted) return [];
        const will = wanted ? "true" : null;
        return [{ kind: "option", change: { option, was: String(was), will } }];
    });
}

function split(option: string): readonly [string, string] {
    const at = option.indexOf("=");
    return [option.slice(0, at), option.slice(at + 1)];
}
