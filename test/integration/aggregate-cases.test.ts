/** Continuous aggregates: whatever was changed, by hand or in the program, `up` brings them to the declaration. */
import { displayName, escapeIdentifier } from "../../components/timescale/core/identifier";
import { type Case, runCases } from "./cases";
import {
    aggregate,
    type AggregateInputs,
    type Declared,
    expectNoChange,
    hypertable,
} from "./declared";
import { everyNames, hourly, hourlyIndex, type Names, quoted, rawTable } from "./names";
import { onEveryServer } from "./onEveryServer";

const same: Case<AggregateInputs> = { name: "no-op", expect: () => [] };

const byHand: readonly Case<AggregateInputs>[] = [
    {
        name: "materialized_only switched off",
        given: ({ it }) => [
            `ALTER MATERIALIZED VIEW ${it.aggregate} SET (timescaledb.materialized_only = false)`,
        ],
        expect: () => ["materializedOnly: false → true"],
    },
    {
        name: "offsets of the refresh policy",
        given: ({ job }) => [
            `SELECT alter_job(j.id, config => j.config || '{"start_offset": "9 hours", "end_offset": "2 hours"}')
             FROM _timescaledb_config.bgw_job j WHERE j.id = ${job("refresh")}`,
        ],
        expect: () => [
            "refreshPolicy.startOffset: 9 hours → 1 day",
            "refreshPolicy.endOffset: 2 hours → 1 hour",
        ],
    },
    {
        name: "a start offset taken out of the refresh policy",
        given: ({ job }) => [
            `SELECT alter_job(j.id, config => j.config || '{"start_offset": null}')
             FROM _timescaledb_config.bgw_job j WHERE j.id = ${job("refresh")}`,
        ],
        expect: () => ["refreshPolicy.startOffset: unbounded → 1 day"],
    },
    {
        name: "schedule of the refresh policy",
        given: ({ job }) => [
            `SELECT alter_job(${job("refresh")}, schedule_interval => interval '1 day 90 seconds')`,
        ],
        expect: () => ["refreshPolicy.scheduleInterval: 1 day 00:01:30 → 5 minutes"],
    },
    {
        name: "the refresh policy paused",
        given: ({ job }) => [`SELECT alter_job(${job("refresh")}, scheduled => false)`],
        expect: () => ["refreshPolicy.paused: true → false"],
    },
    {
        name: "time zone of the refresh policy",
        given: ({ job }) => [`SELECT alter_job(${job("refresh")}, timezone => 'Europe/Berlin')`],
        expect: () => ["refreshPolicy.timezone: Europe/Berlin → none"],
    },
    {
        name: "initial start of the refresh policy",
        given: ({ job }) => [
            `SELECT alter_job(${job("refresh")}, fixed_schedule => true, initial_start => '2031-01-31 00:00:00+02')`,
        ],
        expect: () => ["refreshPolicy.initialStart: 2031-01-30T22:00:00.000Z → none"],
    },
    {
        name: "limits of the refresh policy",
        given: ({ job }) => [
            `SELECT alter_job(${job("refresh")}, max_runtime => interval '3 min', max_retries => 7, retry_period => interval '2 h')`,
        ],
        expect: () => [
            "refreshPolicy.maxRuntime: 00:03:00 → 0",
            "refreshPolicy.maxRetries: 7 → -1",
            "refreshPolicy.retryPeriod: 02:00:00 → 5 minutes",
        ],
    },
    {
        name: "the refresh policy dropped, and with it the compression policy",
        given: ({ it }) => [
            `SELECT remove_compression_policy('${literal(it.aggregate)}')`,
            `SELECT remove_continuous_aggregate_policy('${literal(it.aggregate)}')`,
        ],
        expect: () => [
            "refreshPolicy: none → startOffset 1 day, endOffset 1 hour, every 5 minutes",
            "compressionPolicy: none → compressAfter 7 days, every 12 hours",
        ],
    },
    {
        name: "the job of the refresh policy dropped",
        given: ({ job }) => [`SELECT delete_job(${job("refresh")})`],
        expect: () => [
            "refreshPolicy: none → startOffset 1 day, endOffset 1 hour, every 5 minutes",
        ],
    },
    {
        name: "the refresh policy twice",
        givenByAdmin: ({ job }) => [duplicate(job("refresh"))],
        expect: () => ["refreshPolicy (it stands twice): job N → removed"],
    },
    {
        name: "the retention policy twice, and the first one altered",
        given: ({ job }) => [`SELECT alter_job(${job("retention")}, scheduled => false)`],
        givenByAdmin: ({ job }) => [duplicate(job("retention"))],
        expect: () => [
            "retentionPolicy (it stands twice): job N → removed",
            "retentionPolicy.paused: true → false",
        ],
    },
    {
        name: "every setting of the retention policy",
        given: ({ job }) => [
            `SELECT alter_job(j.id, config => j.config || '{"drop_after": "7 mons"}', schedule_interval => interval '2 days',
                 scheduled => false, max_runtime => interval '0', max_retries => 3, retry_period => interval '1 h',
                 timezone => 'UTC', fixed_schedule => true, initial_start => '2031-02-01 00:00:00+00')
             FROM _timescaledb_config.bgw_job j WHERE j.id = ${job("retention")}`,
        ],
        // Seven months are 210 days to PostgreSQL's comparison alone: retention counts by the calendar.
        expect: () => [
            "retentionPolicy.dropAfter: 7 mons → 210 days",
            "retentionPolicy.scheduleInterval: 2 days → 1 day",
            "retentionPolicy.initialStart: 2031-02-01T00:00:00.000Z → none",
            "retentionPolicy.timezone: UTC → none",
            "retentionPolicy.paused: true → false",
            "retentionPolicy.maxRuntime: 00:00:00 → 5 minutes",
            "retentionPolicy.maxRetries: 3 → -1",
            "retentionPolicy.retryPeriod: 01:00:00 → 5 minutes",
        ],
    },
    {
        name: "how long retention keeps",
        given: ({ job }) => [
            `SELECT alter_job(j.id, config => j.config || '{"drop_after": "3 years"}')
             FROM _timescaledb_config.bgw_job j WHERE j.id = ${job("retention")}`,
        ],
        expect: () => ["retentionPolicy.dropAfter: 3 years → 210 days"],
    },
    {
        name: "the retention policy dropped",
        given: ({ it }) => [`SELECT remove_retention_policy('${literal(it.aggregate)}')`],
        expect: () => ["retentionPolicy: none → dropAfter 210 days, every 1 day"],
    },
    {
        name: "when the compression policy compresses",
        given: ({ job }) => [
            `SELECT alter_job(j.id, config => j.config || '{"compress_after": "30 days"}', schedule_interval => interval '1 h')
             FROM _timescaledb_config.bgw_job j WHERE j.id = ${job("compression")}`,
        ],
        expect: () => [
            "compressionPolicy.compressAfter: 30 days → 7 days",
            "compressionPolicy.scheduleInterval: 01:00:00 → 12 hours",
        ],
    },
    {
        name: "the compression policy dropped",
        given: ({ it }) => [`SELECT remove_compression_policy('${literal(it.aggregate)}')`],
        expect: () => ["compressionPolicy: none → compressAfter 7 days, every 12 hours"],
    },
    {
        name: "settings of compression",
        given: ({ it }) => [
            `ALTER MATERIALIZED VIEW ${it.aggregate} SET (timescaledb.compress,
                 timescaledb.compress_segmentby = '', timescaledb.compress_orderby = 'bucket')`,
        ],
        expect: ({ names }) => [
            `compression: segmentBy nothing orderBy "bucket" ASC NULLS LAST → segmentBy ${names.model} orderBy "bucket" ASC NULLS LAST`,
        ],
    },
    {
        name: "the order of compressed rows, which the program leaves to the server",
        given: ({ it }) => [
            `ALTER MATERIALIZED VIEW ${it.aggregate} SET (timescaledb.compress, timescaledb.compress_orderby = 'total DESC')`,
        ],
        expect: ({ names }) => [
            `compression: segmentBy ${names.model} orderBy "total" DESC NULLS FIRST, "bucket" DESC NULLS FIRST → segmentBy ${names.model} orderBy "bucket" ASC NULLS LAST`,
        ],
    },
    {
        name: "compression switched off, and its job left behind",
        given: ({ it }) => [
            `ALTER MATERIALIZED VIEW ${it.aggregate} SET (timescaledb.compress = false)`,
        ],
        expect: ({ names }) => [
            `compression: off → segmentBy ${names.model} orderBy "bucket" ASC NULLS LAST`,
        ],
    },
    {
        name: "compression switched off",
        given: ({ it }) => [
            `SELECT remove_compression_policy('${literal(it.aggregate)}')`,
            `ALTER MATERIALIZED VIEW ${it.aggregate} SET (timescaledb.compress = false)`,
        ],
        expect: ({ names }) => [
            `compression: off → segmentBy ${names.model} orderBy "bucket" ASC NULLS LAST`,
            "compressionPolicy: none → compressAfter 7 days, every 12 hours",
        ],
    },
    {
        name: "the view replaced",
        given: ({ it }) => [hijack(it)],
        expect: () => [replacedView],
    },
    {
        name: "the view of a real-time aggregate replaced",
        given: ({ it }) => [
            `ALTER MATERIALIZED VIEW ${it.aggregate} SET (timescaledb.materialized_only = false)`,
            hijack(it),
        ],
        desired: (declared) => ({ ...declared, materializedOnly: false }),
        expect: () => [replacedView],
        then: async (target, { it }) => {
            // Its view reads raw rows above the watermark again.
            expect(
                await target.byHand(
                    `SELECT pg_get_viewdef('${literal(it.aggregate)}'::regclass) ~ 'UNION ALL' AS live`,
                ),
            ).toEqual([{ live: true }]);
        },
    },
    {
        name: "the view of a real-time aggregate replaced, where none is declared",
        given: ({ it }) => [
            `ALTER MATERIALIZED VIEW ${it.aggregate} SET (timescaledb.materialized_only = false)`,
            hijack(it),
        ],
        // Switching a view of another shape would end the server.
        expect: () => [replacedView, "materializedOnly: false → true"],
    },
    {
        name: "the view renamed by ALTER TABLE",
        given: ({ it }) => [`ALTER TABLE ${it.aggregate} RENAME TO mine`],
        expect: ({ names: { schema, aggregate }, version }) => [
            isOld(version)
                ? `view: renamed to ${displayName({ schema, name: "mine" })} by ALTER TABLE, which orphans the aggregate → the view that TimescaleDB made`
                : `name: ${displayName({ schema, name: "mine" })} → ${displayName({ schema, name: aggregate })}`,
        ],
    },
    {
        name: "the view renamed by ALTER TABLE, and dropped",
        on: isOld,
        given: ({ it }) => [
            `ALTER TABLE ${it.aggregate} RENAME TO mine`,
            `DROP VIEW ${it.schema}.mine`,
        ],
        expect: () => [
            "view: dropped, and the aggregate orphaned → the view that TimescaleDB made",
            `comment: none → "hourly; it's \\"quoted\\""`,
            "grants.observatory_reader: none → SELECT",
        ],
    },
    {
        name: "the view renamed by ALTER TABLE, and another put in its place",
        on: isOld,
        given: ({ it }) => [
            `ALTER TABLE ${it.aggregate} RENAME TO mine`,
            `CREATE VIEW ${it.aggregate} AS SELECT 1 AS x`,
        ],
        expect: () => [
            `comment: none → "hourly; it's \\"quoted\\""`,
            "grants.observatory_reader: none → SELECT",
        ],
        refused: () => ({ code: "hijacked" }),
        undo: ({ it }) => [
            `ALTER TABLE ${it.aggregate} RENAME TO x`,
            `DROP VIEW ${it.schema}.x`,
            `ALTER TABLE ${it.schema}.mine RENAME TO ${it.aggregate.slice(it.schema.length + 1)}`,
        ],
    },
    {
        name: "renamed by hand",
        given: ({ it }) => [`ALTER MATERIALIZED VIEW ${it.aggregate} RENAME TO mine`],
        expect: ({ names: { schema, aggregate } }) => [
            `name: ${displayName({ schema, name: "mine" })} → ${displayName({ schema, name: aggregate })}`,
        ],
    },
    {
        name: "moved to another schema by hand, with a policy dropped",
        given: ({ it }) => [
            `CREATE SCHEMA IF NOT EXISTS ${it.elsewhere}`,
            `SELECT remove_retention_policy('${literal(it.aggregate)}')`,
            `ALTER MATERIALIZED VIEW ${it.aggregate} SET SCHEMA ${it.elsewhere}`,
        ],
        expect: ({ names: { schema, aggregate, elsewhere } }) => [
            `name: ${displayName({ schema: elsewhere, name: aggregate })} → ${displayName({ schema, name: aggregate })}`,
            "retentionPolicy: none → dropAfter 210 days, every 1 day",
        ],
    },
    {
        name: "renamed by hand, and a view put in its place",
        given: ({ it }) => [
            `ALTER MATERIALIZED VIEW ${it.aggregate} RENAME TO mine`,
            `CREATE VIEW ${it.aggregate} AS SELECT 1 AS x`,
        ],
        expect: () => [],
        refused: ({ names: { schema } }) => ({
            code: "another_relation",
            detail: expect.stringContaining(
                `the aggregate itself stands as ${displayName({ schema, name: "mine" })} now`,
            ) as string,
        }),
        undo: ({ it }) => [
            `DROP VIEW ${it.aggregate}`,
            `ALTER MATERIALIZED VIEW ${it.schema}.mine RENAME TO ${it.aggregate.slice(it.schema.length + 1)}`,
        ],
    },
    {
        name: "columns renamed by hand",
        given: ({ it }) => [
            `ALTER MATERIALIZED VIEW ${it.aggregate} RENAME COLUMN total TO mine`,
            `ALTER MATERIALIZED VIEW ${it.aggregate} RENAME COLUMN bucket TO "Time"`,
        ],
        expect: () => ["columns.Time: Time → bucket", "columns.mine: mine → total"],
    },
    {
        name: "its index dropped",
        given: ({ names }) => [`DROP INDEX _timescaledb_internal.${quotedIndex(names)}`],
        expect: ({ names }) => [`indexes.${hourlyIndex(names)}: none → btree (total DESC, bucket)`],
    },
    {
        name: "its index left invalid by an interrupted build, and another that nobody declared",
        // The embedded server builds an index in one transaction.
        on: isOld,
        given: ({ it }) => [`CREATE INDEX "mine too" ON ${it.aggregate} (requests)`],
        givenByAdmin: ({ names }) => [
            `UPDATE pg_index SET indisvalid = false WHERE indexrelid = '_timescaledb_internal.${literal(quotedIndex(names))}'::regclass`,
        ],
        expect: ({ names }) => [
            `indexes.${hourlyIndex(names)}: left invalid by an interrupted build → btree (total DESC, bucket)`,
        ],
        notes: ["index mine too stands on it that the program does not declare: it is kept"],
        then: async (target) => {
            await target.byHand(`DROP INDEX _timescaledb_internal."mine too"`);
        },
    },
    {
        name: "chunk interval",
        given: ({ it }) => [
            `SELECT set_chunk_time_interval('${literal(it.aggregate)}', interval '30 days')`,
        ],
        expect: () => ["chunkTimeInterval: 720:00:00 → 5 days"],
    },
    {
        name: "the comment changed",
        given: ({ it }) => [`COMMENT ON VIEW ${it.aggregate} IS 'mine'`],
        expect: () => [`comment: "mine" → "hourly; it's \\"quoted\\""`],
    },
    {
        name: "the comment removed",
        given: ({ it }) => [`COMMENT ON VIEW ${it.aggregate} IS NULL`],
        expect: () => [`comment: none → "hourly; it's \\"quoted\\""`],
    },
    {
        name: "a grant revoked",
        given: ({ it }) => [`REVOKE SELECT ON ${it.aggregate} FROM observatory_reader`],
        expect: () => ["grants.observatory_reader: none → SELECT"],
    },
    {
        name: "grants that nobody declared",
        given: ({ it }) => [
            `GRANT SELECT, INSERT ON ${it.aggregate} TO observatory_writer`,
            `GRANT DELETE ON ${it.aggregate} TO observatory_reader`,
            `GRANT SELECT ON ${it.aggregate} TO PUBLIC`,
        ],
        expect: () => [
            "grants.observatory_reader: DELETE → removed",
            "grants.observatory_writer: INSERT → removed",
            "grants.observatory_writer: SELECT → removed",
            "grants.public: SELECT → removed",
        ],
    },
    {
        name: "a right to grant, and what was granted with it",
        given: ({ it }) => [
            `GRANT USAGE ON SCHEMA ${it.schema} TO observatory_reader`,
            `GRANT SELECT ON ${it.aggregate} TO observatory_reader WITH GRANT OPTION`,
        ],
        givenByAdmin: ({ it }) => [
            "SET ROLE observatory_reader",
            `GRANT SELECT ON ${it.aggregate} TO PUBLIC`,
            "RESET ROLE",
        ],
        expect: () => [
            "grants.observatory_reader: SELECT with grant option, and what was granted with it → SELECT",
        ],
        then: async (target, { it }) => {
            expect(
                await target.asAdmin(
                    `SELECT has_table_privilege('public', '${literal(it.aggregate)}', 'SELECT') AS public`,
                ),
            ).toEqual([{ public: false }]);
        },
    },
    {
        name: "rights of its own taken from the owner",
        given: ({ it }) => [`REVOKE SELECT ON ${it.aggregate} FROM observatory_owner`],
        expect: () => ["grants.observatory_owner: none → SELECT"],
    },
    {
        name: "everything at once",
        given: ({ it, job }) => [
            `ALTER MATERIALIZED VIEW ${it.aggregate} SET (timescaledb.materialized_only = false)`,
            `SELECT delete_job(${job("retention")})`,
            `SELECT alter_job(${job("refresh")}, scheduled => false)`,
            `COMMENT ON VIEW ${it.aggregate} IS NULL`,
        ],
        expect: () => [
            "materializedOnly: false → true",
            "refreshPolicy.paused: true → false",
            "retentionPolicy: none → dropAfter 210 days, every 1 day",
            `comment: none → "hourly; it's \\"quoted\\""`,
        ],
    },
    {
        name: "dropped by hand",
        given: ({ it }) => [`DROP MATERIALIZED VIEW ${it.aggregate}`],
        expect: ({ names }) => [
            "create the continuous aggregate",
            "chunkTimeInterval: the server's default → 5 days",
            `compression: off → segmentBy ${names.model} orderBy by default`,
            "refreshPolicy: none → startOffset 1 day, endOffset 1 hour, every 5 minutes",
            "compressionPolicy: none → compressAfter 7 days, every 12 hours",
            "retentionPolicy: none → dropAfter 210 days, every 1 day",
            `indexes.${hourlyIndex(names)}: none → btree (total DESC, bucket)`,
            `comment: none → "hourly; it's \\"quoted\\""`,
            "grants.observatory_reader: none → SELECT",
            "fill it, oldest buckets first",
        ],
        notes: [
            "it stood at the last deployment and is gone: up makes it again and fills it with what raw data still has; older buckets are lost",
        ],
    },
];

