-- What stands under a name: the relation, and everything the catalog knows of it as a continuous aggregate.
-- $1 schema, $2 name. One row, all null but "databaseUuid" when nothing stands there.
-- Columns that differ between TimescaleDB versions are read through to_jsonb, which has null for an absent one.
WITH wanted AS (SELECT $1::text AS schema_name, $2::text AS name),
relation AS (
    SELECT c.oid, c.relkind, pg_get_userbyid(c.relowner) AS owner, c.relacl, c.relowner
    FROM wanted w
    JOIN pg_namespace n ON n.nspname = w.schema_name
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
),
aggregate AS (
    SELECT
        a.*, mh.schema_name AS mat_schema, mh.table_name AS mat_table, mh.compression_state,
        format('%I.%I', mh.schema_name, mh.table_name)::regclass AS mat_relation,
        format('%I.%I', a.direct_view_schema, a.direct_view_name)::regclass AS direct_view,
        to_jsonb(a) AS a_json, to_jsonb(bf) AS bf_json, d.interval_length, d.column_name AS time_column,
        d.column_type::regtype::text AS time_type, rh.schema_name AS source_schema, rh.table_name AS source_table,
        pa.user_view_schema AS parent_schema, pa.user_view_name AS parent_name
    FROM wanted w
    JOIN _timescaledb_catalog.continuous_agg a ON a.user_view_schema = w.schema_name AND a.user_view_name = w.name
    JOIN _timescaledb_catalog.hypertable mh ON mh.id = a.mat_hypertable_id
    JOIN _timescaledb_catalog.hypertable rh ON rh.id = a.raw_hypertable_id
    JOIN _timescaledb_catalog.dimension d ON d.hypertable_id = mh.id
    LEFT JOIN _timescaledb_catalog.continuous_agg pa ON pa.mat_hypertable_id = a.parent_mat_hypertable_id
    LEFT JOIN _timescaledb_catalog.continuous_aggs_bucket_function bf ON bf.mat_hypertable_id = mh.id
)
SELECT
    (SELECT value FROM _timescaledb_catalog.metadata WHERE key = 'uuid') AS "databaseUuid",
    r.relkind AS "relationKind",
    r.owner,
    obj_description(r.oid, 'pg_class') AS comment,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('role', g.role, 'privileges', g.privileges) ORDER BY g.role), '[]')
     FROM (SELECT CASE WHEN x.grantee = 0 THEN 'public' ELSE pg_get_userbyid(x.grantee) END AS role,
                  array_agg(x.privilege_type ORDER BY x.privilege_type) AS privileges
           FROM aclexplode(r.relacl) x WHERE x.grantee <> r.relowner GROUP BY x.grantee) g) AS grants,
    a.mat_hypertable_id AS "materializationId",
    a.mat_schema AS "materializationSchema",
    a.mat_table AS "materializationTable",
    pg_get_viewdef(a.direct_view) AS definition,
    -- The view reads the materialized buckets, and raw rows above the watermark exactly when it is to. A switch of
    -- materialized_only on a view of any other shape ends the whole server (2.14.2).
    pg_get_viewdef(r.oid) ~ (a.mat_table || '\M')
        AND a.materialized_only = (pg_get_viewdef(r.oid) !~ ('cagg_watermark\(' || a.mat_hypertable_id || '\)'))
        AS intact,
    a.materialized_only AS "materializedOnly",
    -- 2.14 keeps a fixed width in microseconds and -1 for a variable one; later versions keep an interval.
    CASE WHEN (a_json ->> 'bucket_width')::bigint > 0
         THEN ((a_json ->> 'bucket_width')::bigint * interval '1 microsecond')::text
         ELSE bf_json ->> 'bucket_width' END AS "bucketWidth",
    nullif(coalesce(bf_json ->> 'timezone', bf_json ->> 'bucket_timezone'), '') AS "bucketTimezone",
    a.time_column AS "timeColumn",
    a.time_type AS "timeType",
    (a.interval_length * interval '1 microsecond')::text AS "chunkTimeInterval",
    coalesce(a.parent_schema, a.source_schema) AS "sourceSchema",
    coalesce(a.parent_name, a.source_table) AS "sourceName",
    a.raw_hypertable_id AS "sourceId",
    coalesce(a.compression_state, 0) = 1 AS compressed,
    (SELECT jsonb_build_object('segmentBy', coalesce(cs.segmentby, '{}'), 'orderBy', coalesce(cs.orderby, '{}'),
            'orderByDesc', coalesce(cs.orderby_desc, '{}'), 'orderByNullsFirst', coalesce(cs.orderby_nullsfirst, '{}'))
     FROM _timescaledb_catalog.compression_settings cs WHERE cs.relid = a.mat_relation) AS compression,
    (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'id', j.id, 'procedure', j.proc_name, 'owner', pg_get_userbyid(j.owner::oid), 'config', j.config,
            'scheduleInterval', j.schedule_interval::text, 'initialStart', j.initial_start,
            'fixedSchedule', j.fixed_schedule, 'timezone', j.timezone, 'scheduled', j.scheduled,
            'maxRuntime', j.max_runtime::text, 'maxRetries', j.max_retries, 'retryPeriod', j.retry_period::text)
            ORDER BY j.id), '[]')
     FROM _timescaledb_config.bgw_job j WHERE j.hypertable_id = a.mat_hypertable_id AND j.id >= 1000) AS jobs,
    obj_description(a.mat_relation, 'pg_class') AS marker
FROM (SELECT 1) one
LEFT JOIN relation r ON true
LEFT JOIN aggregate a ON true
