/**
 * Check 10: an aggregate reads fewer rows than its query over raw rows does.
 *
 * Rows that a plan reads are the same on every machine and in every run; the time that they take is not, and
 * is told without being judged.
 */
import type { Session } from "../../components/timescale/core/connection/session";
import { escapeIdentifier, quoteQualified } from "../../components/timescale/core/identifier";
import { type Buckets, queryText, reading, time } from "./buckets";
import type { Finding } from "./result";

/** How many times fewer rows an aggregate has to read. The rows of check 5 give at least four. */
const leastRatio = 2;

/** @param all aggregates over raw rows */
export async function speed(session: Session, all: readonly Buckets[]): Promise<Finding> {
    const problems: string[] = [];
    const ratios: number[] = [];
    const [stored, computed] = [
        { rows: 0, milliseconds: 0 },
        { rows: 0, milliseconds: 0 },
    ];
    for (const buckets of all) {
        const { name, aggregate, range } = buckets;
        if (range === undefined) continue;
        const bucket = escapeIdentifier(aggregate.timeColumn);
        const within = `${bucket} >= ${time(range.lower)} AND ${bucket} < ${time(range.upper)}`;
        const asked = async (from: string): Promise<Reading> => {
            return measure(session, buckets, `SELECT * FROM ${from} WHERE ${within}`);
        };
        const fromStored = await asked(quoteQualified(name));
        const fromRaw = await asked(`(${queryText(aggregate)}) q`);
        add(stored, fromStored);
        add(computed, fromRaw);
        const ratio = fromRaw.rows / Math.max(1, fromStored.rows);
        ratios.push(ratio);
        if (ratio < leastRatio) {
            problems.push(
                `${name.name} reads ${fromStored.rows} rows and raw takes ${fromRaw.rows}: ${ratio.toFixed(1)} times fewer, and ${leastRatio} is the least`,
            );
        }
    }
    const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
    return {
        summary: `${least.toFixed(0)} to ${most.toFixed(0)} times fewer rows read than from raw (${stored.rows} against ${computed.rows}; ${stored.milliseconds.toFixed(1)} ms against ${computed.milliseconds.toFixed(1)} ms)`,
        problems,
    };
}

interface Reading {
    readonly rows: number;
    readonly milliseconds: number;
}

function add(to: { rows: number; milliseconds: number }, one: Reading): void {
    to.rows += one.rows;
    to.milliseconds += one.milliseconds;
}

interface PlanNode {
    readonly "Actual Rows": number;
    readonly "Actual Loops": number;
    readonly "Rows Removed by Filter"?: number;
    readonly Plans?: readonly PlanNode[];
}

async function measure(
    session: Session,
    { name, searchPath }: Buckets,
    query: string,
): Promise<Reading> {
    return reading(session, searchPath, "explain", name, async (client) => {
        const { rows } = await client.query<{
            "QUERY PLAN": readonly { Plan: PlanNode; "Execution Time": number }[];
        }>(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${query}`);
        const [found] = rows[0]?.["QUERY PLAN"] ?? [];
        return {
            rows: found === undefined ? 0 : rowsRead(found.Plan),
            milliseconds: found?.["Execution Time"] ?? 0,
        };
    });
}

/** Of the leaves of the plan, those that a filter threw away included. */
export function rowsRead(node: PlanNode): number {
    const below = node.Plans ?? [];
    if (below.length > 0) return below.reduce((sum, child) => sum + rowsRead(child), 0);
    return (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)) * node["Actual Loops"];
}
