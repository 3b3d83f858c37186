-- The edges of the windows that a first fill refreshes, oldest first, each a whole number of buckets.
-- $1 materialization hypertable id, $2 retention of the aggregate (interval, null: for ever), $3 whether buckets
-- are there already. An edge is a literal of the time column's type, in UTC. No row: nothing to fill.
WITH aggregate AS (
    SELECT
        a.raw_hypertable_id AS source_id,
        CASE WHEN (a_json ->> 'bucket_width')::bigint > 0
             THEN (a_json ->> 'bucket_width')::bigint * interval '1 microsecond'
             ELSE (bf_json ->> 'bucket_width')::interval END AS width,
        nullif(coalesce(bf_json ->> 'timezone', bf_json ->> 'bucket_timezone'), '') AS timezone
    FROM (
        SELECT a.*, to_jsonb(a) AS a_json, to_jsonb(bf) AS bf_json
        FROM _timescaledb_catalog.continuous_agg a
        LEFT JOIN _timescaledb_catalog.continuous_aggs_bucket_function bf USING (mat_hypertable_id)
        WHERE a.mat_hypertable_id = $1::int
    ) a
),
source AS (
    SELECT g.*, d.interval_length * interval '1 microsecond' AS chunk,
        (SELECT _timescaledb_functions.to_timestamp(min(ds.range_start))
         FROM _timescaledb_catalog.chunk c
         JOIN _timescaledb_catalog.chunk_constraint cc ON cc.chunk_id = c.id
         JOIN _timescaledb_catalog.dimension_slice ds ON ds.id = cc.dimension_slice_id
         WHERE c.hypertable_id = g.source_id AND ds.dimension_id = d.id AND NOT c.dropped) AS first_chunk,
        (SELECT (j.config ->> 'drop_after')::interval FROM _timescaledb_config.bgw_job j
         WHERE j.hypertable_id = g.source_id AND j.proc_name = 'policy_retention' LIMIT 1) AS source_retention
    FROM aggregate g
    JOIN _timescaledb_catalog.dimension d ON d.hypertable_id = g.source_id AND d.interval_length IS NOT NULL
),
bounds AS (
    SELECT s.*, greatest(first_chunk, now() - $2::interval) AS wanted,
        -- Retention has cut the source where its first chunk is as old as retention lets it be: the bucket that
        -- the cut goes through would be a part of itself. So would one, filled before, that is filled again.
        $3::bool OR coalesce(first_chunk < now() - source_retention + 2 * chunk, false) AS whole_only
    FROM source s
    WHERE first_chunk IS NOT NULL
),
floored AS (
    SELECT b.*,
        CASE WHEN timezone IS NULL THEN time_bucket(width, wanted) ELSE time_bucket(width, wanted, timezone) END AS floor
    FROM bounds b
),
steps AS (
    SELECT f.*,
        CASE WHEN whole_only AND floor < wanted THEN floor + width ELSE floor END AS lower,
        greatest(width, chunk, interval '1 day') AS step
    FROM floored f
),
edges AS (
    SELECT DISTINCT CASE WHEN timezone IS NULL THEN time_bucket(width, edge)
                         ELSE time_bucket(width, edge, timezone) END AS edge
    FROM steps, generate_series(lower, now(), step) AS edge
    UNION
    -- The last window ends with the last bucket that is over: a window that reaches into the future would move
    -- the source's invalidation threshold there.
    SELECT CASE WHEN timezone IS NULL THEN time_bucket(width, now()) ELSE time_bucket(width, now(), timezone) END
    FROM steps
)
SELECT to_char(edge AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS edge FROM edges, steps
WHERE edge >= lower
ORDER BY edges.edge
