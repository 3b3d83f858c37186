/** What two versions of an aggregate have in common. */
import { type Definition, parseDefinition, readInstead } from "../../query/definition";
import type { ActualAggregate } from "../inspect";

export interface Common {
    readonly before: Definition;
    readonly after: Definition;
    /** Columns that both have, under their names in each. */
    readonly columns: readonly CommonColumn[];
}

export interface CommonColumn {
    readonly was: string;
    readonly is: string;
    readonly expression: string;
}

/** Undefined where the two read other rows, or show some of their groups alone: then no totals agree. */
export function commonOf(old: ActualAggregate, version: ActualAggregate): Common | undefined {
    const [before, after] = [parse(old), parse(version)];
    if (before.source !== after.source || /HAVING/.test(before.grouping + after.grouping)) {
        return undefined;
    }
    const columns = before.columns.flatMap(({ name, expression }) => {
        const other = after.columns.find((column) => column.expression === expression);
        return other === undefined ? [] : [{ was: name, is: other.name, expression }];
    });
    return { before, after, columns };
}

/** Whether what reads the old version finds the same in the new one: all of its columns, as they were. */
export function isExtended(common: Common | undefined): boolean {
    if (common === undefined) return false;
    const kept = new Set(common.columns.flatMap(({ was, is }) => (was === is ? [was] : [])));
    return common.before.columns.every(({ name }) => kept.has(name));
}

/** Over the same name, whatever each reads: an aggregate reads the version of its parent. */
function parse({ definition, columns, source }: ActualAggregate): Definition {
    const names = columns.map(({ name }) => name);
    return parseDefinition(readInstead(definition, source, { schema: "source", name: "source" }), names); // prettier-ignore
}
