/** From when on buckets may be computed again: below it raw data is gone in part, and a refresh would delete history. */
import type { Queryable } from "../connection/session";
import { utcText } from "./bucket";
import { rawFloor } from "./floor";
import { historyAtStake } from "./history";
import type { ActualAggregate } from "./inspect";

/** A literal in UTC; undefined where there is no raw data. Run in a session whose time zone is UTC. */
export async function wholeFrom(
    client: Queryable,
    actual: ActualAggregate,
): Promise<string | undefined> {
    const keptFrom = (await rawFloor(client, actual.sourceId)) ?? undefined;
    const { newest } = await historyAtStake(client, actual);
    if (keptFrom === undefined || newest === null) return keptFrom;
    // The bucket after the newest of which raw data is gone.
    const { rows: after } = await client.query<{ begins: string }>(
        `SELECT ${utcText("($1::timestamptz + $2::interval)")} AS begins`,
        [newest, actual.bucketWidth ?? "0"],
    );
    const begins = after[0]?.begins ?? keptFrom;
    return begins > keptFrom ? begins : keptFrom;
}
