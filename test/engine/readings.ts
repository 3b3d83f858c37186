/** A small program for tests: one hypertable and aggregates of it; and what the database has of them. */
import type { automation } from "@pulumi/pulumi";

import {
    type Connection,
    ContinuousAggregate,
    type ContinuousAggregateProperties,
    Hypertable,
    type HypertableProperties,
} from "../../components/timescale";
import { withClient } from "../helpers/clients";

export const byHour = `
    SELECT time_bucket('1 hour', ts) AS bucket, sensor, count(*) AS n, sum(value) AS total
    FROM readings GROUP BY bucket, sensor`;

type Aggregate = Pick<ContinuousAggregateProperties, "name"> &
    Partial<Omit<ContinuousAggregateProperties, "connection">> & {
        /** Name of the resource. @default - the aggregate's */
        readonly resource?: string;
    };

export const readingsColumns: HypertableProperties["columns"] = [
    { name: "ts", type: "timestamptz", nullable: false },
    { name: "sensor", type: "text", nullable: false },
    { name: "value", type: "integer" },
];

export function readings(
    connection: Connection,
    ...aggregates: readonly Aggregate[]
): automation.PulumiFn {
    return () => {
        const table = new Hypertable("readings", {
            connection,
            name: "readings",
            columns: readingsColumns,
            timeColumn: "ts",
            chunkTimeInterval: "1 day",
        });
        for (const { resource, ...aggregate } of aggregates) {
            new ContinuousAggregate(
                resource ?? aggregate.name,
                {
                    connection,
                    query: byHour,
                    refreshPolicy: {
                        startOffset: "1 day",
                        endOffset: "1 hour",
                        scheduleInterval: "5 minutes",
                    },
                    ...aggregate,
                },
                { dependsOn: table },
            );
        }
        return Promise.resolve({});
    };
}

/** Sixty readings, ten on each of the last days but today: all their buckets are over. */
export async function insertReadings(connection: Connection): Promise<void> {
    await query(
        connection,
        `INSERT INTO readings
         SELECT date_trunc('day', now(), 'UTC') - day * interval '1 day' + hour * interval '1 hour', 's' || hour % 2, hour
         FROM generate_series(1, 6) day, generate_series(1, 10) hour`,
    );
}

export async function query<Row extends Record<string, unknown>>(
    connection: Connection,
    text: string,
): Promise<Row[]> {
    const { rows } = await withClient(connection, (client) => client.query<Row>(text));
    return rows;
}

/** The buckets of an aggregate, and what its query gives now. */
export async function contents(
    connection: Connection,
    aggregate: string,
    definition: string,
): Promise<{ readonly materialized: unknown[]; readonly computed: unknown[] }> {
    const rows = (from: string): string => `SELECT x::text AS row FROM (${from}) x ORDER BY 1`;
    return {
        materialized: await query(connection, rows(`TABLE ${aggregate}`)),
        computed: await query(connection, rows(definition)),
    };
}

export interface Job extends Record<string, unknown> {
    readonly id: number;
    readonly relation: string;
    readonly procedure: string;
    readonly schedule: string;
    readonly scheduled: boolean;
    readonly config: Readonly<Record<string, unknown>>;
}

/** The policies' jobs, by the relation that they are declared on. */
export async function jobs(connection: Connection): Promise<Job[]> {
    return query<Job>(
        connection,
        `SELECT j.id, coalesce(a.user_view_name, h.table_name)::text AS relation, j.proc_name::text AS procedure,
             j.schedule_interval::text AS schedule, j.scheduled, j.config
         FROM _timescaledb_config.bgw_job j
         JOIN _timescaledb_catalog.hypertable h ON h.id = j.hypertable_id
         LEFT JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = h.id
         WHERE j.id >= 1000 ORDER BY j.id`,
    );
}

/** The job of an aggregate's refresh policy. */
export async function refreshJob(connection: Connection, aggregate: string): Promise<Job> {
    const found = (await jobs(connection)).filter(
        ({ relation, procedure }) =>
            relation === aggregate && procedure === "policy_refresh_continuous_aggregate",
    );
    const [job] = found;
    if (job === undefined || found.length > 1) {
        throw new Error(`${aggregate} has ${found.length} refresh jobs`);
    }
    return job;
}

/** Everything that is declared in schema public: relations, definitions, grants, comments, jobs. */
export async function everything(
    connection: Connection,
): Promise<{ readonly relations: Record<string, unknown>[]; readonly jobs: Job[] }> {
    const relations = await query(
        connection,
        `SELECT c.oid, c.relname, c.relkind, c.relowner::regrole::text AS owner, c.relacl::text AS grants,
             obj_description(c.oid, 'pg_class') AS comment,
             CASE c.relkind WHEN 'v' THEN pg_get_viewdef(c.oid) END AS definition
         FROM pg_class c
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'm')
         ORDER BY c.relname`,
    );
    return { relations, jobs: await jobs(connection) };
}

/** Names of the tables and views in schema public. */
export async function relations(connection: Connection): Promise<string[]> {
    const rows = await query<{ name: string }>(
        connection,
        `SELECT relname::text AS name FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm') ORDER BY 1`,
    );
    return rows.map(({ name }) => name);
}
