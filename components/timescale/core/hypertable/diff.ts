/** The difference between a hypertable in the database and its declaration, as typed changes. Pure. */
import { escapeIdentifier, type QualifiedName, unquote } from "../identifier";
import { sameLength } from "../interval";
import {
    type CommentChange,
    commentChanges,
    grantChanges,
    type GrantsChange,
} from "../plan/objectChanges";
import type { Note } from "../plan/plan";
import type { ActualCompression, PolicyChange } from "../policies/changes";
import type { CompressionDefaults } from "../policies/compressionDiff";
import { newPolicies, policyDiff } from "../policies/diff";
import { type ColumnRename, underNames } from "../relation/columns";
import type { DeclaredParts } from "../relation/hypertableParts";
import { type IndexChange, indexDiff } from "../relation/indexes";
import type { ActualColumn } from "../relation/relation";
import { declaredComment } from "../relation/tableStatements";
import { canonicalDefault, canonicalType } from "../relation/types";
import type { ActualHypertable, InspectedHypertable } from "./inspect";
import { leavingAs, type LeavingColumn } from "./leaving";
import type { Column, DesiredHypertable } from "./spec";

export type HypertableChange =
    | { readonly kind: "create" }
    | { readonly kind: "rename"; readonly was: QualifiedName }
    | { readonly kind: "owner"; readonly was: string; readonly will: string }
    | { readonly kind: "refuse"; readonly reason: HypertableRefusal }
    /** Columns that were renamed by hand get their names back. */
    | { readonly kind: "renameColumns"; readonly columns: readonly ColumnRename[] }
    | { readonly kind: "addColumn"; readonly column: Column }
    | ({ readonly kind: "dropColumn" } & LeavingColumn)
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
    | PrimaryKeyChange
    /**
     * Off before what is altered, and on again after it, in the same transaction: the server alters
     * neither keys nor nullability under compression, and no chunk is compressed.
     */
    | {
          readonly kind: "suspendCompression" | "resumeCompression";
          readonly compression: ActualCompression;
      }
    | IndexChange
    | { readonly kind: "chunkTimeInterval"; readonly was: string; readonly will: string }
    | PolicyChange
    | CommentChange
    | GrantsChange;

export interface PrimaryKeyChange {
    readonly kind: "primaryKey";
    readonly was: readonly string[];
    readonly will: readonly string[];
    /** Name of the constraint that goes; null: there is none. */
    readonly constraint: string | null;
}

export type HypertableRefusal =
    | {
          readonly what: "other";
          readonly relation: string;
          readonly owner: string;
          readonly movedTo?: QualifiedName;
      }
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
          readonly what: "compressed";
          readonly differences: readonly string[];
          /** How many chunks are compressed. */
          readonly chunks: number;
      };

export interface HypertableDiffInput {
    readonly actual: InspectedHypertable;
    readonly desired: DesiredHypertable;
    readonly owner: string;
    readonly declared: DeclaredParts;
    readonly managed: boolean;
    /** Numbers of its columns by their names, as the last apply left them. */
    readonly columnNumbers?: Readonly<Record<string, number>> | undefined;
    /** Whether the server alters keys and nullability under compression. Default true. */
    readonly altersCompressed?: boolean;
}

export interface HypertableDiff {
    readonly changes: readonly HypertableChange[];
    readonly notes: readonly Note[];
}

export function diffHypertable(input: HypertableDiffInput): HypertableDiff {
    const { actual, desired } = input;
    switch (actual.kind) {
        case "absent":
            return { changes: creation(desired), notes: input.managed ? [goneNote] : [] };
        case "other": {
            const { relation, owner, movedTo } = actual;
            return {
                changes: [
                    {
                        kind: "refuse",
                        reason: {
                            what: "other",
                            relation,
                            owner,
                            ...(movedTo !== undefined && { movedTo }),
                        },
                    },
                ],
                notes: [],
            };
        }
        case "hypertable":
            return existing(actual, input);
    }
}

const goneNote: Note = {
    code: "gone",
    message:
        "it stood at the last deployment and is gone, with its rows: up makes it again, and empty",
};

/** What the server takes on 2.14 when compression is switched on without settings. */
function compressionDefaults({ timeColumn }: { readonly timeColumn: string }): CompressionDefaults {
    return { timeColumn, segmentBy: [], orderBy: [`${escapeIdentifier(timeColumn)} DESC`] };
}

function creation(desired: DesiredHypertable): HypertableChange[] {
    return [
        { kind: "create" },
        ...desired.columns.flatMap(({ name, comment }) =>
            columnCommentChanges(name, null, comment),
        ),
        ...desired.indexes.map((index) => ({ kind: "createIndex", index }) as const),
        // Later versions choose columns of their own; these are the documented defaults.
        ...newPolicies(desired, compressionDefaults(desired)),
        ...commentChanges(null, desired.comment),
        ...grantChanges([], desired.grants),
    ];
}

