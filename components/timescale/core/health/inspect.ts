/**
 * Reads how a database is doing, by a few read-only queries over all of it, however many aggregates there are. Runs as
 * any login; what it may not know is null.
 */
import { type Floor, rawFloors } from "../aggregate/floor";
import { pendingRanges } from "../aggregate/pending";
import { inspectServer } from "../connection/server";
import { isTransient } from "../connection/serverErrors";
import { inTransaction, type Queryable, type Session } from "../connection/session";
import { parseMarker } from "../memory/marker";
import { inspectForRules } from "../rules/inspect";
import { lengthIn } from "../rules/windows";
import { readSql } from "../sqlFile";
import { type Contents, inspectContents } from "./contents";
import type { AggregateHealth, Health, HypertableHealth, JobHealth, ServerHealth } from "./health";
import {
    type AggregateRow,
    type HypertableRow,
    jobOf,
    type JobRow,
    type ServerRow,
    storageOf,
} from "./rows";

/**
 * @throws TimescaleError where there is no TimescaleDB, or it is being restored
 */
export async function inspectHealth(session: Session): Promise<Health> {
    // A chunk may be dropped between two queries.
    for (let attempt = 1; ; attempt += 1) {
        try {
            return await readOnce(session);
        } catch (error) {
            if (attempt === 3 || !isTransient(error)) throw error;
        }
    }
}

function readOnce(session: Session): Promise<Health> {
    const alone = { readOnly: true, oneSnapshot: true, searchPath: ["pg_catalog"] };
    return inTransaction(session, alone, async (client) => {
        const { timescaleVersion, extensionSchema, embedded, replica } =
            await inspectServer(client);
        await client.query("SELECT set_config('search_path', quote_ident($1), true)", [
            extensionSchema,
        ]);
        const told = await inspectClock(client);
        const jobsRunSince = embedded ? told.jobsRunSince : null;
        const scheduler = told.scheduler || jobsRunSince !== null;
        const server = { ...told, jobsRunSince, scheduler };
        const facts = await inspectForRules(client, {
            ...{ query: "", materializationId: null, source: false },
            ...{ decompresses: false, refresh: null },
        });
        if (facts === undefined) throw new Error("rule_facts.sql gives one row");
        const jobs = (await read<JobRow>(client, "catalog/health_jobs.sql")).map((row) =>
            jobOf(row, scheduler),
        );
        const hypertables = await read<HypertableRow>(client, "catalog/health_hypertables.sql");
        const aggregates = await read<AggregateRow>(client, "catalog/health_aggregates.sql");
        const timed = aggregates.filter(({ integerTime }) => !integerTime);
        const pending = await pendingRanges(
            client,
            timed.map(({ id }) => id),
        );
        const floors = await rawFloors(client, [...new Set(timed.map(({ sourceId }) => sourceId))]);
        const contents = await inspectContents(client, hypertables);
        return assemble({
            server: {
                ...{ ...server, timescaleVersion, embedded, replica },
                workers: facts.workers,
            },
            ...{ jobs, hypertables, aggregates, pending, floors, contents },
        });
    });
}

async function inspectClock(
    client: Queryable,
): Promise<Omit<ServerHealth, "timescaleVersion" | "embedded" | "replica" | "workers">> {
    const before = Date.now();
    const [row] = await read<ServerRow>(client, "catalog/health_server.sql");
    if (row === undefined) throw new Error("health_server.sql gives one row");
    const here = (before + Date.now()) / 2;
    return { ...row, clockAhead: (Date.parse(row.now) - here) / 1000 };
}

async function read<Row extends object>(client: Queryable, file: string): Promise<Row[]> {
    const { rows } = await client.query<Row & Record<string, unknown>>(readSql(file));
    return rows;
}

interface Parts {
    readonly server: ServerHealth;
    readonly jobs: readonly JobHealth[];
    readonly hypertables: readonly HypertableRow[];
    readonly aggregates: readonly AggregateRow[];
    readonly pending: Awaited<ReturnType<typeof pendingRanges>>;
    readonly floors: Awaited<ReturnType<typeof rawFloors>>;
    readonly contents: ReadonlyMap<number, Contents>;
}

