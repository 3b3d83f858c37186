/** What a backfill has done, or would do, for people and for programs. */
import Table from "cli-table3";

import type { FillWindow } from "../../components/timescale/core/aggregate/fillRange";
import type { Clamp } from "./clamp";
import { showTime } from "./times";

/** A part of the range in which there is something to compute. */
export interface Part extends FillWindow {
    /** Rows of the aggregate that stand in it now, and are computed again. */
    readonly rows: number;
}

export interface Result {
    readonly aggregate: string;
    /** What was looked at; undefined where nothing can be computed. */
    readonly range: FillWindow | undefined;
    readonly clamps: readonly Clamp[];
    readonly parts: readonly Part[];
    readonly dryRun: boolean;
    /** How many refreshes it took; 0 with a dry run. */
    readonly windows: number;
}

export function resultAsJson({
    aggregate,
    range,
    clamps,
    parts,
    dryRun,
    windows,
}: Result): unknown {
    return {
        ...{ aggregate, dryRun, from: range?.start ?? null, to: range?.end ?? null },
        clamped: clamps,
        parts: parts.map(({ start, end, rows }) => ({ from: start, to: end, rows })),
        windows,
    };
}

/** Why there is nothing to do, when there is not. */
function nothingPending(result: Result): string {
    return [
        `${result.aggregate} has nothing to compute${within(result)}: it is filled, and raw data has not changed since.`,
        "TimescaleDB computes a range again only where raw data has changed.",
    ].join("\n");
}

export function describeResult(result: Result): string {
    const { aggregate, parts, dryRun, windows } = result;
    if (parts.length === 0) return nothingPending(result);
    const rows = parts.reduce((sum, part) => sum + part.rows, 0);
    if (!dryRun) {
        return [
            `${aggregate} is computed${within(result)}, in ${windows} ${windows === 1 ? "window" : "windows"}.`,
            `${count(rows)} of its rows stood in what was to be computed.`,
        ].join("\n");
    }
    const table = new Table({
        head: ["from", "to", "rows that stand and are computed again"],
        style: { head: [], border: [] },
        colAligns: ["left", "left", "right"],
    });
    for (const part of parts) {
        table.push([showTime(part.start), showTime(part.end), count(part.rows)]);
    }
    return `${table.toString()}\n${aggregate}: dry run, nothing was changed.`;
}

function within({ range }: Result): string {
    return range === undefined ? "" : ` from ${showTime(range.start)} to ${showTime(range.end)}`;
}

function count(rows: number): string {
    return rows.toLocaleString("en");
}
