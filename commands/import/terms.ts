/** Columns with an order, as `indexes` and `orderBy` take them. */
import { escapeIdentifier } from "../../components/timescale/core/identifier";
import { parseOrderTerm } from "../../components/timescale/core/relation/tableStatements";

/** `column`, `column DESC NULLS LAST`, …; quoted where the bare name would be read as something else. */
export function orderTerm(column: string, descending: boolean, nullsFirst = descending): string {
    const order = [
        ...(descending ? ["DESC"] : []),
        ...(nullsFirst === descending ? [] : [nullsFirst ? "NULLS FIRST" : "NULLS LAST"]),
    ];
    const bare = [column, ...order].join(" ");
    const read = parseOrderTerm(bare);
    return read.column === column &&
        read.descending === descending &&
        read.nullsFirst === nullsFirst
        ? bare
        : [escapeIdentifier(column), ...order].join(" ");
}
