/** How far behind an aggregate may be, from its declared policies. */
import { worstAge } from "../timescale/core/aggregate/worstAge";
import { describeLength, lengthOf } from "../timescale/core/interval";
import { bucketWidth } from "../timescale/core/query";
import type { Declaration } from "./aggregates";

/** The longest time between now and the end of the newest bucket, such as "2 hours and 5 minutes". */
export function behind(declaration: Pick<Declaration, "refreshPolicy">, query: string): string {
    const width = bucketWidth(query);
    return describeLength(
        worstAge(declaration.refreshPolicy, width === undefined ? 0 : lengthOf(width)),
    );
}
