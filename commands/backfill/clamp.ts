/** What a backfill narrows of the range that was asked for, and why. */
import type { FillRange } from "../../components/timescale/core/aggregate/fillRange";
import { showTime } from "./times";

export interface Asked {
    readonly from: string | undefined;
    readonly to: string | undefined;
}

export interface Clamp {
    readonly bound: "from" | "to";
    readonly asked: string;
    readonly taken: string;
    readonly reason: string;
}

/** @param wholeFrom below it raw data is gone in part */
export function clamps(
    { from, to }: Asked,
    range: FillRange,
    wholeFrom: string | undefined,
): Clamp[] {
    const found: Clamp[] = [];
    if (from !== undefined && from < range.lower) {
        found.push({
            ...{ bound: "from", asked: from, taken: range.lower },
            reason: lowerReason(from, range, wholeFrom),
        });
    }
    if (to !== undefined && to > range.upper) {
        found.push({
            ...{ bound: "to", asked: to, taken: range.upper },
            reason: to > range.present ? "later buckets are not over yet" : wholeBuckets(range),
        });
    }
    return found;
}

function lowerReason(from: string, range: FillRange, wholeFrom: string | undefined): string {
    const whole = wholeFrom !== undefined && wholeFrom > range.rawFrom ? wholeFrom : range.rawFrom;
    if (from >= whole) return wholeBuckets(range);
    return `raw data is whole from ${showTime(whole)} on: computing older buckets again would delete history`;
}

function wholeBuckets({ width }: FillRange): string {
    return `a bucket is ${width} long, and only whole ones are computed`;
}

/** Such as `--from 2026-01-01 00:00 UTC becomes 2026-08-24 00:00 UTC: raw data is whole from …`. */
export function describeClamp({ bound, asked, taken, reason }: Clamp): string {
    return `--${bound} ${showTime(asked)} becomes ${showTime(taken)}: ${reason}`;
}
