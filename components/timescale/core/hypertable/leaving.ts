/**
 * The names that columns bear while their values are written to a backup, before they are dropped.
 * Pure.
 */
import { withSuffix } from "../identifier";
import type { ActualColumn } from "../relation/relation";

/** A column that is to be dropped. */
export interface LeavingColumn {
    readonly name: string;
    /** The name that it has now: another one where an earlier attempt was killed. */
    readonly standing: string;
}

/** Nobody writes to it by this name. Ends with the column's number, by which it is known again. */
export function leavingName(name: string, number: number): string {
    return withSuffix(name, `_leaving_${number}`);
}

/** Which of `dropColumns` a column is; undefined: none of them. */
export function leavingAs(
    { name, number }: Pick<ActualColumn, "name" | "number">,
    dropColumns: readonly string[],
): LeavingColumn | undefined {
    const found = dropColumns.find(
        (it) => it === name || (number !== undefined && leavingName(it, number) === name),
    );
    return found === undefined ? undefined : { name: found, standing: name };
}
