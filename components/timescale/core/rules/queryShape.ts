/** Clauses of a query that an aggregate takes, and that do not do there what they seem to. */
import { blank, trimmed } from "../query/query";
import { type Finding, finding } from "./finding";

export function shapeFindings(title: string, query: string): Finding[] {
    const clauses = outermost(trimmed(blank(query)));
    const found: Finding[] = [];
    if (/(?<![.\w$"])having\b/i.test(clauses)) {
        found.push(
            finding("having", "query", {
                message: `the query of ${title} has HAVING`,
                detail: "it decides when a bucket is computed, and not when it is read: a group that a late row lets through appears later, and one that it takes out vanishes",
                hint: "leave it out, and filter when you query the aggregate",
            }),
        );
    }
    if (/(?<![.\w$"])order\s+by\b/i.test(clauses)) {
        found.push(
            finding("order_by", "query", {
                message: `the query of ${title} has ORDER BY`,
                detail: "buckets are stored in no order, so it costs a sort and changes nothing",
                hint: "leave it out, and sort when you query the aggregate",
            }),
        );
    }
    return found;
}

/** Without what brackets enclose: ORDER BY inside of a call is another one. */
function outermost(shape: string): string {
    // Brackets around the whole statement enclose nothing.
    const body = /^\s*\(([^]*)\)\s*$/.exec(shape)?.[1] ?? shape;
    let depth = 0;
    let result = "";
    for (const mark of body) {
        if (mark === ")" || mark === "]") depth -= 1;
        if (depth <= 0) result += mark;
        if (mark === "(" || mark === "[") depth += 1;
    }
    return result;
}
