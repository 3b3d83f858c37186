/** How far behind an aggregate may be, from its declared policies. */
import { worstAge as worstAgeOf } from "../timescale/core/aggregate/worstAge";
import { describeLength, lengthOf } from "../timescale/core/interval";
import { bucketWidth } from "../timescale/core/query/query";
import type { Declaration } from "./declaration";

/** The longest time between now and the end of the newest bucket, such as "2 hours and 5 minutes". */
export function behind(declaration: Pick<Declaration, "refreshPolicy">, query: string): string {
    return describeLength(worstAge(declaration, query));
}

/** The same in microseconds. */
export function worstAge(declaration: Pick<Declaration, "refreshPolicy">, query: string): number {
    const width = bucketWidth(query);
    return worstAgeOf(declaration.refreshPolicy, width === undefined ? 0 : lengthOf(width));
}
