/** The difference between a hypertable in the database and its declaration, as typed changes. Pure. */
import { type GrantDifference, grantDifferences } from "../grants";
import type { QualifiedName } from "../identifier";
import { sameInterval } from "../interval";
import { type DeclaredPolicies, newPolicies, type PolicyChange, policyDiff } from "../policyDiff";
import { parseOrderTerm } from "../tableStatements";
import { canonicalDefault, canonicalType } from "../types";
import type { ActualColumn, ActualHypertable, ActualIndex, InspectedHypertable } from "./inspect";
import type { Column, DesiredHypertable } from "./spec";

export type HypertableChange =
    | { readonly kind: "create" }
    | { readonly kind: "rename"; readonly was: QualifiedName }
    | { readonly kind: "refuse"; readonly reason: HypertableRefusal }
    | { readonly kind: "addColumn"; readonly column: Column }
    | { readonly kind: "dropColumn"; readonly name: string }
    | {
          readonly kind: "default";
          readonly column: string;
          readonly was: string | null;
          readonly will: string | null;
      }
    | { readonly kind: "nullable"; readonly column: string; readonly will: boolean }
    | {
          readonly kind: "columnComment";
          readonly column: string;
          readonly was: string | null;
          readonly will: string | null;
      }
    | { readonly kind: "createIndex"; readonly index: DesiredIndex }
    | { readonly kind: "dropIndex"; readonly name: string; readonly why: string }
    /** An index that is the same but for its name, which may follow the table's. */
    | { readonly kind: "renameIndex"; readonly was: string; readonly will: string }
    | { readonly kind: "chunkTimeInterval"; readonly was: string; readonly will: string }
    | PolicyChange
    | { readonly kind: "comment"; readonly was: string | null; readonly will: string | null }
    | { readonly kind: "grants"; readonly difference: GrantDifference };

export type DesiredIndex = DesiredHypertable["indexes"][number];

export type HypertableRefusal =
    | { readonly what: "other"; readonly relation: string; readonly owner: string }
    | { readonly what: "owner"; readonly was: string; readonly will: string }
    | { readonly what: "adopt"; readonly differences: readonly string[] }
    | {
          readonly what: "columnType";
          readonly column: string;
          readonly was: string;
          readonly will: string;
      }
    | { readonly what: "timeColumn"; readonly was: string; readonly will: string }
    | {
          readonly what: "primaryKey";
          readonly was: readonly string[];
          readonly will: readonly string[];
      };

export interface HypertableDiffInput {
    readonly actual: InspectedHypertable;
    readonly desired: DesiredHypertable;
    readonly owner: string;
    readonly declared: DeclaredPolicies & {
        /** Names of the indexes that the last apply declared. */
        readonly indexes: readonly string[];
    };
    readonly managed: boolean;
    /** The name that `actual` still has, when the program has given it another one. */
    readonly formerName?: QualifiedName | undefined;
}

export interface HypertableDiff {
    readonly changes: readonly HypertableChange[];
    readonly notes: readonly string[];
}

export function diffHypertable(input: HypertableDiffInput): HypertableDiff {
    const { actual, desired } = input;
    switch (actual.kind) {
        case "absent":
            return { changes: creation(desired), notes: [] };
        case "other":
            return {
                changes: [
                    {
                        kind: "refuse",
                        reason: { what: "other", relation: actual.relation, owner: actual.owner },
                    },
                ],
                notes: [],
            };
        case "hypertable":
            return existing(actual, input);
    }
}

function creation(desired: DesiredHypertable): HypertableChange[] {
    return [
        { kind: "create" },
        ...desired.columns.flatMap(({ name, comment }) =>
            comment === undefined
                ? []
                : [{ kind: "columnComment", column: name, was: null, will: comment } as const],
        ),
        ...desired.indexes.map((index) => ({ kind: "createIndex", index }) as const),
        ...newPolicies(desired),
        ...(desired.comment === null
            ? []
            : [{ kind: "comment", was: null, will: desired.comment } as const]),
        ...grantDifferences([], desired.grants).map(
            (difference) => ({ kind: "grants", difference }) as const,
        ),
    ];
}

