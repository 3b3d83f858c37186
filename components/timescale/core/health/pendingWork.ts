/** What of an aggregate's pending ranges a policy will compute, and what none ever will. Pure. */
import type { PendingRange } from "../aggregate/pending";
import { lengthIn } from "../rules/windows";
import type { AggregateHealth } from "./health";
import { secondsBetween } from "./lag";

export interface PendingWork {
    readonly reachable: readonly PendingRange[];
    /** Older than the refresh window, and still in raw data. */
    readonly unreachable: readonly PendingRange[];
}

type Pending = Pick<AggregateHealth, "pending" | "windows" | "floor" | "cut" | "bucketWidth">;

/** Without what raw data no longer has. Without a policy nothing is reachable. */
export function pendingWork(aggregate: Pending): PendingWork {
    const { floor, windows } = aggregate;
    if (floor === null) return { reachable: [], unreachable: [] };
    const from = windows.some(({ begins }) => begins === null)
        ? "-infinity"
        : (windows.map(({ begins }) => begins ?? "").sort()[0] ?? "infinity");
    const found = { reachable: [] as PendingRange[], unreachable: [] as PendingRange[] };
    for (const range of aggregate.pending) {
        if (ofCutBucket(aggregate, floor, range)) continue;
        const whole = clip(range, floor, "infinity");
        const [old, recent] = [clip(whole, "-infinity", from), clip(whole, from, "infinity")];
        if (before(old.begins, old.ends)) found.unreachable.push(old);
        if (before(recent.begins, recent.ends)) found.reachable.push(recent);
    }
    return found;
}

/**
 * The first bucket after what was dropped: the drop itself is logged up to its edge, which that bucket begins with, and
 * one that the edge goes through cannot be computed any more.
 */
function ofCutBucket(
    { cut, bucketWidth }: Pending,
    floor: string,
    { begins, ends }: PendingRange,
): boolean {
    const width = (lengthIn(bucketWidth) ?? 0) / 1_000_000;
    if (ends === "infinity" || secondsBetween(floor, ends) > width) return false;
    if (cut !== null) return true;
    // Where raw data begins inside a bucket, a fill begins with the next one.
    return before(begins, floor) && secondsBetween(floor, ends) < width;
}

function clip({ begins, ends }: PendingRange, from: string, to: string): PendingRange {
    return {
        begins: before(begins, from) ? from : begins,
        ends: before(to, ends) ? to : ends,
    };
}

function before(one: string, other: string): boolean {
    return rank(one) < rank(other) || (rank(one) === rank(other) && one < other);
}

function rank(time: string): number {
    return time === "-infinity" ? -1 : time === "infinity" ? 1 : 0;
}

/** Days of history that raw data no longer has; null where it is not known. */
export function daysOfHistory({
    oldestBucket,
    newestBucket,
    cut,
}: Pick<AggregateHealth, "oldestBucket" | "newestBucket" | "cut">): number | null {
    if (newestBucket === null || cut === null) return 0;
    if (oldestBucket === null) return null;
    return Math.max(0, secondsBetween(oldestBucket, cut) / 86_400);
}
