-- From when to when an aggregate can be filled, in whole buckets. $1 materialization hypertable id, $2 retention of
-- the aggregate (interval, null: for ever), $3 whether buckets are there already, $4 and $5 what is wanted alone
-- (timestamptz, null: everything). Times are literals in UTC; a date or a time without zone counts as one in UTC.
-- No row: nothing can be filled.
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
chunks AS (
    SELECT c.dropped, ds.range_start, ds.range_end
    FROM aggregate g
    JOIN _timescaledb_catalog.dimension d ON d.hypertable_id = g.source_id AND d.interval_length IS NOT NULL
    JOIN _timescaledb_catalog.dimension_slice ds ON ds.dimension_id = d.id
    JOIN _timescaledb_catalog.chunk_constraint cc ON cc.dimension_slice_id = ds.id
    JOIN _timescaledb_catalog.chunk c ON c.id = cc.chunk_id AND c.hypertable_id = g.source_id
),
source AS (
    SELECT g.*, d.interval_length * interval '1 microsecond' AS chunk,
        (SELECT _timescaledb_functions.to_timestamp(min(range_start)) FROM chunks WHERE NOT dropped) AS first_chunk,
        (SELECT _timescaledb_functions.to_timestamp(max(range_end)) FROM chunks WHERE dropped) AS dropped_to,
        (SELECT (j.config ->> 'drop_after')::interval FROM _timescaledb_config.bgw_job j
         WHERE j.hypertable_id = g.source_id AND j.proc_name = 'policy_retention' LIMIT 1) AS source_retention
    FROM aggregate g
    JOIN _timescaledb_catalog.dimension d ON d.hypertable_id = g.source_id AND d.interval_length IS NOT NULL
),
bounds AS (
    -- A late row below what was dropped stands for nothing of what was there.
    SELECT s.*, greatest(first_chunk, dropped_to) AS raw_from,
        greatest(first_chunk, dropped_to, now() - $2::interval, $4::timestamptz) AS wanted,
        -- Retention has cut the source where its first chunk is as old as retention lets it be: the bucket that
        -- the cut goes through would be a part of itself. So would one, filled before, that is filled again.
        $3::bool OR dropped_to IS NOT NULL OR $4::timestamptz IS NOT NULL
            OR coalesce(first_chunk < now() - source_retention + 2 * chunk, false) AS whole_only
    FROM source s
    WHERE first_chunk IS NOT NULL
),
floored AS (
    SELECT b.*,
        CASE WHEN timezone IS NULL THEN time_bucket(width, wanted)
             ELSE time_bucket(width, wanted, timezone) END AS floor,
        -- A window that reaches into the future would move the source's invalidation threshold there.
        CASE WHEN timezone IS NULL THEN time_bucket(width, now())
             ELSE time_bucket(width, now(), timezone) END AS present,
        CASE WHEN timezone IS NULL THEN time_bucket(width, least($5::timestamptz, now()))
             ELSE time_bucket(width, least($5::timestamptz, now()), timezone) END AS upper
    FROM bounds b
),
-- In a time zone with summer time a bucket and its width do not end where the next bucket begins.
lowered AS (
    SELECT f.*, CASE
        WHEN NOT whole_only OR floor = wanted THEN floor
        WHEN timezone IS NULL THEN floor + width
        ELSE time_bucket(width, floor + width + width / 2, timezone) END AS lower
    FROM floored f
)
SELECT
    to_char(lower AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS lower,
    to_char(upper AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS upper,
    to_char(raw_from AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "rawFrom",
    to_char(present AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS present,
    width::text AS width,
    timezone,
    -- As fine as a fill may have to stop, and not so fine that there are many thousands of windows.
    greatest(width, interval '10 minutes', (upper - lower) / 4000)::text AS unit,
    extract(epoch FROM greatest(width, chunk, interval '1 day'))::float8 * 1000 AS chunk
FROM lowered
WHERE lower < upper