function existing(actual: ActualHypertable, input: HypertableDiffInput): HypertableDiff {
    const { desired, owner, declared, managed } = input;
    const columns = columnChanges(actual, desired);
    const indexes = indexChanges(actual, desired, declared.indexes);
    const policies = policyDiff(actual, desired, declared, owner);
    const structural = [...keyChanges(actual, desired), ...columns.changes];
    const refusals: HypertableChange[] = [];
    // A comment is no reason to think that another table is meant.
    const telling = structural.filter(({ kind }) => kind !== "columnComment");
    if (!managed && !desired.adopt && telling.length > 0) {
        const differences = telling.map((change) => describeStructural(change));
        refusals.push({ kind: "refuse", reason: { what: "adopt", differences } });
    }
    if (actual.owner !== owner) {
        refusals.push({
            kind: "refuse",
            reason: { what: "owner", was: actual.owner, will: owner },
        });
    }
    return {
        changes: [
            ...refusals,
            ...(input.formerName === undefined
                ? []
                : [{ kind: "rename", was: input.formerName } as const]),
            ...structural,
            ...indexes.changes,
            ...(sameInterval(actual.chunkTimeInterval, desired.chunkTimeInterval)
                ? []
                : [
                      {
                          kind: "chunkTimeInterval",
                          was: actual.chunkTimeInterval,
                          will: desired.chunkTimeInterval,
                      } as const,
                  ]),
            ...policies.changes,
            ...(actual.comment === desired.comment
                ? []
                : [{ kind: "comment", was: actual.comment, will: desired.comment } as const]),
            ...grantDifferences(actual.grants, desired.grants).map(
                (difference) => ({ kind: "grants", difference }) as const,
            ),
        ],
        notes: [...columns.notes, ...indexes.notes, ...policies.notes],
    };
}

function describeStructural(change: HypertableChange): string {
    switch (change.kind) {
        case "addColumn":
            return `column ${change.column.name} is missing`;
        case "dropColumn":
            return `column ${change.name} is to be dropped`;
        case "default":
            return `column ${change.column} has default ${change.was ?? "none"}, declared is ${change.will ?? "none"}`;
        case "nullable":
            return `column ${change.column} is ${change.will ? "not null" : "nullable"}, declared is the opposite`;
        case "refuse":
            return describeRefusal(change.reason);
        default:
            return change.kind;
    }
}

export function describeRefusal(reason: HypertableRefusal): string {
    switch (reason.what) {
        case "columnType":
            return `column ${reason.column} is ${reason.was}, declared is ${reason.will}`;
        case "timeColumn":
            return `it is partitioned by ${reason.was}, declared is ${reason.will}`;
        case "primaryKey":
            return `its primary key is (${reason.was.join(", ")}), declared is (${reason.will.join(", ")})`;
        case "other":
            return `it is a ${reason.relation}`;
        case "owner":
            return `it belongs to ${reason.was}`;
        case "adopt":
            return reason.differences.join("; ");
    }
}

function keyChanges(actual: ActualHypertable, desired: DesiredHypertable): HypertableChange[] {
    const changes: HypertableChange[] = [];
    if (actual.timeColumn !== desired.timeColumn) {
        changes.push({
            kind: "refuse",
            reason: { what: "timeColumn", was: actual.timeColumn, will: desired.timeColumn },
        });
    }
    const key = actual.indexes.find(({ primary }) => primary);
    const was = key?.columns.map(({ expression }) => unquote(expression)) ?? [];
    if (was.join("\0") !== desired.primaryKey.join("\0")) {
        changes.push({
            kind: "refuse",
            reason: { what: "primaryKey", was, will: desired.primaryKey },
        });
    }
    return changes;
}

