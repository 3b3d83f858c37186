/** The statement that has the server compute the buckets of a window. */
import { escapeLiteral, type QualifiedName, quoteQualified } from "../identifier";

/**
 * One CALL, to be sent by itself: the procedure commits in the middle.
 *
 * @param extensionSchema where TimescaleDB's functions are
 * @param from - SQL, inclusive; `NULL`: from the beginning
 * @param to - SQL, exclusive; `NULL`: up to the newest data
 */
export function refreshCall(
    extensionSchema: string,
    aggregate: QualifiedName,
    from: string,
    to: string,
): string {
    const procedure = quoteQualified({
        schema: extensionSchema,
        name: "refresh_continuous_aggregate",
    });
    return `CALL ${procedure}(${escapeLiteral(quoteQualified(aggregate))}::regclass, ${from}, ${to})`;
}
