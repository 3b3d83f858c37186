/**
 * How a database with continuous aggregates is doing, as one value: what status prints, doctor judges and
 * reports show. Times are literals in UTC (`2026-08-24T00:00:00.000000Z`), lengths are in seconds, sizes in bytes.
 */
import type { PendingRange } from "../aggregate/pending";
import type { QualifiedName } from "../identifier";
import type { Marker } from "../memory/marker";
import type { WorkerFacts } from "../rules/inspect";

export interface Health {
    readonly server: ServerHealth;
    /** In order of their names, without versions that stand beside another aggregate. */
    readonly aggregates: readonly AggregateHealth[];
    /** What stands beside an aggregate: replaced by a changed query, being built, or kept when it was given up. */
    readonly versions: readonly AggregateHealth[];
    /** Those that are no aggregate's. */
    readonly hypertables: readonly HypertableHealth[];
    /** All but TimescaleDB's own, in order of their numbers. */
    readonly jobs: readonly JobHealth[];
    /** Materialization hypertables that belong to no aggregate. */
    readonly orphans: readonly HypertableHealth[];
}

export interface ServerHealth {
    /** By the server's clock. */
    readonly now: string;
    /** How far the server's clock is ahead of this machine's; negative: behind. Exact to the time of a round trip. */
    readonly clockAhead: number;
    /** Such as 150018. */
    readonly postgresVersion: number;
    readonly timescaleVersion: string;
    /** `timescale` or `apache`. */
    readonly license: string | null;
    readonly embedded: boolean;
    readonly replica: boolean;
    readonly database: string;
    readonly databaseBytes: number;
    readonly login: string;
    readonly superuser: boolean;
    /** Whether TimescaleDB's scheduler of this database runs; on the embedded server, whether `npm run serve` does its work. */
    readonly scheduler: boolean;
    /** Since when that is so; null: not known, as on a server. */
    readonly jobsRunSince: string | null;
    /** Null where the login may not know it. */
    readonly dataDirectory: string | null;
    readonly workers: WorkerFacts;
}

export interface AggregateHealth extends QualifiedName {
    /** Materialization hypertable id. */
    readonly id: number;
    readonly source: QualifiedName & { readonly id: number; readonly aggregate: boolean };
    /** What became of the view that TimescaleDB made, see ViewState. */
    readonly view: "intact" | "replaced" | "missing";
    readonly materializedOnly: boolean;
    /** Column of the bucket. */
    readonly timeColumn: string;
    /** Whether its time is a number: then nothing here that is a time is known. */
    readonly integerTime: boolean;
    /** As the server prints it; null where its time is a number. */
    readonly bucketWidth: string | null;
    readonly bucketTimezone: string | null;
    /** Null where the login may not read it, or there is none. */
    readonly oldestBucket: string | null;
    /** By the watermark; null: there is none. */
    readonly newestBucket: string | null;
    /** Up to where refreshes have come, buckets without rows included; null: nothing was refreshed yet. */
    readonly refreshedTo: string | null;
    /** What changed behind that since it was computed, or never was; may begin with `-infinity`. */
    readonly pending: readonly PendingRange[];
    /** What its refresh policies would compute now. */
    readonly windows: readonly RefreshWindow[];
    /** From when on its source is whole; null where the source holds nothing. */
    readonly floor: string | null;
    /** What its source held before this time was dropped; null where nothing is known to have been. */
    readonly cut: string | null;
    /** The query in the server's words. */
    readonly definition: string;
    /** The query's stored tree, where it multiplies integers. */
    readonly products: string | null;
    readonly marker: Marker;
    readonly rows: Count | null;
    readonly storage: Storage;
    /** Whether the login may read its buckets. */
    readonly readable: boolean;
    readonly jobs: readonly JobHealth[];
}

/** Whole buckets; null bounds: as far as there is data. */
export interface RefreshWindow {
    readonly job: number;
    readonly scheduled: boolean;
    readonly begins: string | null;
    readonly ends: string | null;
}

export interface HypertableHealth extends QualifiedName {
    readonly id: number;
    readonly timeColumn: string;
    readonly integerTime: boolean;
    readonly rows: Count | null;
    /** Null where the login may not read it, or there is none. */
    readonly newestRow: string | null;
    readonly storage: Storage;
    readonly readable: boolean;
    readonly jobs: readonly JobHealth[];
}

/** Rows; `exact` were counted, others are as the server's statistics have them. */
export interface Count {
    readonly rows: number;
    readonly exact: boolean;
}

export interface Storage {
    readonly chunks: number;
    readonly compressedChunks: number;
    /** Old enough for the compression policy, and not compressed yet. */
    readonly chunksToCompress: number;
    /** Old enough for the retention policy, and not dropped yet. */
    readonly chunksToDrop: number;
    /** Whether compression is on. */
    readonly compression: boolean;
    /** Indexes and compressed chunks included. */
    readonly bytes: number;
    readonly indexBytes: number;
    /** Of the compressed chunks, before and after; null while there are none. */
    readonly compressed: { readonly before: number; readonly after: number } | null;
    /** By the latest chunks that are over; null while there are none. */
    readonly bytesPerDay: number | null;
    /** Where the oldest chunk begins and the newest ends; null while there is none. */
    readonly oldestChunk: string | null;
    readonly newestChunkEnd: string | null;
    readonly chunkTimeInterval: string | null;
    readonly dropAfter: string | null;
    readonly compressAfter: string | null;
}

export interface JobHealth {
    readonly id: number;
    readonly procedureSchema: string;
    /** Such as `policy_retention`; jobs that people added run their own procedures. */
    readonly procedure: string;
    /** Of an aggregate, its materialization hypertable. */
    readonly hypertableId: number | null;
    readonly owner: string;
    /** Whether the login may act for the owner; else TimescaleDB shows it no failure. */
    readonly ownedByMember: boolean;
    readonly ownerMayLogin: boolean;
    readonly scheduled: boolean;
    readonly config: Readonly<Record<string, unknown>> | null;
    readonly timezone: string | null;
    readonly fixedSchedule: boolean;
    /** As the server prints it. */
    readonly scheduleInterval: string;
    readonly schedule: number;
    readonly retry: number;
    /** Null: it may run for ever. */
    readonly maxRuntime: number | null;
    readonly running: boolean;
    /** For how long it has been running. */
    readonly runningFor: number | null;
    readonly runs: number;
    readonly successes: number;
    readonly failures: number;
    /** Runs that ended without a word, as when a worker was killed or could not start. */
    readonly crashes: number;
    readonly consecutiveFailures: number;
    readonly consecutiveCrashes: number;
    /** Null: it has not run, or is running. */
    readonly lastRunSucceeded: boolean | null;
    readonly meanRunTime: number | null;
    readonly lastRunTime: number | null;
    readonly lastStart: string | null;
    readonly lastFinish: string | null;
    readonly lastSuccess: string | null;
    readonly nextStart: string | null;
    /** The last failure that left a word and that the login may see. */
    readonly error: {
        readonly code: string | null;
        readonly message: string;
        readonly at: string;
    } | null;
}
