/** A lock that a statement takes, and what the statement works on. */

/** PostgreSQL's lock modes, as `pg_locks` has them, the weakest first. */
export const lockModes = [
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
] as const;

export type LockMode = (typeof lockModes)[number];

export interface Lock {
    readonly mode: LockMode;
    /**
     * Qualified names. `buckets of public.x` is the materialization table of the aggregate public.x,
     * which readers of the aggregate read and refreshes write.
     */
    readonly on: readonly string[];
    /** Whether the chunks of these are locked as well; an index that is built chunk by chunk takes one at a time. */
    readonly chunks: boolean;
}

/** Where the statements of one plan take their locks. */
export interface Places {
    readonly kind: "aggregate" | "hypertable" | "view" | "function";
    /** The object by the name that it is to have. */
    readonly object: string;
    /** By the name that it has before the plan runs; null: nothing stands, and nobody can wait for it. */
    readonly standing: string | null;
    /** What an aggregate reads; an aggregate below it: its buckets. Undefined where it is not known. */
    readonly source?: string | undefined;
}
