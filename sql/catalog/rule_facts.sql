-- What the rules ask the live database about one aggregate; read with the search path of its query. One row.
-- $1 materialization hypertable id, null while it does not stand; $2 relations that its query reads, quoted;
-- $3 whether to look at the source, which is not where the program declares it; $4, $5 offsets of the declared
-- refresh policy (intervals, null: unbounded); $6 whether there is one that decompresses.
WITH aggregate AS (
    SELECT a.raw_hypertable_id AS source_id, format('%I.%I', a.direct_view_schema, a.direct_view_name)::regclass AS direct_view
    FROM _timescaledb_catalog.continuous_agg a WHERE a.mat_hypertable_id = $1::int
),
source AS (
    SELECT h.id, coalesce(p.user_view_schema, h.schema_name) AS schema, coalesce(p.user_view_name, h.table_name) AS name,
        CASE WHEN p.mat_hypertable_id IS NOT NULL
             THEN pg_get_viewdef(format('%I.%I', p.direct_view_schema, p.direct_view_name)::regclass) END AS definition,
        CASE WHEN (to_jsonb(p) ->> 'bucket_width')::bigint > 0
             THEN ((to_jsonb(p) ->> 'bucket_width')::bigint * interval '1 microsecond')::text
             ELSE to_jsonb(bf) ->> 'bucket_width' END AS bucket_width
    FROM _timescaledb_catalog.hypertable h
    LEFT JOIN _timescaledb_catalog.continuous_agg p ON p.mat_hypertable_id = h.id
    LEFT JOIN _timescaledb_catalog.continuous_aggs_bucket_function bf ON bf.mat_hypertable_id = h.id
    WHERE $3::bool AND (h.id = (SELECT source_id FROM aggregate)
        OR ($1::int IS NULL AND EXISTS (
            SELECT FROM unnest($2::text[]) AS read (name)
            JOIN pg_class c ON c.oid = to_regclass(read.name) JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE (n.nspname, c.relname) IN ((h.schema_name, h.table_name), (p.user_view_schema, p.user_view_name)))))
    LIMIT 1
),
jobs AS (
    -- Of a job that the login may not act for, nothing is told.
    SELECT j.id, j.hypertable_id, j.proc_name, extract(epoch FROM j.schedule_interval)::float8 AS schedule,
        extract(epoch FROM s.total_duration)::float8 / nullif(s.total_successes, 0) AS mean,
        CASE WHEN s.last_run_success AND s.last_finish > s.last_start
             THEN extract(epoch FROM s.last_finish - s.last_start)::float8 END AS last, s.total_successes AS runs
    FROM _timescaledb_config.bgw_job j JOIN _timescaledb_internal.bgw_job_stat s ON s.job_id = j.id
    WHERE j.scheduled AND j.id >= 1000 AND pg_has_role(current_user, j.owner::oid, 'MEMBER')
),
bounds AS (
    -- TimescaleDB keeps times as microseconds since 1970.
    SELECT coalesce((extract(epoch FROM now() - $4::interval) * 1000000)::bigint, -9223372036854775808) AS lower,
        (extract(epoch FROM least(now() - coalesce($5::interval, '0'), now())) * 1000000)::bigint AS upper
),
compressed AS (
    SELECT z.numrows_pre_compression AS rows, ds.range_start AS lower, ds.range_end AS upper,
        k.schema_name AS schema, k.table_name AS name
    FROM bounds b, _timescaledb_catalog.chunk c
    JOIN _timescaledb_catalog.chunk k ON k.id = c.compressed_chunk_id
    JOIN _timescaledb_catalog.compression_chunk_size z ON z.chunk_id = c.id
    JOIN _timescaledb_catalog.chunk_constraint cc ON cc.chunk_id = c.id
    JOIN _timescaledb_catalog.dimension_slice ds ON ds.id = cc.dimension_slice_id
    WHERE $6::bool AND c.hypertable_id = $1::int AND NOT c.dropped AND c.compressed_chunk_id IS NOT NULL
        AND ds.range_end > b.lower AND ds.range_start < b.upper
),
-- What changed since the last refresh, within the window, with what overlaps taken together.
changed AS (
    SELECT greatest(l.lowest_modified_value, b.lower) AS lower, least(l.greatest_modified_value, b.upper) AS upper
    FROM bounds b, (
        SELECT lowest_modified_value, greatest_modified_value
        FROM _timescaledb_catalog.continuous_aggs_materialization_invalidation_log WHERE materialization_id = $1::int
        UNION ALL
        SELECT lowest_modified_value, greatest_modified_value
        FROM _timescaledb_catalog.continuous_aggs_hypertable_invalidation_log
        WHERE hypertable_id = (SELECT source_id FROM aggregate)
    ) l
    WHERE EXISTS (SELECT FROM compressed) AND l.lowest_modified_value < b.upper AND l.greatest_modified_value > b.lower
),
steps AS (
    SELECT lower, upper,
        (lower > max(upper) OVER (ORDER BY lower, upper ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))::int AS opens
    FROM changed
),
islands AS (
    SELECT min(lower) AS lower, max(upper) AS upper
    FROM (SELECT lower, upper, sum(opens) OVER (ORDER BY lower, upper) AS island FROM steps) s
    GROUP BY island
),
activity AS (
    SELECT
        count(*) FILTER (WHERE application_name = 'TimescaleDB Background Worker Scheduler'
            AND datname IS DISTINCT FROM current_database())::int AS schedulers,
        -- As in the preflight: TimescaleDB's own come and go, and their names end in the job's number.
        count(*) FILTER (WHERE backend_type NOT IN (
                'archiver', 'autovacuum launcher', 'autovacuum worker', 'background writer', 'checkpointer',
                'client backend', 'io worker', 'logger', 'parallel worker', 'slotsync worker', 'standalone backend',
                'startup', 'walreceiver', 'walsender', 'walsummarizer', 'walwriter')
            AND application_name !~ '^TimescaleDB Background Worker' AND application_name !~ '\[\d+\]$')::int AS others
    FROM pg_stat_activity
)
SELECT
    (SELECT jsonb_build_object('schema', s.schema, 'name', s.name, 'definition', s.definition, 'bucketWidth', s.bucket_width,
            'dropAfter', (SELECT j.config ->> 'drop_after' FROM _timescaledb_config.bgw_job j
                WHERE j.hypertable_id = s.id AND j.proc_name = 'policy_retention' AND j.scheduled LIMIT 1),
            'refresh', (SELECT jsonb_build_object('startOffset', j.config ->> 'start_offset', 'endOffset', j.config ->> 'end_offset')
                FROM _timescaledb_config.bgw_job j
                WHERE j.hypertable_id = s.id AND j.proc_name = 'policy_refresh_continuous_aggregate' AND j.scheduled LIMIT 1))
     FROM source s) AS source,
    (SELECT jsonb_build_object('runs', j.runs, 'mean', j.mean, 'last', j.last) FROM jobs j
     WHERE j.hypertable_id = $1::int AND j.proc_name = 'policy_refresh_continuous_aggregate' AND j.runs > 0 LIMIT 1) AS run,
    -- Compressed chunks with what changed in them: how many rows each was compressed with, and the column with the
    -- least time of a batch, null where several columns may be that.
    (SELECT coalesce(jsonb_agg(jsonb_build_object('schema', o.schema, 'name', o.name, 'rows', o.rows, 'ranges', o.ranges,
            'batchStart', (SELECT CASE WHEN count(*) = 1 THEN min(t.attname) END FROM pg_attribute t
                WHERE t.attrelid = format('%I.%I', o.schema, o.name)::regclass AND t.attname ~ '^_ts_meta_min_\d+$'
                    AND t.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)))), '[]')
     FROM (SELECT c.schema, c.name, c.rows, jsonb_agg(jsonb_build_array(
               _timescaledb_functions.to_timestamp(greatest(c.lower, i.lower)),
               _timescaledb_functions.to_timestamp(least(c.upper, i.upper)))) AS ranges
           FROM compressed c JOIN islands i ON i.lower < c.upper AND i.upper > c.lower GROUP BY 1, 2, 3) o) AS compressed,
    -- Jobs run as their owner, whose own setting goes before the database's and the server's.
    coalesce((SELECT substring(setting FROM '=(\d+)')::int
              FROM pg_db_role_setting r CROSS JOIN unnest(r.setconfig) AS setting
              WHERE r.setrole = (SELECT j.owner::oid FROM _timescaledb_config.bgw_job j WHERE j.hypertable_id = $1::int
                      AND j.proc_name = 'policy_refresh_continuous_aggregate' LIMIT 1)
                  AND (r.setdatabase = 0 OR r.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()))
                  AND setting LIKE 'timescaledb.max\_tuples\_decompressed\_per\_dml\_transaction=%'
              ORDER BY r.setdatabase DESC LIMIT 1),
        current_setting('timescaledb.max_tuples_decompressed_per_dml_transaction', true)::int) AS "decompressionLimit",
    (SELECT jsonb_build_object('demand', (SELECT coalesce(sum(mean / nullif(schedule, 0)), 0) FROM jobs),
            'jobs', (SELECT count(*) FROM jobs WHERE mean IS NOT NULL),
            'maxBackgroundWorkers', current_setting('timescaledb.max_background_workers', true)::int,
            'maxWorkerProcesses', current_setting('max_worker_processes')::int,
            'otherSchedulers', a.schedulers, 'otherWorkers', a.others) FROM activity a) AS workers,
    -- The stored tree, where integers are multiplied in it at all: int2mul, int4mul, int24mul, int42mul.
    (SELECT r.ev_action::text FROM aggregate a JOIN pg_rewrite r ON r.ev_class = a.direct_view
     WHERE r.ev_action::text ~ ':opfuncid (?:152|141|170|171) ') AS products
