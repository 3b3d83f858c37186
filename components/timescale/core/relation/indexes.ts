/** The indexes of a hypertable or an aggregate against the declared ones, as typed changes. Pure. */
import { escapeIdentifier, type QualifiedName, quoteQualified, unquote } from "../identifier";
import type { ChangeLine, Note, Statement } from "../plan/plan";
import { orderByTerm, parseOrderTerm } from "./tableStatements";
import { canonicalDefault } from "./types";

/**
 * One index, not unique, such as `{ columns: ["model", "ts DESC"] }`. What changes is built anew, chunk
 * by chunk, before the old one is dropped; an index that is no longer declared is dropped.
 */
export interface Index {
    /** Changing it renames. @default - `<table>_<columns>_idx`, as PostgreSQL names it */
    readonly name?: string;
    /** `column`, `column DESC`, `column DESC NULLS LAST`, in order. */
    readonly columns: readonly string[];
    /** An access method, such as `gin` or `brin`. @default "btree" */
    readonly method?: string;
    /** Rows that the index covers, as a SQL condition. @default - all */
    readonly where?: string;
}

export type DesiredIndex = Index & Required<Pick<Index, "name" | "method">>;

export interface ActualIndex {
    /** Where it lies: that of its table. */
    readonly schema?: string;
    readonly name: string;
    readonly method: string;
    readonly unique: boolean;
    readonly primary: boolean;
    /** False for what an interrupted build left behind. */
    readonly valid: boolean;
    readonly predicate: string | null;
    /** What no declared index has, in words, such as INCLUDE columns; null: nothing. */
    readonly extras?: string | null;
    /** The constraint that it serves; such an index comes and goes with it. */
    readonly constraint?: string | null;
    readonly columns: readonly {
        readonly expression: string;
        readonly descending: boolean;
        readonly nullsFirst: boolean;
    }[];
}

export type IndexChange =
    | {
          readonly kind: "createIndex";
          readonly index: DesiredIndex;
          /** What stands under its name and is dropped first; undefined: nothing. */
          readonly instead?: ActualIndex;
      }
    | { readonly kind: "dropIndex"; readonly index: ActualIndex }
    /** An index that is the same but for its name, which may follow the table's. */
    | { readonly kind: "renameIndex"; readonly was: ActualIndex; readonly will: string };

export function desiredIndexes(table: string, indexes: readonly Index[]): DesiredIndex[] {
    return indexes.map((index) => ({
        ...index,
        name: index.name ?? indexName(table, index),
        // PostgreSQL folds a bare name, and this one is quoted later.
        method: index.method?.toLowerCase() ?? "btree",
    }));
}

export function indexName(table: string, index: Index): string {
    const columns = Array.isArray(index.columns) ? index.columns : [];
    return [table, ...columns.map((term) => parseOrderTerm(String(term)).column), "idx"].join("_");
}

export interface IndexDiff {
    readonly changes: readonly IndexChange[];
    readonly notes: readonly Note[];
}

