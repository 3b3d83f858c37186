/** A database that is well, for unit tests of what is told and judged of it; a test names what its sentence is about. */
import type {
    AggregateHealth,
    Health,
    HypertableHealth,
    JobHealth,
    ServerHealth,
    Storage,
} from "../../components/timescale/core/health/health";

export const now = "2026-03-10T12:00:00.000000Z";

export function job(given: Partial<JobHealth> = {}): JobHealth {
    return {
        ...{ id: 1000, procedureSchema: "_timescaledb_functions", hypertableId: 2 },
        ...{ procedure: "policy_refresh_continuous_aggregate", owner: "observatory_owner" },
        ...{ ownedByMember: true, ownerMayLogin: true, scheduled: true, timezone: null },
        config: { start_offset: "1 day", end_offset: "01:00:00", mat_hypertable_id: 2 },
        ...{ fixedSchedule: false, scheduleInterval: "00:05:00", schedule: 300, retry: 300 },
        ...{ maxRuntime: null, running: false, runningFor: null, runs: 10, successes: 10 },
        ...{ failures: 0, crashes: 0, consecutiveFailures: 0, consecutiveCrashes: 0 },
        ...{ lastRunSucceeded: true, meanRunTime: 0.1, lastRunTime: 0.1 },
        lastStart: "2026-03-10T11:57:00.000000Z",
        lastFinish: "2026-03-10T11:57:00.100000Z",
        lastSuccess: "2026-03-10T11:57:00.100000Z",
        nextStart: "2026-03-10T12:02:00.100000Z",
        error: null,
        ...given,
    };
}

export function storage(given: Partial<Storage> = {}): Storage {
    return {
        ...{ chunks: 4, compressedChunks: 0, chunksToCompress: 0, chunksToDrop: 0 },
        ...{ compression: false, bytes: 40_960, indexBytes: 16_384, compressed: null },
        ...{ bytesPerDay: 1024, chunkTimeInterval: "1 day", dropAfter: null, compressAfter: null },
        oldestChunk: "2026-03-01T00:00:00.000000Z",
        newestChunkEnd: "2026-03-11T00:00:00.000000Z",
        ...given,
    };
}

export function hourly(given: Partial<AggregateHealth> = {}): AggregateHealth {
    return {
        ...{ schema: "public", name: "hourly", id: 2, view: "intact", materializedOnly: true },
        source: { schema: "public", name: "raw", id: 1, aggregate: false },
        ...{ timeColumn: "bucket", integerTime: false, bucketWidth: "01:00:00" },
        ...{ bucketTimezone: null, products: null, marker: { filling: false }, readable: true },
        oldestBucket: "2026-03-01T00:00:00.000000Z",
        newestBucket: "2026-03-10T10:00:00.000000Z",
        refreshedTo: "2026-03-10T10:00:00.000000Z",
        pending: [{ begins: "-infinity", ends: "2026-03-01T00:00:00.000000Z" }],
        windows: [
            {
                ...{ job: 1000, scheduled: true },
                begins: "2026-03-09T12:00:00.000000Z",
                ends: "2026-03-10T11:00:00.000000Z",
            },
        ],
        ...{ floor: "2026-03-01T00:00:00.000000Z", cut: null },
        definition:
            " SELECT time_bucket('01:00:00'::interval, raw.ts) AS bucket,\n    count(*) AS n\n   FROM raw\n  GROUP BY (time_bucket('01:00:00'::interval, raw.ts));",
        ...{ rows: { rows: 228, exact: true }, storage: storage(), jobs: [job()] },
        ...given,
    };
}

export function raw(given: Partial<HypertableHealth> = {}): HypertableHealth {
    return {
        ...{ schema: "public", name: "raw", id: 1, timeColumn: "ts", integerTime: false },
        ...{ rows: { rows: 1000, exact: true }, newestRow: now, readable: true, jobs: [] },
        storage: storage(),
        ...given,
    };
}

export function server(given: Partial<ServerHealth> = {}): ServerHealth {
    return {
        ...{ now, clockAhead: 0.01, postgresVersion: 150018, timescaleVersion: "2.14.2" },
        ...{ license: "timescale", embedded: false, replica: false, database: "observatory" },
        ...{ databaseBytes: 10_000_000, login: "observatory_owner", superuser: false },
        ...{ scheduler: true, jobsRunSince: null, dataDirectory: null },
        workers: {
            ...{ demand: 0.1, jobs: 1, maxBackgroundWorkers: 16, maxWorkerProcesses: 24 },
            ...{ otherSchedulers: 0, otherWorkers: 0 },
        },
        ...given,
    };
}

/** Jobs of its objects are the database's. */
export function health(given: Partial<Health> = {}): Health {
    const { aggregates = [hourly()], versions = [], hypertables = [raw()], orphans = [] } = given;
    return {
        ...{ server: server(), aggregates, versions, hypertables, orphans },
        jobs: [...aggregates, ...versions, ...hypertables].flatMap(({ jobs }) => jobs),
        ...given,
    };
}