const inTheProgram: readonly Case<AggregateInputs>[] = [
    {
        name: "columns that change places and names, in place",
        desired: (declared) => ({
            ...declared,
            query: declared.query
                .replace("AS requests", "AS total_")
                .replace("AS total,", "AS requests,")
                .replace("AS total_", "AS total"),
            indexes: [],
        }),
        expect: ({ names }) => [
            "columns.requests: requests → total",
            "columns.total: total → requests",
            `indexes.${hourlyIndex(names)}: btree (requests DESC, bucket) → removed`,
        ],
    },
    {
        name: "chunk interval and index left out, another index with a condition",
        desired: ({ chunkTimeInterval: _, ...declared }, { names }) => ({
            ...declared,
            indexes: [
                {
                    name: `${hourlyIndex(names)} 2`,
                    columns: ["requests"],
                    where: "total in (1, 2)",
                },
            ],
        }),
        expect: ({ names }) => [
            "chunkTimeInterval: 120:00:00 → 240:00:00",
            `indexes.${hourlyIndex(names)} 2: none → btree (requests) where total in (1, 2)`,
            `indexes.${hourlyIndex(names)}: btree (total DESC, bucket) → removed`,
        ],
    },
    {
        name: "every setting of the refresh policy",
        desired: (declared) => ({
            ...declared,
            refreshPolicy: {
                startOffset: "2 days",
                endOffset: "30 minutes",
                scheduleInterval: "1 hour",
                initialStart: "2031-01-31T00:00:00+02:00",
                timezone: "Europe/Berlin",
                paused: true,
                maxRuntime: "10 minutes",
                maxRetries: 5,
                retryPeriod: "1 minute",
            },
        }),
        expect: () => [
            "refreshPolicy.startOffset: 1 day → 2 days",
            "refreshPolicy.endOffset: 1 hour → 30 minutes",
            "refreshPolicy.scheduleInterval: 00:05:00 → 1 hour",
            "refreshPolicy.initialStart: none → 2031-01-30T22:00:00.000Z",
            "refreshPolicy.timezone: none → Europe/Berlin",
            "refreshPolicy.paused: false → true",
            "refreshPolicy.maxRuntime: 00:00:00 → 10 minutes",
            "refreshPolicy.maxRetries: -1 → 5",
            "refreshPolicy.retryPeriod: 00:05:00 → 1 minute",
        ],
    },
    {
        name: "a refresh window that is open on both sides",
        desired: ({ compressionPolicy: _, ...declared }) => ({
            ...declared,
            refreshPolicy: { scheduleInterval: "5 minutes" },
        }),
        expect: ({ names }) => [
            "compressionPolicy: job N → removed",
            `compression: segmentBy ${names.model} orderBy "bucket" ASC NULLS LAST → off`,
            "refreshPolicy.startOffset: 1 day → unbounded",
            "refreshPolicy.endOffset: 1 hour → unbounded",
        ],
    },
    {
        name: "intervals in other words are no change",
        desired: (declared) => ({
            ...declared,
            refreshPolicy: {
                startOffset: "24:00:00",
                endOffset: "60 min",
                scheduleInterval: "PT5M",
                maxRuntime: "0 seconds",
                retryPeriod: "300 s",
                paused: false,
            },
            retentionPolicy: { dropAfter: "30 weeks", scheduleInterval: "24 hours" },
            chunkTimeInterval: "120 hours",
            materializedOnly: true,
        }),
        expect: () => [],
    },
    {
        name: "all policies left out",
        desired: ({ refreshPolicy: _1, retentionPolicy: _2, compressionPolicy: _3, ...declared }) =>
            declared,
        expect: ({ names }) => [
            "compressionPolicy: job N → removed",
            "refreshPolicy: job N → removed",
            "retentionPolicy: job N → removed",
            `compression: segmentBy ${names.model} orderBy "bucket" ASC NULLS LAST → off`,
        ],
        then: async (target, { jobs }) => {
            expect(await target.asAdmin(jobs)).toEqual([]);
        },
    },
    {
        name: "real-time, another comment, other grants",
        desired: (declared) => ({
            ...declared,
            materializedOnly: false,
            comment: "other",
            grants: [
                { role: "public", privileges: ["SELECT"] },
                { role: "observatory_writer", privileges: ["SELECT", "TRIGGER"] },
            ],
        }),
        expect: () => [
            "materializedOnly: true → false",
            `comment: "hourly; it's \\"quoted\\"" → "other"`,
            "grants.observatory_reader: SELECT → removed",
            "grants.observatory_writer: none → SELECT",
            "grants.observatory_writer: none → TRIGGER",
            "grants.public: none → SELECT",
        ],
    },
    {
        name: "neither comment nor grants",
        desired: ({ comment: _1, grants: _2, ...declared }) => declared,
        expect: () => [
            `comment: "hourly; it's \\"quoted\\"" → none`,
            "grants.observatory_reader: SELECT → removed",
        ],
    },
    {
        name: "an empty comment and a grant to the owner mean none",
        desired: (declared) => ({
            ...declared,
            comment: "",
            grants: [...declared.grants!, { role: "observatory_owner", privileges: ["SELECT"] }],
        }),
        expect: () => [`comment: "hourly; it's \\"quoted\\"" → none`],
    },
    {
        name: "another name, in place",
        desired: (declared, { names }) => ({ ...declared, name: `${names.aggregate} 2` }),
        expect: ({ names: { schema, aggregate } }) => [
            `name: ${displayName({ schema, name: aggregate })} → ${displayName({ schema, name: `${aggregate} 2` })}`,
        ],
    },
    {
        name: "another name, and other names of columns",
        desired: (declared, { names }) => ({
            ...declared,
            name: `${names.aggregate} 2`,
            query: declared.query.replace("AS quick", "AS fast"),
        }),
        expect: ({ names: { schema, aggregate } }) => [
            `name: ${displayName({ schema, name: aggregate })} → ${displayName({ schema, name: `${aggregate} 2` })}`,
            "columns.quick: quick → fast",
        ],
    },
    {
        name: "another name and schema, in place, and a policy beside",
        given: ({ it }) => [
            `CREATE SCHEMA IF NOT EXISTS ${it.elsewhere}`,
            `CREATE VIEW ${it.elsewhere}.reads AS SELECT bucket FROM ${it.aggregate}`,
        ],
        desired: (declared, { names }) => ({
            ...declared,
            schema: names.elsewhere,
            name: "moved",
            retentionPolicy: { dropAfter: "300 days" },
        }),
        expect: ({ names: { schema, aggregate, elsewhere } }) => [
            `name: ${displayName({ schema, name: aggregate })} → ${displayName({ schema: elsewhere, name: "moved" })}`,
            "retentionPolicy.dropAfter: 210 days → 300 days",
        ],
        then: async (target, { it }) => {
            await target.byHand(`DROP VIEW ${it.elsewhere}.reads`);
        },
    },
];

