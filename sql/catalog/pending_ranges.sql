-- Time ranges in which aggregates do not yet have what their sources have, as far as refreshes were told; those of one
-- aggregate that touch are one.
-- $1 materialization hypertable ids. Inclusive and exclusive, literals in UTC; unbounded ends are infinite.
WITH f AS (SELECT -210866803200000000::bigint AS lo, 9223371331199999999::bigint AS hi),
ranges AS (
    SELECT materialization_id AS id, lowest_modified_value AS begins, greatest_modified_value AS ends
    FROM _timescaledb_catalog.continuous_aggs_materialization_invalidation_log WHERE materialization_id = ANY ($1::int[])
    UNION ALL
    SELECT a.mat_hypertable_id, l.lowest_modified_value, l.greatest_modified_value
    FROM _timescaledb_catalog.continuous_aggs_hypertable_invalidation_log l
    JOIN _timescaledb_catalog.continuous_agg a ON a.raw_hypertable_id = l.hypertable_id
    WHERE a.mat_hypertable_id = ANY ($1::int[])
),
steps AS (
    SELECT id, begins, ends, (begins - 1 > max(ends) OVER before)::int AS opens
    -- A range that was refreshed wholly leaves a stub before the first time there is.
    FROM (SELECT id, greatest(begins, f.lo) AS begins, ends FROM ranges, f WHERE ends >= f.lo) r
    WINDOW before AS (PARTITION BY id ORDER BY begins, ends ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
islands AS (
    SELECT id, min(begins) AS begins, max(ends) AS ends
    FROM (SELECT *, sum(opens) OVER (PARTITION BY id ORDER BY begins, ends) AS island FROM steps) s
    GROUP BY id, island
)
SELECT
    id,
    CASE WHEN begins <= f.lo THEN '-infinity'
         ELSE to_char(_timescaledb_functions.to_timestamp(begins) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END AS begins,
    CASE WHEN ends >= f.hi THEN 'infinity'
         ELSE to_char(_timescaledb_functions.to_timestamp(ends + 1) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END AS ends
FROM islands, f
ORDER BY 1, islands.begins
