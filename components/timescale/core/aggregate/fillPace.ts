/** How much a fill takes at once, from how long it took before. No connection is touched here. */
import { type FillWindow, lengthOf } from "./fillRange";

/**
 * How long one refresh should take, in milliseconds: long enough to be worth its own cost, short enough to
 * stop after, and for a row that shows how far it is.
 */
const wanted = 2000;

/** One second to three are as wanted: what is measured varies. */
const tolerance = 0.5;

/** Milliseconds of data in the first window, when nothing is known of the speed. */
const firstLength = 6 * 3_600_000;

export interface Pace {
    /** How many units the next window takes. */
    readonly stride: number;
    /** How many one may take: about a chunk of the materialized buckets, which is ten times that of the source. */
    readonly longest: number;
    /** Milliseconds that the last windows took for one of data, the last one counting most; undefined at first. */
    readonly cost: number | undefined;
    /** Milliseconds that the last window took. */
    readonly last: number | undefined;
}

/** @param unit in milliseconds of data @param chunk of raw data, in milliseconds */
export function firstPace(unit: number, chunk: number): Pace {
    const longest = Math.max(1, Math.round((10 * chunk) / unit));
    const stride = Math.min(longest, Math.max(1, Math.round(firstLength / unit)));
    return { stride, longest, cost: undefined, last: undefined };
}

/** After a window of so many milliseconds of data has taken so many milliseconds. */
export function nextPace(pace: Pace, length: number, took: number): Pace {
    const cost = took / length;
    const smoothed = pace.cost === undefined ? cost : (pace.cost + cost) / 2;
    const off = took < wanted * (1 - tolerance) || took > wanted * (1 + tolerance);
    // One window says little of the next: twice as much at most, a quarter at least.
    const factor = off ? Math.min(2, Math.max(0.25, wanted / took)) : 1;
    const stride = Math.min(pace.longest, Math.max(1, Math.round(pace.stride * factor)));
    return { ...pace, stride, cost: smoothed, last: took };
}

/** After the server has cancelled a window for taking too long: from now on none is that long. */
export function slowerPace(pace: Pace): Pace | undefined {
    if (pace.stride <= 1) return undefined;
    const stride = Math.max(1, Math.floor(pace.stride / 4));
    return { ...pace, stride, longest: stride };
}

/**
 * The first of these units that follow one another without a gap, as one window; a gap is what is done already.
 *
 * @returns how many of them it takes, and the window; undefined when there is none
 */
export function takeWindow(
    units: readonly FillWindow[],
    stride: number,
): { readonly count: number; readonly window: FillWindow } | undefined {
    const first = units[0];
    if (first === undefined) return undefined;
    let [count, end] = [1, first.end];
    for (const unit of units.slice(1, stride)) {
        if (unit.start !== end) break;
        end = unit.end;
        count += 1;
    }
    return { count, window: { start: first.start, end } };
}

/** What of these units lies at or above this time; the one that it goes through is cut. */
export function aboveFloor(units: readonly FillWindow[], floor: string): FillWindow[] {
    return units
        .filter(({ end }) => end > floor)
        .map(({ start, end }) => ({ start: start < floor ? floor : start, end }));
}

/** How much data these cover, in milliseconds. */
export function totalLength(units: readonly FillWindow[]): number {
    return units.reduce((sum, unit) => sum + lengthOf(unit), 0);
}
