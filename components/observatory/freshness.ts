/** How far behind an aggregate may be, from its declared policies. */
import { describeLength, lengthOf, parseInterval } from "../timescale/core/interval";
import { bucketWidth } from "../timescale/core/query";
import type { Declaration } from "./aggregates";

/**
 * The longest time between now and the end of the newest bucket, such as "2 hours and 5 minutes": a
 * refresh takes whole buckets up to `endOffset` ago, and the next one comes after `scheduleInterval`.
 * The time that it runs comes on top.
 */
export function behind(declaration: Pick<Declaration, "refreshPolicy">, query: string): string {
    return describeLength(worstAge(declaration, query));
}

/** The same in microseconds. */
export function worstAge(declaration: Pick<Declaration, "refreshPolicy">, query: string): number {
    const { endOffset, scheduleInterval } = declaration.refreshPolicy;
    const width = bucketWidth(query);
    return (
        length(endOffset ?? "0 seconds") +
        length(scheduleInterval) +
        (width === undefined ? 0 : lengthOf(width))
    );
}

function length(interval: string): number {
    const parsed = parseInterval(interval);
    return parsed === undefined ? 0 : lengthOf(parsed);
}