function existing(standing: ActualHypertable, input: HypertableDiffInput): HypertableDiff {
    const { desired, owner, declared, managed } = input;
    const renames = renamedByHand(standing, desired, input.columnNumbers);
    // Everything else is compared under the names that columns have again.
    const actual = withColumns(underNames(standing, renames), renames);
    const columns = columnChanges(actual, desired);
    const indexes = indexDiff(actual.indexes, desired.indexes, declared.indexes);
    const policies = policyDiff(actual, desired, declared, owner, {
        defaults: compressionDefaults(actual),
    });
    // A key may hold new columns, and a column may be free to be NULL only when it has left the key.
    const structural = [...columns.added, ...keyChanges(actual, desired), ...columns.changes];
    const suspended = suspension(actual, structural, input.altersCompressed ?? true);
    const refusals: HypertableChange[] = [];
    // A comment is no reason to think that another table is meant.
    const telling = structural.filter(({ kind }) => kind !== "columnComment");
    if (!managed && !desired.adopt && telling.length > 0) {
        const differences = telling.map((change) => describeStructural(change));
        refusals.push({ kind: "refuse", reason: { what: "adopt", differences } });
    }
    if (actual.owner !== owner) {
        const change = { was: actual.owner, will: owner };
        refusals.push(
            actual.superuser
                ? { kind: "owner", ...change }
                : { kind: "refuse", reason: { what: "owner", ...change } },
        );
    }
    const moved = actual.name.schema !== desired.schema || actual.name.name !== desired.name;
    return {
        changes: [
            ...refusals,
            ...suspended.refusals,
            ...(moved ? [{ kind: "rename", was: actual.name } as const] : []),
            ...(renames.length === 0 ? [] : [{ kind: "renameColumns", columns: renames } as const]),
            ...suspended.before,
            ...structural,
            ...suspended.after,
            ...indexes.changes,
            ...(sameLength(actual.chunkTimeInterval, desired.chunkTimeInterval)
                ? []
                : [
                      {
                          kind: "chunkTimeInterval",
                          was: actual.chunkTimeInterval,
                          will: desired.chunkTimeInterval,
                      } as const,
                  ]),
            ...policies.changes,
            ...commentChanges(actual.comment, desired.comment),
            ...grantChanges(actual.grants, desired.grants),
        ],
        notes: [...columns.notes, ...indexes.notes, ...policies.notes],
    };
}

/** A declared column that is missing, while its number stands under a name that nobody declares. */
function renamedByHand(
    actual: ActualHypertable,
    desired: DesiredHypertable,
    numbers: Readonly<Record<string, number>> = {},
): ColumnRename[] {
    const declared = new Set(desired.columns.map(({ name }) => name));
    const standing = new Set(actual.columns.map(({ name }) => name));
    return desired.columns.flatMap(({ name }) => {
        const number = standing.has(name) ? undefined : numbers[name];
        const found = actual.columns.find((column) => column.number === number);
        return number === undefined || found === undefined || declared.has(found.name)
            ? []
            : [{ was: found.name, will: name }];
    });
}

function withColumns(actual: ActualHypertable, renames: readonly ColumnRename[]): ActualHypertable {
    return {
        ...actual,
        columns: actual.columns.map((column) => {
            const rename = renames.find(({ was }) => was === column.name);
            return rename === undefined ? column : { ...column, name: rename.will };
        }),
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
        case "primaryKey":
            return `its primary key is (${change.was.join(", ")}), declared is (${change.will.join(", ")})`;
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
        case "compressed":
            return reason.differences.join("; ");
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
    const will = desired.primaryKey;
    if (was.join("\0") !== will.join("\0")) {
        changes.push({
            kind: "primaryKey",
            was,
            will,
            constraint: key === undefined ? null : (key.constraint ?? key.name),
        });
    }
    return changes;
}

/** What stands around changes that the server does not make under compression. */
function suspension(
    actual: ActualHypertable,
    changes: readonly HypertableChange[],
    altersCompressed: boolean,
): Record<"before" | "after" | "refusals", HypertableChange[]> {
    const kept = changes.filter(({ kind }) => kind === "primaryKey" || kind === "nullable");
    const none = { before: [], after: [], refusals: [] };
    if (kept.length === 0 || altersCompressed || actual.compression === null) return none;
    const chunks = actual.compressedChunks ?? 0;
    if (chunks > 0) {
        const differences = kept.map(describeStructural);
        return {
            ...none,
            refusals: [{ kind: "refuse", reason: { what: "compressed", differences, chunks } }],
        };
    }
    const { compression } = actual;
    return {
        ...none,
        before: [{ kind: "suspendCompression", compression }],
        after: [{ kind: "resumeCompression", compression }],
    };
}

function columnChanges(
    actual: ActualHypertable,
    desired: DesiredHypertable,
): HypertableDiff & { readonly added: readonly HypertableChange[] } {
    const added: HypertableChange[] = [];
    const changes: HypertableChange[] = [];
    const notes: Note[] = [];
    const standing = new Map(actual.columns.map((column) => [column.name, column]));
    for (const column of desired.columns) {
        const found = standing.get(column.name);
        standing.delete(column.name);
        if (found === undefined) {
            added.push({ kind: "addColumn", column });
            added.push(...columnCommentChanges(column.name, null, column.comment));
        } else {
            changes.push(...oneColumn(found, column, isKey(column.name, desired)));
        }
    }
    for (const [name, column] of standing) {
        const leaving = leavingAs(column, desired.dropColumns);
        if (leaving !== undefined) changes.push({ kind: "dropColumn", ...leaving });
        else
            notes.push({
                code: "kept_column",
                message: `column ${name} stands on it that the program does not declare: it is kept`,
            });
    }
    return { added, changes, notes };
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
    changes.push(...columnCommentChanges(column, actual.comment, desired.comment));
    return changes;
}

function columnCommentChanges(
    column: string,
    was: string | null,
    comment: string | undefined,
): HypertableChange[] {
    const will = declaredComment(comment);
    return was === will ? [] : [{ kind: "columnComment", column, was, will }];
}