const replacedView =
    "view: another query, by CREATE OR REPLACE VIEW → the view that TimescaleDB made";

/** Another query under the same names and types, which the server takes without a word. */
function hijack(it: Names): string {
    return `CREATE OR REPLACE VIEW ${it.aggregate} AS
            SELECT ${it.time} AS bucket, ${it.model}, 1::bigint AS requests, 2::bigint AS total, 3::bigint AS quick
            FROM ${it.table}`;
}

/** Later versions rename the aggregate with its view. */
function isOld(version: string): boolean {
    return version.startsWith("2.14");
}

function quotedIndex(names: Names): string {
    return escapeIdentifier(hourlyIndex(names));
}

function literal(text: string): string {
    return text.replaceAll("'", "''");
}

/** What two adds at the same time leave behind. */
function duplicate(id: string): string {
    return `INSERT INTO _timescaledb_config.bgw_job
            SELECT (jsonb_populate_record(j, jsonb_build_object('id', nextval('_timescaledb_config.bgw_job_id_seq')))).*
            FROM _timescaledb_config.bgw_job j WHERE j.id = ${id}`;
}

onEveryServer((target) => {
    describe.each(everyNames)("%s", (_, names) => {
        let standing: Declared<AggregateInputs>;
        const it = quoted(names);

        beforeAll(async () => {
            if (names.schema !== "public") await target.byHand(`CREATE SCHEMA ${it.schema}`);
            await hypertable(target, rawTable(names)).up();
            standing = aggregate(target, hourly(names));
            await standing.up();
            await expectNoChange(standing);
        }, 60_000);

        runCases(target, names, [same, ...byHand, ...inTheProgram], {
            object: () => standing,
            jobs: `SELECT j.id, j.proc_name FROM _timescaledb_config.bgw_job j
                   JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = j.hypertable_id
                   WHERE a.user_view_schema IN ('${names.schema}', '${names.elsewhere}') ORDER BY j.id DESC`,
        });
    });
});
