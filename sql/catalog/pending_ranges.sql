-- Time ranges in which an aggregate does not yet have what its source has, as far as refreshes were told.
-- $1 materialization hypertable id. Inclusive and exclusive, literals in UTC; unbounded ends are infinite.
WITH f AS (SELECT -210866803200000000::bigint AS lo, 9223371331199999999::bigint AS hi),
ranges AS (
    SELECT lowest_modified_value AS begins, greatest_modified_value AS ends
    FROM _timescaledb_catalog.continuous_aggs_materialization_invalidation_log WHERE materialization_id = $1::int
    UNION ALL
    SELECT l.lowest_modified_value, l.greatest_modified_value
    FROM _timescaledb_catalog.continuous_aggs_hypertable_invalidation_log l
    JOIN _timescaledb_catalog.continuous_agg a ON a.raw_hypertable_id = l.hypertable_id
    WHERE a.mat_hypertable_id = $1::int
)
SELECT
    CASE WHEN begins <= f.lo THEN '-infinity'
         ELSE to_char(_timescaledb_functions.to_timestamp(begins) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END AS begins,
    CASE WHEN ends >= f.hi THEN 'infinity'
         ELSE to_char(_timescaledb_functions.to_timestamp(ends + 1) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END AS ends
FROM ranges, f
WHERE ends >= f.lo
ORDER BY 1, 2