function assemble(parts: Parts): Health {
    const { server, jobs, contents } = parts;
    const jobsOf = new Map<number | null, JobHealth[]>();
    for (const job of jobs) {
        jobsOf.set(job.hypertableId, [...(jobsOf.get(job.hypertableId) ?? []), job]);
    }
    const tables = new Map<number, HypertableHealth & { readonly raw: boolean }>();
    for (const row of parts.hypertables) {
        const { id, schema, name, timeColumn, integerTime, raw, readable } = row;
        tables.set(id, {
            ...{ id, schema, name, timeColumn, integerTime, raw, readable },
            rows: rowsOf(row, contents.get(id)),
            newestRow: contents.get(id)?.newest ?? null,
            storage: storageOf(row),
            jobs: jobsOf.get(id) ?? [],
        });
    }
    const floors = new Map(parts.floors.map((floor) => [floor.id, floor]));
    const aggregates = parts.aggregates.flatMap((row): AggregateHealth[] => {
        const table = tables.get(row.id);
        if (table === undefined) return [];
        const pending = parts.pending.get(row.id) ?? [];
        const tail = pending.find(({ ends }) => ends === "infinity");
        return [
            {
                ...{ schema: row.schema, name: row.name, id: row.id, view: row.view },
                source: {
                    ...{ schema: row.sourceSchema, name: row.sourceName },
                    ...{ id: row.sourceId, aggregate: row.overAggregate },
                },
                materializedOnly: row.materializedOnly,
                ...{ timeColumn: row.timeColumn, integerTime: row.integerTime },
                ...{ bucketWidth: row.bucketWidth, bucketTimezone: row.bucketTimezone },
                oldestBucket: contents.get(row.id)?.oldest ?? null,
                newestBucket: row.newestBucket,
                refreshedTo: tail === undefined || tail.begins === "-infinity" ? null : tail.begins,
                pending: pending.filter((range) => range !== tail),
                windows: row.windows,
                floor: later(floors.get(row.sourceId)?.floor, contents.get(row.sourceId)?.oldest),
                cut: cutOf(floors.get(row.sourceId), contents.get(row.id)?.oldest ?? null, row),
                ...{ definition: row.definition, products: row.products },
                marker: parseMarker(row.marker),
                ...{ rows: table.rows, storage: table.storage, readable: table.readable },
                jobs: table.jobs,
            },
        ];
    });
    const known = new Set(aggregates.map(({ id }) => id));
    const others = [...tables.values()].filter(({ id }) => !known.has(id));
    return {
        ...{ server, jobs },
        aggregates: aggregates.filter((one) => !isVersion(one)),
        versions: aggregates.filter(isVersion),
        hypertables: others.filter((table) => !isMaterialization(table)),
        orphans: others.filter(isMaterialization),
    };
}

/** A chunk of the source may begin long before its first row, and before that there is nothing to compute. */
function later(floor: string | undefined, oldest: string | null | undefined): string | null {
    if (floor === undefined || oldest == null) return floor ?? null;
    return oldest > floor ? oldest : floor;
}

/** Later versions forget chunks that were dropped: there a bucket that lies wholly before raw data tells. */
function cutOf(
    floor: Floor | undefined,
    oldest: string | null,
    { bucketWidth }: AggregateRow,
): string | null {
    if (floor === undefined || floor.cut !== null || oldest === null) return floor?.cut ?? null;
    const end = Date.parse(oldest) + (lengthIn(bucketWidth) ?? 0) / 1000;
    return end <= Date.parse(floor.floor) ? floor.floor : null;
}

function isVersion({ marker }: AggregateHealth): boolean {
    return (
        marker.building !== undefined ||
        marker.replacedFrom !== undefined ||
        marker.keptFrom !== undefined
    );
}

function isMaterialization({ schema, name }: HypertableHealth): boolean {
    return schema === "_timescaledb_internal" && /^_materialized_hypertable_\d+$/.test(name);
}

function rowsOf({ rows }: HypertableRow, contents: Contents | undefined): HypertableHealth["rows"] {
    if (contents?.rows != null) return { rows: contents.rows, exact: true };
    return rows === null ? null : { rows, exact: rows === 0 };
}
