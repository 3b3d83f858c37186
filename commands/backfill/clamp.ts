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

/**
 * @param wholeFrom below it raw data is gone in part
 * @param now in milliseconds since the epoch
 */
export function clamps(
    { from, to }: Asked,
    range: FillRange,
    wholeFrom: string | undefined,
    now: number,
): Clamp[] {
    const found: Clamp[] = [];
    if (from !== undefined && from < range.lower) {
        found.push({
            ...{ bound: "from", asked: from, taken: range.lower },
            reason: lowerReason(from, range, wholeFrom),
        });
    }
    if (to !== undefined && to > range.upper) {
        const late = Date.parse(to) >= now || Date.parse(range.upper) + bucketLength(range) > now;
        found.push({
            ...{ bound: "to", asked: to, taken: range.upper },
            reason: late
                ? "later buckets are not over yet"
                : `a bucket is ${range.width} long, and only whole ones are computed`,
        });
    }
    return found;
}

function lowerReason(from: string, range: FillRange, wholeFrom: string | undefined): string {
    const whole = wholeFrom !== undefined && wholeFrom > range.rawFrom ? wholeFrom : range.rawFrom;
    if (from >= whole) return `a bucket is ${range.width} long, and only whole ones are computed`;
    return `raw data is whole from ${showTime(whole)} on: computing older buckets again would delete history`;
}

/** Only good enough to tell why a range ends; months count as none. */
function bucketLength({ width }: FillRange): number {
    const [, days = "0", time = "0:0:0"] = /^(?:(\d+) days?)? ?(\d+:\d+:[\d.]+)?$/.exec(width) ?? [];
    const [hours = 0, minutes = 0, seconds = 0] = time.split(":").map(Number);
    return ((Number(days) * 24 + hours) * 3600 + minutes * 60 + seconds) * 1000;
}

/** Such as `--from 2026-01-01 00:00 UTC becomes 2026-08-24 00:00 UTC: raw data is whole from …`. */
export function describeClamp({ bound, asked, taken, reason }: Clamp): string {
    return `--${bound} ${showTime(asked)} becomes ${showTime(taken)}: ${reason}`;
}