/** @param declared names of the indexes that the last apply declared */
export function indexDiff(
    actual: readonly ActualIndex[],
    desired: readonly DesiredIndex[],
    declared: readonly string[],
): IndexDiff {
    const changes: IndexChange[] = [];
    const standing = new Map(
        actual.filter(({ primary }) => !primary).map((index) => [index.name, index]),
    );
    const names = desired.map(({ name }) => name);
    const formerIndex = (index: DesiredIndex): ActualIndex | undefined =>
        [...standing.values()].find(
            (it) => declared.includes(it.name) && !names.includes(it.name) && sameIndex(it, index),
        );
    for (const index of desired) {
        const found = standing.get(index.name);
        standing.delete(index.name);
        if (found !== undefined && sameIndex(found, index)) continue;
        const renamed = found === undefined ? formerIndex(index) : undefined;
        if (renamed !== undefined) {
            standing.delete(renamed.name);
            changes.push({ kind: "renameIndex", was: renamed, will: index.name });
            continue;
        }
        changes.push({
            kind: "createIndex",
            index,
            ...(found !== undefined && { instead: found }),
        });
    }
    const notes: Note[] = [];
    for (const index of standing.values()) {
        if (declared.includes(index.name) || (!index.valid && index.constraint == null)) {
            changes.push({ kind: "dropIndex", index });
        } else {
            notes.push({
                code: "kept_index",
                message: `index ${index.name} stands on it that the program does not declare: it is kept`,
            });
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
        !actual.unique &&
        (actual.extras ?? null) === null &&
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

export function indexLines(change: IndexChange): ChangeLine[] {
    switch (change.kind) {
        case "createIndex": {
            const { index, instead } = change;
            return [
                {
                    code:
                        instead === undefined
                            ? "index_missing"
                            : instead.valid
                              ? "index_differs"
                              : "index_invalid",
                    property: `indexes.${index.name}`,
                    was:
                        instead === undefined
                            ? "none"
                            : instead.valid
                              ? describeActual(instead)
                              : "left invalid by an interrupted build",
                    will: describeIndex(index),
                },
            ];
        }
        case "dropIndex":
            return [
                {
                    code: change.index.valid ? "index_undeclared" : "index_invalid",
                    property: `indexes.${change.index.name}`,
                    was: change.index.valid
                        ? describeActual(change.index)
                        : "left invalid by an interrupted build",
                },
            ];
        case "renameIndex":
            return [
                {
                    code: "index_renamed",
                    property: `indexes.${change.will}`,
                    was: change.was.name,
                    will: change.will,
                },
            ];
    }
}

function describeIndex({ method, columns, where }: DesiredIndex): string {
    return `${method} (${columns.join(", ")})${where === undefined ? "" : ` where ${where}`}`;
}

function describeActual({ method, columns, predicate, unique, extras }: ActualIndex): string {
    const terms = columns.map(
        ({ expression, descending, nullsFirst }) =>
            `${expression}${descending ? " DESC" : ""}${nullsFirst === descending ? "" : ` NULLS ${nullsFirst ? "FIRST" : "LAST"}`}`,
    );
    const kind = unique ? `unique ${method}` : method;
    return [
        `${kind} (${terms.join(", ")})`,
        ...(predicate === null ? [] : [`where ${predicate}`]),
        ...(extras == null ? [] : [`with ${extras}`]),
    ].join(" ");
}

export interface IndexPlace {
    /** The table or aggregate that is indexed. */
    readonly relation: QualifiedName;
    /** Where its indexes lie: a table's own schema, that of an aggregate's materialization. */
    readonly schema: string;
    /**
     * Whether chunks are indexed one by one, each in a transaction of its own, so that writers wait
     * for one chunk at most. Not inside a transaction, and of no use without chunks.
     */
    readonly perChunk: boolean;
}

export function indexStatements(change: IndexChange, place: IndexPlace): Statement[] {
    const named = (name: string): string => quoteQualified({ schema: place.schema, name });
    const drop = (index: ActualIndex): Statement =>
        index.constraint == null
            ? { name: "drop_index", sql: `DROP INDEX ${named(index.name)}` }
            : {
                  name: "drop_constraint",
                  sql: `ALTER TABLE ${quoteQualified(place.relation)} DROP CONSTRAINT ${escapeIdentifier(index.constraint)}`,
              };
    switch (change.kind) {
        case "createIndex":
            return [
                ...(change.instead === undefined ? [] : [drop(change.instead)]),
                createIndex(change.index, place),
            ];
        case "dropIndex":
            return [drop(change.index)];
        case "renameIndex":
            return [
                {
                    name: "rename_index",
                    sql: `ALTER INDEX ${named(change.was.name)} RENAME TO ${escapeIdentifier(change.will)}`,
                },
            ];
    }
}

function createIndex(index: DesiredIndex, { relation, schema, perChunk }: IndexPlace): Statement {
    const columns = index.columns.map((term) =>
        index.method === "btree"
            ? orderByTerm(term)
            : escapeIdentifier(parseOrderTerm(term).column),
    );
    return {
        name: "create_index",
        sql: [
            `CREATE INDEX ${escapeIdentifier(index.name)} ON ${quoteQualified(relation)}`,
            `USING ${escapeIdentifier(index.method)} (${columns.join(", ")})`,
            ...(perChunk ? ["WITH (timescaledb.transaction_per_chunk)"] : []),
            ...(index.where === undefined ? [] : [`WHERE ${index.where}`]),
        ].join(" "),
        ...(perChunk && {
            outside: {
                undo: `DROP INDEX IF EXISTS ${quoteQualified({ schema, name: index.name })}`,
            },
        }),
    };
}
