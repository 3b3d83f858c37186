/** Every catalog query runs on every server, and gives the columns that the code reads from it. */
import { readdirSync } from "node:fs";
import path from "node:path";

import {
    type ActualAggregate,
    inspectAggregate,
} from "../../components/timescale/core/aggregate/inspect";
import { inspectServer, type ServerState } from "../../components/timescale/core/connection/server";
import { inTransaction } from "../../components/timescale/core/connection/session";
import {
    type ActualHypertable,
    inspectHypertable,
} from "../../components/timescale/core/hypertable/inspect";
import type { ActualJob } from "../../components/timescale/core/policies/policy";
import { readSql } from "../../components/timescale/core/sqlFile";
import { aggregate, hypertable } from "./declared";
import { hourly, plainNames, rawTable } from "./names";
import { onEveryServer } from "./onEveryServer";

interface Query {
    /** SQL expressions for its parameters. */
    readonly parameters: readonly string[];
    readonly columns: readonly string[];
    /** How many rows it gives here. */
    readonly rows?: number;
}

const materialization = "(SELECT mat_hypertable_id FROM _timescaledb_catalog.continuous_agg)::text";
const source = "(SELECT raw_hypertable_id FROM _timescaledb_catalog.continuous_agg)::text";

const healthColumns = {
    aggregates: [
        ...["schema", "name", "id", "sourceId", "sourceSchema", "sourceName", "overAggregate"],
        ...["view", "materializedOnly", "timeColumn", "integerTime", "bucketWidth"],
        ...["bucketTimezone", "newestEnd", "newestBucket", "windows", "definition", "products"],
        "marker",
    ],
    hypertables: [
        ...["id", "schema", "name", "timeColumn", "integerTime", "raw", "chunkTimeInterval"],
        ...["dropAfter", "compressAfter", "compressionEnabled", "chunks", "compressedChunks"],
        ...["chunksToCompress", "chunksToDrop", "bytes", "indexBytes"],
        ...["bytesBeforeCompression", "bytesAfterCompression", "bytesPerDay", "rows"],
        ...["oldestChunk", "newestChunkEnd", "oldestRelation", "newestRelation", "readable"],
    ],
    jobs: [
        ...["id", "procedureSchema", "procedure", "hypertableId", "owner", "ownedByMember"],
        ...["ownerMayLogin", "scheduled", "config", "timezone", "fixedSchedule"],
        ...["scheduleInterval", "schedule", "retry", "maxRuntime", "worker", "begun", "runs"],
        ...["successes", "failures", "crashes", "consecutiveFailures", "consecutiveCrashes"],
        ...["lastRunSucceeded", "meanRunTime", "lastRunTime", "sinceStart", "lastStart"],
        ...["lastFinish", "lastSuccess", "nextStart", "errorCode", "errorMessage", "errorAt"],
    ],
    server: [
        ...["now", "postgresVersion", "license", "login", "database", "superuser"],
        ...["databaseBytes", "scheduler", "jobsRunSince", "dataDirectory"],
    ],
};

const serverColumns: readonly (keyof ServerState)[] = [
    "postgresVersion",
    "timescaleVersion",
    "extensionSchema",
    "license",
    "restoring",
    "replica",
    "embedded",
];

