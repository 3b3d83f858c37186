/** What dropping an object would take, read beforehand and not taken, so that people see it in a review. */
import type { HistoryAtStake } from "../aggregate/history";
import type { Queryable } from "../connection/session";
import type { TimescaleError } from "../errors";
import type { QualifiedName } from "../identifier";
import type { Held } from "./held";
import type { Reader } from "./removal";

export interface Leaving {
    readonly databaseUuid: string;
    readonly held: Held;
    /** While they stand, it is not dropped. */
    readonly readers: readonly Reader[];
    /** Of an aggregate. */
    readonly buckets?: LeavingBuckets;
}

export interface LeavingBuckets {
    /** What they are computed from. */
    readonly source: QualifiedName;
    /** What raw data no longer has. */
    readonly history: readonly LeavingHistory[];
    /** Of those, what is not covered by `acceptLoss`. */
    readonly refusals: readonly TimescaleError[];
    /** Why the history is not known; undefined where it is. */
    readonly notCounted?: string;
}

export interface LeavingHistory {
    /** Name of a version that the aggregate has replaced; undefined: its own. */
    readonly version?: string;
    readonly stake: HistoryAtStake;
}

/** Nobody waits for a count; in milliseconds, for each statement. */
export async function boundStatements(client: Queryable, patience: number): Promise<void> {
    await client.query("SELECT set_config('statement_timeout', $1, true)", [String(patience)]);
}
