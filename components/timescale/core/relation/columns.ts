/** Columns of a query's output: how two of them differ, and names that change in place. */
import { escapeIdentifier, type QualifiedName, quoteQualified, unquote } from "../identifier";
import type { ChangeLine, ColumnDifference, Statement } from "../plan/plan";
import type { ActualCompression } from "../policies/changes";
import type { ActualIndex } from "./indexes";

export interface OutputColumn {
    readonly name: string;
    /** As the server prints it. */
    readonly type: string;
}

export interface ColumnRename {
    readonly was: string;
    readonly will: string;
}

/** Columns that appear, vanish or change type, by name, in the order of the output. */
export function columnDifferences(
    was: readonly OutputColumn[],
    will: readonly OutputColumn[],
): ColumnDifference[] {
    const before = new Map(was.map(({ name, type }) => [name, type]));
    const after = new Map(will.map(({ name, type }) => [name, type]));
    return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
        const one = before.get(name) ?? null;
        const other = after.get(name) ?? null;
        return one === other ? [] : [{ name, was: one, will: other }];
    });
}

/** What the query's output gains and loses, one line a column. */
export function describeColumns({
    columns,
}: {
    readonly columns: readonly ColumnDifference[];
}): string[] {
    return columns.map(({ name, was, will }) => {
        if (was === null) return `column ${name} ${will} appears`;
        if (will === null) return `column ${name} ${was} vanishes`;
        return `column ${name} becomes ${will}, was ${was}`;
    });
}

/** The columns whose names differ, where two outputs are the same but for names. */
export function columnRenames(
    was: readonly OutputColumn[],
    will: readonly OutputColumn[],
): ColumnRename[] {
    return was.flatMap(({ name }, at) => {
        const wanted = will[at]?.name ?? name;
        return wanted === name ? [] : [{ was: name, will: wanted }];
    });
}

/** Names may change places, so where one is taken all pass through names that nobody has. */
export function renameColumnStatements(
    kind: "MATERIALIZED VIEW" | "TABLE" | "VIEW",
    relation: QualifiedName,
    columns: readonly ColumnRename[],
): Statement[] {
    const rename = (was: string, will: string): Statement => ({
        name: "rename_column",
        sql: `ALTER ${kind} ${quoteQualified(relation)} RENAME COLUMN ${escapeIdentifier(was)} TO ${escapeIdentifier(will)}`,
    });
    const taken = columns.some(({ will }) => columns.some(({ was }) => was === will));
    if (!taken) return columns.map(({ was, will }) => rename(was, will));
    const between = (at: number): string => `pulumi_timescale_column_${at}`;
    return [
        ...columns.map(({ was }, at) => rename(was, between(at))),
        ...columns.map(({ will }, at) => rename(between(at), will)),
    ];
}

export function renameColumnLines(columns: readonly ColumnRename[]): ChangeLine[] {
    return columns.map(({ was, will }) => ({
        code: "column_renamed",
        property: `columns.${was}`,
        was,
        will,
    }));
}

/** Whatever follows the names of columns. */
interface Named {
    readonly timeColumn: string;
    readonly indexes: readonly ActualIndex[];
    readonly compression: ActualCompression | null;
}

/** What stands, as it is when its columns were renamed. */
export function underNames<Actual extends Named>(
    actual: Actual,
    columns: readonly ColumnRename[],
): Actual {
    if (columns.length === 0) return actual;
    const names = new Map(columns.map(({ was, will }) => [was, will]));
    const named = (name: string): string => names.get(name) ?? name;
    const { compression } = actual;
    return {
        ...actual,
        timeColumn: named(actual.timeColumn),
        indexes: actual.indexes.map((index) => ({
            ...index,
            columns: index.columns.map((column) => ({
                ...column,
                expression: renamedTerm(column.expression, names),
            })),
        })),
        compression: compression && {
            ...compression,
            segmentBy: compression.segmentBy.map(named),
            orderBy: compression.orderBy.map(named),
        },
    };
}

/** An index's column as the server prints it; an expression stays as it is. */
function renamedTerm(term: string, names: ReadonlyMap<string, string>): string {
    const will = names.get(unquote(term));
    if (will === undefined) return term;
    return /^[a-z_][a-z0-9_]*$/.test(will) ? will : escapeIdentifier(will);
}
