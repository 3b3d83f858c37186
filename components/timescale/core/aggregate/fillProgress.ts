/** How far a fill is, in words for a resource's row. */
import type { FillWindow } from "./fillRange";

export interface FillProgress {
    /** All that is to be filled, with what is done. */
    readonly range: FillWindow;
    /** Milliseconds of data that are done, of all. */
    readonly done: number;
    readonly total: number;
    /** Milliseconds that the last window took; undefined before the first. */
    readonly window: number | undefined;
    /** Milliseconds that the rest will take, as far as is known. */
    readonly left: number | undefined;
}

const hour = 3_600_000;
const day = 24 * hour;

/** Such as `filling: 2026-08-24 … 2026-11-25, 34 of 91 days, 1.2 s a window, about 20 s left`. */
export function describeProgress({ range, done, total, window, left }: FillProgress): string {
    const unit = total >= 3 * day ? day : hour;
    // Never all of it before it is.
    const filled = done < total ? Math.floor(done / unit) : Math.ceil(total / unit);
    const words = unit === day ? "days" : "hours";
    return [
        `filling: ${shortTime(range.start, unit)} … ${shortTime(range.end, unit)}`,
        `${filled} of ${Math.ceil(total / unit)} ${words}`,
        ...(window === undefined ? [] : [`${seconds(window)} a window`]),
        ...(left === undefined || done >= total ? [] : [`about ${roughly(left)} left`]),
    ].join(", ");
}

/** A day, and where hours matter the minute as well. */
function shortTime(literal: string, unit: number): string {
    return unit === day ? literal.slice(0, 10) : literal.slice(0, 16).replace("T", " ");
}

function seconds(milliseconds: number): string {
    const value = milliseconds / 1000;
    return value < 10 ? `${Math.max(0.1, value).toFixed(1)} s` : `${Math.round(value)} s`;
}

/** In the largest unit that says enough. */
function roughly(milliseconds: number): string {
    const value = milliseconds / 1000;
    if (value < 90) return `${Math.max(1, Math.round(value))} s`;
    if (value < 90 * 60) return `${Math.round(value / 60)} min`;
    return `${Math.round(value / 3600)} h`;
}