function columnChanges(actual: ActualHypertable, desired: DesiredHypertable): HypertableDiff {
    const changes: HypertableChange[] = [];
    const notes: string[] = [];
    const standing = new Map(actual.columns.map((column) => [column.name, column]));
    for (const column of desired.columns) {
        const found = standing.get(column.name);
        standing.delete(column.name);
        if (found === undefined) {
            changes.push({ kind: "addColumn", column });
            if (column.comment !== undefined) {
                changes.push({
                    kind: "columnComment",
                    column: column.name,
                    was: null,
                    will: column.comment,
                });
            }
        } else {
            changes.push(...oneColumn(found, column, isKey(column.name, desired)));
        }
    }
    for (const name of standing.keys()) {
        if (desired.dropColumns.includes(name)) changes.push({ kind: "dropColumn", name });
        else
            notes.push(`column ${name} stands on it that the program does not declare: it is kept`);
    }
    return { changes, notes };
}

/** The time column and the primary key's are NOT NULL whatever is declared. */
function isKey(name: string, desired: DesiredHypertable): boolean {
    return name === desired.timeColumn || desired.primaryKey.includes(name);
}

function oneColumn(actual: ActualColumn, desired: Column, key: boolean): HypertableChange[] {
    const column = desired.name;
    const changes: HypertableChange[] = [];
    if (canonicalType(actual.type) !== canonicalType(desired.type)) {
        changes.push({
            kind: "refuse",
            reason: { what: "columnType", column, was: actual.type, will: desired.type },
        });
    }
    if (canonicalDefault(actual.default) !== canonicalDefault(desired.default)) {
        changes.push({
            kind: "default",
            column,
            was: actual.default,
            will: desired.default ?? null,
        });
    }
    const nullable = (desired.nullable ?? true) && !key;
    if (actual.nullable !== nullable) changes.push({ kind: "nullable", column, will: nullable });
    if (actual.comment !== (desired.comment ?? null)) {
        changes.push({
            kind: "columnComment",
            column,
            was: actual.comment,
            will: desired.comment ?? null,
        });
    }
    return changes;
}

function indexChanges(
    actual: ActualHypertable,
    desired: DesiredHypertable,
    declared: readonly string[],
): HypertableDiff {
    const changes: HypertableChange[] = [];
    const notes: string[] = [];
    const standing = new Map(
        actual.indexes.filter(({ primary }) => !primary).map((index) => [index.name, index]),
    );
    const names = desired.indexes.map(({ name }) => name);
    const formerIndex = (index: DesiredIndex): ActualIndex | undefined =>
        [...standing.values()].find(
            (it) => declared.includes(it.name) && !names.includes(it.name) && sameIndex(it, index),
        );
    for (const index of desired.indexes) {
        const found = standing.get(index.name);
        standing.delete(index.name);
        if (found !== undefined && sameIndex(found, index)) continue;
        const renamed = found === undefined ? formerIndex(index) : undefined;
        if (renamed !== undefined) {
            standing.delete(renamed.name);
            changes.push({ kind: "renameIndex", was: renamed.name, will: index.name });
            continue;
        }
        if (found !== undefined) {
            const why = found.valid ? "it differs" : "an interrupted build left it invalid";
            changes.push({ kind: "dropIndex", name: found.name, why });
        }
        changes.push({ kind: "createIndex", index });
    }
    for (const name of standing.keys()) {
        if (declared.includes(name)) {
            changes.push({ kind: "dropIndex", name, why: "it is no longer declared" });
        } else {
            notes.push(`index ${name} stands on it that the program does not declare: it is kept`);
        }
    }
    return { changes, notes };
}

function sameIndex(actual: ActualIndex, desired: DesiredIndex): boolean {
    const terms = desired.columns.map(parseOrderTerm);
    // Only a btree has an order.
    const ordered = desired.method === "btree";
    return (
        actual.valid &&
        actual.method === desired.method &&
        canonicalDefault(actual.predicate) === canonicalDefault(desired.where) &&
        actual.columns.length === terms.length &&
        terms.every((term, at) => {
            const column = actual.columns[at];
            return (
                column !== undefined &&
                unquote(column.expression) === term.column &&
                (!ordered ||
                    (column.descending === term.descending &&
                        column.nullsFirst === term.nullsFirst))
            );
        })
    );
}

function unquote(identifier: string): string {
    return identifier.startsWith('"') ? identifier.slice(1, -1).replace(/""/g, '"') : identifier;
}