/** By file; a new file needs an entry. */
const queries: Readonly<Record<string, Query>> = {
    "aggregate_tree.sql": {
        parameters: ["'public'", "'requests_hourly'"],
        columns: ["schema", "name"],
        rows: 1,
    },
    "aggregate_versions.sql": {
        parameters: ["'public'", "'requests_hourly'", "'x'", "'y'"],
        columns: ["schema", "name", "marker"],
        rows: 1,
    },
    "backup_columns.sql": {
        parameters: ["'public.requests'"],
        columns: ["columns", "postgresVersion", "timescaleVersion"],
        rows: 1,
    },
    "cancel_jobs.sql": { parameters: ["'{2}'::int[]"], columns: ["pg_cancel_backend"], rows: 0 },
    "continuous_aggregate.sql": {
        parameters: ["'public'", "'requests_hourly'", "null"],
        columns: [
            ...["viewSchema", "viewName", "finalized", "materializationId"],
            ...["materializationSchema", "materializationTable", "definition", "intact"],
            ...["strayViews", "materializedOnly", "bucketWidth", "bucketTimezone", "timeColumn"],
            ...["timeType", "chunkTimeInterval", "defaultChunkTimeInterval", "sourceSchema"],
            ...["sourceName", "sourceId", "groupColumns", "columns", "marker", "guard"],
        ],
        rows: 1,
    },
    "databases.sql": { parameters: [], columns: ["name"] },
    "dependants.sql": {
        parameters: ["'public.requests_hourly'"],
        columns: ["kind", "schema", "name"],
    },
    "extent.sql": {
        parameters: [materialization, "'{}'", "'true'", "null"],
        columns: ["schema", "name", "aggregate", "chunks", "begins", "ends", "bytes", "rows"],
        rows: 1,
    },
    "extension_version.sql": {
        parameters: ["null"],
        columns: ["database", "installed", "wanted", "offered", "reachable", "superuser"],
        rows: 1,
    },
    "fill_guard.sql": { parameters: [materialization], columns: ["rawFrom", "jobs"], rows: 1 },
    "fill_range.sql": {
        parameters: [materialization, "'1 day'", "'false'", "null", "null"],
        columns: ["lower", "upper", "rawFrom", "present", "width", "timezone", "unit", "chunk"],
        rows: 1,
    },
    "fill_windows.sql": {
        parameters: [
            ...[materialization, "'2026-03-01 00:00Z'", "'2026-03-01 06:00Z'", "'2 hours'"],
            ...["'1 hour'", "null"],
        ],
        columns: ["start", "end", "pendingFrom", "pendingTo"],
        rows: 3,
    },
    "function.sql": {
        parameters: ["'public'", "'counted'", "null", "'observatory_owner'"],
        columns: [
            ...["databaseUuid", "schemas", "oid", "schema", "name", "kind", "argumentTypes"],
            ...["identityArguments", "types", "arguments", "result", "language", "body", "atomic"],
            ...["definition", "attributes", "settings", "owner", "comment", "extension"],
            ...["mayGiveAway", "grants"],
        ],
        rows: 1,
    },
    "health_aggregates.sql": { parameters: [], columns: healthColumns.aggregates, rows: 1 },
    "health_hypertables.sql": { parameters: [], columns: healthColumns.hypertables, rows: 2 },
    "health_jobs.sql": { parameters: [], columns: healthColumns.jobs, rows: 5 },
    "health_server.sql": { parameters: [], columns: healthColumns.server, rows: 1 },
    "hypertable.sql": {
        parameters: ["'public'", "'requests'", "null"],
        columns: ["schema", "name", "hypertableId", "timeColumn", "chunkTimeInterval"],
        rows: 1,
    },
    "hypertable_parts.sql": {
        parameters: [materialization],
        columns: ["indexes", "compressed", "compressedChunks", "chunks", "compression", "jobs"],
        rows: 1,
    },
    "hypertable_size.sql": {
        parameters: [source],
        columns: ["rows", "size", "chunks", "oldest", "newest"],
        rows: 1,
    },
    "hypertable_name.sql": { parameters: [source], columns: ["schema", "name"], rows: 1 },
    "identity.sql": { parameters: [], columns: ["databaseUuid"], rows: 1 },
    "kept_aggregate.sql": {
        parameters: ["(SELECT 'pulumi-timescale: kept x')"],
        columns: ["schema", "name"],
    },
    "floor.sql": { parameters: [`ARRAY[${source}]`], columns: ["id", "floor", "cut"], rows: 1 },
    "group_columns.sql": { parameters: ["'reads'"], columns: ["columns"], rows: 1 },
    "pending_ranges.sql": {
        parameters: [`ARRAY[${materialization}]`],
        columns: ["id", "begins", "ends"],
    },
    "readers.sql": {
        parameters: ["'public.requests_hourly'"],
        columns: [
            ...["kind", "schema", "name", "title", "definition", "options", "owner", "member"],
            "columns",
        ],
        rows: 2,
    },
    "version_edges.sql": { parameters: [materialization], columns: ["edge"] },
    "normalised_columns.sql": {
        parameters: ["'public.requests'"],
        columns: ["columns", "predicates"],
    },
    "normalised_query.sql": {
        parameters: ["'public.reads'"],
        columns: ["definition", "columns", "mutableFunctions", "products"],
    },
    "object_dependants.sql": {
        parameters: ["'pg_class'", "'public.requests_hourly'::regclass::oid::text"],
        columns: ["kind", "identity"],
        rows: 2,
    },
    "raw_chunk_ids.sql": { parameters: [source], columns: ["ids"], rows: 1 },
    "restore_target.sql": {
        parameters: ["'public.requests_hourly'"],
        columns: ["kind", "comment"],
        rows: 1,
    },
    "raw_chunks.sql": { parameters: [source], columns: ["schema", "name", "begins", "ends"] },
    "relation.sql": {
        parameters: ["'public'", "'requests'"],
        columns: [
            ...["databaseUuid", "superuser", "oid", "kind", "owner", "comment", "options"],
            ...["grants", "columns"],
        ],
        rows: 1,
    },
    "rule_facts.sql": {
        parameters: [materialization, "'{}'", "true", "'1 day'", "'1 hour'", "true"],
        columns: ["source", "run", "compressed", "decompressionLimit", "workers", "products"],
        rows: 1,
    },
    "rule_readers.sql": {
        parameters: [source],
        columns: ["schema", "name", "startOffset"],
        rows: 1,
    },
    "server.sql": {
        parameters: [],
        columns: serverColumns,
    },
    "volatile_functions.sql": {
        parameters: ["ARRAY['random', 'now', 'lower']"],
        columns: ["name"],
        rows: 1,
    },
    "view.sql": {
        parameters: ["'public'", "'reads'", "null", "'observatory_owner'"],
        columns: [
            ...["oid", "schema", "name", "definition", "aggregate", "extension", "attached"],
            "mayGiveAway",
        ],
        rows: 1,
    },
};

