/** Rows of the health queries, and what is made of them. */
import type { QualifiedName } from "../identifier";
import type { JobHealth, RefreshWindow, ServerHealth, Storage } from "./health";

export type ServerRow = Omit<
    ServerHealth,
    "clockAhead" | "timescaleVersion" | "embedded" | "replica" | "workers"
>;

export interface AggregateRow extends QualifiedName {
    readonly id: number;
    readonly sourceId: number;
    readonly sourceSchema: string;
    readonly sourceName: string;
    readonly overAggregate: boolean;
    readonly view: "intact" | "replaced" | "missing";
    readonly materializedOnly: boolean;
    readonly timeColumn: string;
    readonly integerTime: boolean;
    readonly bucketWidth: string | null;
    readonly bucketTimezone: string | null;
    readonly newestBucket: string | null;
    readonly windows: readonly RefreshWindow[];
    readonly definition: string;
    readonly products: string | null;
    readonly marker: string | null;
}

export interface HypertableRow extends QualifiedName {
    readonly id: number;
    readonly timeColumn: string;
    readonly integerTime: boolean;
    readonly raw: boolean;
    readonly chunkTimeInterval: string | null;
    readonly dropAfter: string | null;
    readonly compressAfter: string | null;
    readonly compressionEnabled: boolean;
    readonly chunks: number;
    readonly compressedChunks: number;
    readonly chunksToCompress: number;
    readonly chunksToDrop: number;
    readonly bytes: number;
    readonly indexBytes: number;
    readonly bytesBeforeCompression: number | null;
    readonly bytesAfterCompression: number | null;
    readonly bytesPerDay: number | null;
    readonly rows: number | null;
    readonly oldestChunk: string | null;
    readonly newestChunkEnd: string | null;
    readonly oldestRelation: string | null;
    readonly newestRelation: string | null;
    readonly readable: boolean;
}

export interface JobRow extends Omit<JobHealth, "error" | "running" | "runningFor"> {
    /** Whether one of the server's processes has the job's number. */
    readonly worker: boolean;
    /** Whether a run has begun, has not ended, and is not known to have crashed. */
    readonly begun: boolean;
    readonly sinceStart: number | null;
    readonly errorCode: string | null;
    readonly errorMessage: string | null;
    readonly errorAt: string | null;
}

export function storageOf(row: HypertableRow): Storage {
    const { bytesBeforeCompression: before, bytesAfterCompression: after } = row;
    return {
        chunks: row.chunks,
        compressedChunks: row.compressedChunks,
        chunksToCompress: row.chunksToCompress,
        chunksToDrop: row.chunksToDrop,
        compression: row.compressionEnabled,
        bytes: row.bytes,
        indexBytes: row.indexBytes,
        compressed: before === null || after === null ? null : { before, after },
        bytesPerDay: row.bytesPerDay,
        oldestChunk: row.oldestChunk,
        newestChunkEnd: row.newestChunkEnd,
        chunkTimeInterval: row.chunkTimeInterval,
        dropAfter: row.dropAfter,
        compressAfter: row.compressAfter,
    };
}

/**
 * A run that has begun is counted among the failed and crashed ones until it ends: that it does not count is told by
 * the counts themselves. Its worker appears a moment later than they say so, and is gone a moment earlier than a
 * snapshot knows.
 *
 * @param scheduler whether the scheduler is there, without which what has begun does not end
 */
export function jobOf(row: JobRow, scheduler: boolean): JobHealth {
    const { errorCode, errorMessage, errorAt, worker, begun, sinceStart, ...job } = row;
    const running = worker || (begun && scheduler);
    const counted = Number(begun);
    return {
        ...job,
        running,
        // A worker that came later than the snapshot belongs to a run that this does not know yet.
        runningFor: running && begun ? sinceStart : null,
        crashes: Math.max(0, job.crashes - counted),
        consecutiveCrashes: Math.max(0, job.consecutiveCrashes - counted),
        lastRunSucceeded: begun ? null : job.lastRunSucceeded,
        error:
            errorMessage === null || errorAt === null
                ? null
                : { code: errorCode, message: errorMessage, at: errorAt },
    };
}
