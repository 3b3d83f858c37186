-- Every continuous aggregate of the database: what it is, and how far it was computed.
-- No parameters; run with TimescaleDB's schema in the search path. Times are literals in UTC; those of an aggregate over
-- a time that is no date are null.
WITH f AS (SELECT -210866803200000000::bigint AS lo),
aggregate AS (
    SELECT a.*, to_jsonb(a) AS a_json, to_jsonb(bf) AS bf_json,
        format('%I.%I', mh.schema_name, mh.table_name) AS mat_table, mh.schema_name AS mat_schema, mh.table_name AS mat_name,
        d.column_name AS time_column, d.column_type NOT IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) AS integers,
        rh.schema_name AS raw_schema, rh.table_name AS raw_name, p.user_view_schema AS parent_schema, p.user_view_name AS parent_name,
        dv.oid AS direct_view, uv.oid AS user_view, mt.oid AS mat_relation
    FROM _timescaledb_catalog.continuous_agg a
    JOIN _timescaledb_catalog.hypertable mh ON mh.id = a.mat_hypertable_id
    JOIN _timescaledb_catalog.hypertable rh ON rh.id = a.raw_hypertable_id
    JOIN _timescaledb_catalog.dimension d ON d.hypertable_id = mh.id AND d.interval_length IS NOT NULL
    LEFT JOIN _timescaledb_catalog.continuous_agg p ON p.mat_hypertable_id = a.raw_hypertable_id
    LEFT JOIN _timescaledb_catalog.continuous_aggs_bucket_function bf ON bf.mat_hypertable_id = a.mat_hypertable_id
    -- By name and without to_regclass, which fails where the login may not use the schema.
    LEFT JOIN (pg_class dv JOIN pg_namespace dn ON dn.oid = dv.relnamespace)
        ON dn.nspname = a.direct_view_schema AND dv.relname = a.direct_view_name
    LEFT JOIN (pg_class uv JOIN pg_namespace un ON un.oid = uv.relnamespace)
        ON un.nspname = a.user_view_schema AND uv.relname = a.user_view_name
    LEFT JOIN (pg_class mt JOIN pg_namespace mn ON mn.oid = mt.relnamespace)
        ON mn.nspname = mh.schema_name AND mt.relname = mh.table_name
),
timed AS (
    SELECT a.*,
        CASE WHEN integers THEN NULL
             WHEN (a_json ->> 'bucket_width')::bigint > 0 THEN (a_json ->> 'bucket_width')::bigint * interval '1 microsecond'
             ELSE (bf_json ->> 'bucket_width')::interval END AS width,
        nullif(coalesce(bf_json ->> 'timezone', bf_json ->> 'bucket_timezone'), '') AS timezone,
        CASE WHEN NOT integers AND w.watermark > f.lo THEN _timescaledb_functions.to_timestamp(w.watermark) END AS watermark
    FROM f, aggregate a
    LEFT JOIN _timescaledb_catalog.continuous_aggs_watermark w USING (mat_hypertable_id)
)
SELECT
    user_view_schema AS schema,
    user_view_name AS name,
    mat_hypertable_id AS id,
    raw_hypertable_id AS "sourceId",
    coalesce(parent_schema, raw_schema) AS "sourceSchema",
    coalesce(parent_name, raw_name) AS "sourceName",
    parent_name IS NOT NULL AS "overAggregate",
    CASE WHEN user_view IS NULL THEN 'missing'
         WHEN pg_get_viewdef(user_view) ~ ('\m' || mat_name || '\M') THEN 'intact' ELSE 'replaced' END AS view,
    materialized_only AS "materializedOnly",
    time_column AS "timeColumn",
    integers AS "integerTime",
    width::text AS "bucketWidth",
    timezone AS "bucketTimezone",
    to_char(watermark AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "newestEnd",
    to_char(CASE WHEN timezone IS NULL THEN time_bucket(width, watermark - interval '1 microsecond')
                 ELSE time_bucket(width, watermark - interval '1 microsecond', timezone) END
            AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "newestBucket",
    -- From the first whole bucket in the window on: what the policies would refresh now. Null bounds: unbounded.
    (SELECT coalesce(jsonb_agg(jsonb_build_object('job', j.id, 'scheduled', j.scheduled,
            'begins', to_char(CASE WHEN j.start_bucket < j.start THEN
                    CASE WHEN timezone IS NULL THEN j.start_bucket + width
                         ELSE time_bucket(width, j.start_bucket + width + width / 2, timezone) END
                ELSE j.start_bucket END AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'ends', to_char(j.end_bucket AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) ORDER BY j.id), '[]')
     FROM (SELECT j.*, CASE WHEN timezone IS NULL THEN time_bucket(width, j.start) ELSE time_bucket(width, j.start, timezone) END AS start_bucket,
               CASE WHEN timezone IS NULL THEN time_bucket(width, j.ends) ELSE time_bucket(width, j.ends, timezone) END AS end_bucket
           FROM (SELECT j.id, j.scheduled, now() - (j.config ->> 'start_offset')::interval AS start,
                     now() - (j.config ->> 'end_offset')::interval AS ends
                 FROM _timescaledb_config.bgw_job j
                 WHERE j.hypertable_id = mat_hypertable_id AND j.proc_name = 'policy_refresh_continuous_aggregate' AND NOT integers) j) j) AS windows,
    pg_get_viewdef(direct_view) AS definition,
    -- The stored tree, where integers are multiplied in it at all: int2mul, int4mul, int24mul, int42mul.
    (SELECT r.ev_action::text FROM pg_rewrite r
     WHERE r.ev_class = direct_view AND r.ev_action::text ~ ':opfuncid (?:152|141|170|171) ') AS products,
    obj_description(mat_relation, 'pg_class') AS marker
FROM timed
ORDER BY 1, 2
