/** Columns of a query's output: how two of them differ, and names that change in place. */
import { escapeIdentifier, type QualifiedName, quoteQualified } from "./identifier";
import type { ColumnDifference, Statement } from "./plan";

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
    kind: "MATERIALIZED VIEW" | "VIEW",
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