const jobFields = [
    ...["id", "procedure", "owner", "config", "scheduleInterval", "initialStart", "fixedSchedule"],
    ...["timezone", "scheduled", "maxRuntime", "maxRetries", "retryPeriod", "ownedByMember"],
] as readonly (keyof ActualJob)[];

/** Paths of the values that are missing: a column that this version does not have comes as undefined. */
function missing(value: unknown, at = ""): string[] {
    if (value === undefined) return [at];
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([key, inner]) => missing(inner, `${at}.${key}`));
}

it("has an entry for every catalog query", () => {
    const files = readdirSync(path.join(__dirname, "..", "..", "sql", "catalog"));

    expect(files.sort()).toEqual(Object.keys(queries).sort());
});

onEveryServer((target) => {
    beforeAll(async () => {
        await hypertable(target, rawTable(plainNames)).up();
        await aggregate(target, hourly(plainNames)).up();
        await target.byHand(
            "INSERT INTO requests (ts, id) VALUES (now() - interval '3 days', 'a')",
        );
        await target.byHand(
            "CREATE VIEW reads AS SELECT now() AS now, bucket FROM requests_hourly",
        );
        await target.byHand(
            "CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM requests_hourly; END",
        );
    }, 60_000);

    it.each(Object.entries(queries))("%s", async (file, { parameters, columns, rows }) => {
        const values: unknown[] = [];
        for (const expression of parameters) {
            const [row] = await target.byHand(`SELECT ${expression} AS value`);
            values.push(row?.["value"]);
        }

        const result = await inTransaction(
            target.session,
            { readOnly: true, searchPath: ["public"] },
            (client) => client.query(readSql(`catalog/${file}`), values),
        );

        expect(result.fields.map(({ name }) => name)).toEqual(columns);
        if (rows !== undefined) expect(result.rows).toHaveLength(rows);
    });

    it("gives everything that is read of an aggregate", async () => {
        const actual = await inTransaction(
            target.session,
            { readOnly: true, searchPath: ["public"] },
            (client) => inspectAggregate(client, { schema: "public", name: "requests_hourly" }),
        );

        expect(missing(actual)).toEqual([]);
        const { definition, materializationId, sourceId, jobs, materialization, ...rest } =
            actual as ActualAggregate;
        expect(definition).toMatch(/^ SELECT time_bucket\('01:00:00'::interval, /);
        expect([materializationId, sourceId]).toEqual([expect.any(Number), expect.any(Number)]);
        expect(materialization.schema).toBe("_timescaledb_internal");
        expect(rest).toMatchObject({
            owner: "observatory_owner",
            name: { schema: "public", name: "requests_hourly" },
            view: { state: "intact" },
            finalized: true,
            columns: [
                { name: "bucket", type: "timestamp with time zone" },
                { name: "model", type: "text" },
                { name: "requests", type: "bigint" },
                { name: "total", type: "bigint" },
                { name: "quick", type: "bigint" },
            ],
            groupColumns: ["model"],
            // Without the three that the server makes.
            indexes: [{ name: "requests_hourly by total", valid: true }],
            defaultChunkTimeInterval: "240:00:00",
            materializedOnly: true,
            bucketWidth: "01:00:00",
            bucketTimezone: null,
            timeColumn: "bucket",
            timeType: "timestamp with time zone",
            chunkTimeInterval: "120:00:00",
            source: { schema: "public", name: "requests" },
            compressed: true,
            compression: {
                segmentBy: ["model"],
                orderBy: ["bucket"],
                orderByDesc: [false],
                orderByNullsFirst: [false],
            },
            grants: [{ role: "observatory_reader", privileges: ["SELECT"] }],
            marker: { filling: false },
        });
        for (const job of jobs) expect(Object.keys(job).sort()).toEqual([...jobFields].sort());
        expect(jobs.map(({ procedure }) => procedure).sort()).toEqual([
            "policy_compression",
            "policy_refresh_continuous_aggregate",
            "policy_retention",
        ]);
    });

    it("gives everything that is read of a hypertable", async () => {
        const actual = await inTransaction(
            target.session,
            { readOnly: true, searchPath: ["public"] },
            (client) => inspectHypertable(client, { schema: "public", name: "requests" }),
        );

        expect(missing(actual)).toEqual([]);
        const { columns, indexes, jobs, hypertableId, ...rest } = actual as ActualHypertable;
        expect(hypertableId).toEqual(expect.any(Number));
        expect(columns[2]).toEqual({
            name: "model",
            type: "text",
            nullable: true,
            default: "'none'::text",
            comment: "who's answering",
            number: 3,
        });
        expect(indexes.find(({ name }) => name === "by_model")).toEqual({
            schema: "public",
            constraint: null,
            extras: null,
            name: "by_model",
            method: "btree",
            unique: false,
            primary: false,
            valid: true,
            predicate: null,
            columns: [
                { expression: "model", descending: false, nullsFirst: false },
                { expression: "ts", descending: true, nullsFirst: true },
            ],
        });
        expect(rest).toMatchObject({
            owner: "observatory_owner",
            timeColumn: "ts",
            chunkTimeInterval: "24:00:00",
            compressed: true,
            compression: { segmentBy: ["model"], orderBy: ["ts"], orderByDesc: [true] },
        });
        for (const job of jobs) expect(Object.keys(job).sort()).toEqual([...jobFields].sort());
        expect(jobs).toHaveLength(2);
    });

    it("says what the server is", async () => {
        const server = await inTransaction(
            target.session,
            { readOnly: true, searchPath: ["pg_catalog"] },
            inspectServer,
        );

        expect(server).toEqual({
            timescaleVersion: target.server.version,
            extensionSchema: "public",
            replica: false,
            embedded: target.server.kind === "embedded",
            altersCompressed: !target.server.version.startsWith("2.14"),
            decompressesToDelete: target.server.version.startsWith("2.14"),
        });
    });
});
