/**
 * What an aggregate over an aggregate may do with the columns below: counts, sums, minima and maxima
 * add up, while averages, distinct counts and percentiles do not, however plausible the result looks.
 */
import { type Finding, finding } from "./finding";
import { argumentsOf, callsOf, selectList, soleCall, soleColumn } from "./selectList";

export type ColumnKind = "average" | "distinctCount" | "percentile";

const percentiles = ["percentile_cont", "percentile_disc"];

/** Columns of a query that cannot be added up. */
export function columnKinds(query: string): Map<string, ColumnKind> {
    const kinds = new Map<string, ColumnKind>();
    for (const { shape, name } of selectList(query)) {
        const call = soleCall(shape);
        if (name === undefined || call === undefined) continue;
        if (call.name === "avg") kinds.set(name, "average");
        if (call.name === "count" && /^\s*distinct\b/i.test(call.args)) {
            kinds.set(name, "distinctCount");
        }
        if (percentiles.includes(call.name)) kinds.set(name, "percentile");
    }
    return kinds;
}

export interface Level {
    /** Qualified, for people. */
    readonly title: string;
    /** The query, as the program or the server has it. */
    readonly query: string;
}

export function rollUpFindings(child: Level, parent: Level): Finding[] {
    const kinds = columnKinds(parent.query);
    if (kinds.size === 0) return [];
    const found = new Map<string, Finding>();
    for (const { shape } of selectList(child.query)) {
        for (const { name, args, within } of callsOf(shape, ["avg", "sum", ...percentiles])) {
            const of = within
                ?.replace(/^\s*order\s+by\s+/i, "")
                .replace(/\s+(?:asc|desc)\s*$/i, "");
            const column = soleColumn(of ?? argumentsOf(args)[0] ?? "");
            const kind = column === undefined ? undefined : kinds.get(column);
            if (column === undefined || kind === undefined) continue;
            const one = wrong(name, column, kind, child, parent);
            if (one !== undefined) found.set(one.message, one);
        }
    }
    return [...found.values()];
}

function wrong(
    call: string,
    column: string,
    kind: ColumnKind,
    child: Level,
    parent: Level,
): Finding | undefined {
    const of = `${column} of ${parent.title}`;
    const averages = call === "avg";
    if (averages && kind === "average") {
        return finding("average_of_averages", "query", {
            message: `${child.title} averages averages: avg(${column})`,
            detail: `${of} is an average by itself, and a bucket with one row would weigh as much as one with thousands`,
            hint: `keep sum and count in ${parent.title}, and divide sum(sum) by sum(count) in ${child.title}`,
        });
    }
    if (call === "sum" && kind === "distinctCount") {
        return finding("sum_of_distinct_counts", "query", {
            message: `${child.title} adds up distinct counts: sum(${column})`,
            detail: `${of} counts distinct values a bucket, and a value that occurs in two buckets would count twice`,
            hint: `count distinct values from raw data: let ${child.title} read what ${parent.title} reads; or use max(${column}) as a lower bound`,
        });
    }
    if (kind === "percentile" && (averages || percentiles.includes(call))) {
        return finding("percentile_of_percentiles", "query", {
            message: `${child.title} computes ${averages ? "an average" : "a percentile"} of percentiles: ${call} of ${column}`,
            detail: `${of} is a percentile by itself, and percentiles of buckets do not give that of their union`,
            hint: `compute it from raw data: let ${child.title} read what ${parent.title} reads; or use min(${column}) and max(${column}) as bounds`,
        });
    }
    return undefined;
}
