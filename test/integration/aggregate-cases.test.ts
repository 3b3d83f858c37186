/** Continuous aggregates: whatever was changed, by hand or in the program, `up` brings them to the declaration. */
import { displayName } from "../../components/timescale/core/identifier";
import { type Case, runCases } from "./cases";
import {
    aggregate,
    type AggregateInputs,
    type Declared,
    expectNoChange,
    hypertable,
} from "./declared";
import { everyNames, hourly, quoted, rawTable } from "./names";
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
            "refreshPolicy: none → start_offset 1 day, end_offset 1 hour, every 5 minutes",
            "compressionPolicy: none → compress_after 7 days, every 12 hours",
        ],
    },
    {
        name: "the job of the refresh policy dropped",
        given: ({ job }) => [`SELECT delete_job(${job("refresh")})`],
        expect: () => [
            "refreshPolicy: none → start_offset 1 day, end_offset 1 hour, every 5 minutes",
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
        // Seven months are 210 days, as PostgreSQL compares intervals.
        expect: () => [
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
        expect: () => ["retentionPolicy: none → drop_after 210 days, every 1 day"],
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
        expect: () => ["compressionPolicy: none → compress_after 7 days, every 12 hours"],
    },
    {
        name: "settings of compression",
        given: ({ it }) => [
            `ALTER MATERIALIZED VIEW ${it.aggregate} SET (timescaledb.compress,
                 timescaledb.compress_segmentby = '', timescaledb.compress_orderby = 'bucket')`,
        ],
        expect: ({ names }) => [
            `compression: segmentBy nothing orderBy "bucket" ASC NULLS LAST → segmentBy ${names.model} orderBy by default`,
        ],
    },
    {
        name: "compression switched off",
        given: ({ it }) => [
            `SELECT remove_compression_policy('${literal(it.aggregate)}')`,
            `ALTER MATERIALIZED VIEW ${it.aggregate} SET (timescaledb.compress = false)`,
        ],
        expect: ({ names }) => [
            `compression: off → segmentBy ${names.model} orderBy by default`,
            "compressionPolicy: none → compress_after 7 days, every 12 hours",
        ],
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
            "retentionPolicy: none → drop_after 210 days, every 1 day",
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
            "refreshPolicy: none → start_offset 1 day, end_offset 1 hour, every 5 minutes",
            "compressionPolicy: none → compress_after 7 days, every 12 hours",
            "retentionPolicy: none → drop_after 210 days, every 1 day",
            `comment: none → "hourly; it's \\"quoted\\""`,
            "grants.observatory_reader: none → SELECT",
            "fill it, oldest buckets first",
        ],
    },
];

const inTheProgram: readonly Case<AggregateInputs>[] = [
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
        name: "another name, in place",
        desired: (declared, { names }) => ({ ...declared, name: `${names.aggregate} 2` }),
        expect: ({ names: { schema, aggregate } }) => [
            `name: ${displayName({ schema, name: aggregate })} → ${displayName({ schema, name: `${aggregate} 2` })}`,
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
