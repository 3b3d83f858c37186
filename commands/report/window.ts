/** Which window a report covers, in which steps, and from which aggregates it is read. */
import { TimescaleError } from "../../components/timescale/core/errors";
import { showTime } from "../backfill/times";
import type { AskedWindow } from "./options";

/** The coarsest aggregate that is read: the finer ones give what it does not have yet. */
export type Level = "minute" | "hour" | "day";

/** Times are milliseconds since 1970. */
export interface Window {
    /** Where a step begins, not after what was asked for. */
    readonly from: number;
    /** Not included. */
    readonly to: number;
    readonly step: number;
    readonly level: Level;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

export const steps: readonly number[] = [
    ...[minute, 5 * minute, 15 * minute],
    ...[hour, 3 * hour, 6 * hour],
    ...[day, 7 * day, 28 * day],
];

/** More points than that no chart on a screen shows, and each is a question to the bins. */
const mostPoints = 180;

/** A Monday: weeks begin with it, and all shorter steps too. */
const monday = Date.UTC(1970, 0, 5);

/** For how many milliseconds the aggregate of a level keeps its buckets; undefined: for ever. */
export type Kept = (level: Level) => number | undefined;

/** @throws TimescaleError when nothing of it is over yet */
export function chooseWindow(asked: AskedWindow, now: number, kept: Kept): Window {
    const { from, to } = boundsOf(asked, now);
    if (from >= now) {
        throw new TimescaleError("the window is in the future", {
            code: "invalid_option",
            detail: `it begins ${show(from)}, and now it is ${show(now)}`,
            hint: "give an earlier --from",
        });
    }
    const step =
        steps.find(
            (one) =>
                (to - from) / one <= mostPoints &&
                alignedTo(from, one) >= keptSince(one, now, kept),
        ) ??
        steps.at(-1) ??
        day;
    return { from: alignedTo(from, step), to: Math.min(to, now), step, level: levelOf(step) };
}

function boundsOf({ from, to, length }: AskedWindow, now: number): { from: number; to: number } {
    if (from !== undefined) {
        const begins = Date.parse(from);
        return { from: begins, to: to === undefined ? begins + length : Date.parse(to) };
    }
    const ends = to === undefined ? now : Date.parse(to);
    return { from: ends - length, to: ends };
}

export function levelOf(step: number): Level {
    return step < hour ? "minute" : step < day ? "hour" : "day";
}

export const levelAggregates = {
    minute: "llm_metrics_1min",
    hour: "llm_metrics_1hour",
    day: "llm_metrics_1day",
} as const satisfies Record<Level, string>;

/** Since when the aggregate has what a step of this length needs. Days are the last to go: nothing is finer. */
function keptSince(step: number, now: number, kept: Kept): number {
    const level = levelOf(step);
    const length = level === "day" ? undefined : kept(level);
    return length === undefined ? -Infinity : now - length;
}

function alignedTo(time: number, step: number): number {
    return monday + Math.floor((time - monday) / step) * step;
}

function show(time: number): string {
    return showTime(new Date(time).toISOString());
}

/** Where the parts end that are read from days, hours and minutes; each is not before the one before it. */
export interface Cuts {
    readonly days: number;
    readonly hours: number;
    readonly minutes: number;
}

/**
 * Cuts a window where the aggregates end.
 *
 * @param ends where the newest bucket of each ends; undefined for one without rows
 */
export function cutsOf(
    { from, to, level }: Window,
    ends: Readonly<Record<Level, number | undefined>>,
): Cuts {
    const upTo = (end: number | undefined, since: number): number =>
        Math.max(since, Math.min(to, end ?? since));
    const days = level === "day" ? upTo(ends.day, from) : from;
    const hours = level === "minute" ? days : upTo(ends.hour, days);
    return { days, hours, minutes: upTo(ends.minute, hours) };
}
