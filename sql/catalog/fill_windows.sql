-- A range of an aggregate in windows of whole buckets, oldest first, and the part of each (null: none) of which raw data has
-- changed since it was computed, or was never computed. $1 materialization hypertable id, $2 and $3 the range (timestamptz, whole buckets),
-- $4 about how long a window is, $5 width of a bucket (intervals), $6 the time zone of buckets, or null. Times are
-- literals in UTC; an end is exclusive.
WITH edges AS MATERIALIZED (
    SELECT edge, row_number() OVER (ORDER BY edge) AS number, lead(edge) OVER (ORDER BY edge) AS next
    FROM (
        SELECT CASE WHEN $6::text IS NULL THEN time_bucket($5::interval, step)
                    ELSE time_bucket($5::interval, step, $6::text) END AS edge
        FROM generate_series($2::timestamptz, $3::timestamptz, $4::interval) AS step
        UNION
        SELECT $3::timestamptz
    ) AS bucketed
    WHERE edge >= $2::timestamptz
),
changed AS (
    SELECT lowest_modified_value AS lowest, greatest_modified_value AS greatest
    FROM _timescaledb_catalog.continuous_aggs_materialization_invalidation_log
    WHERE materialization_id = $1::int
    UNION
    SELECT l.lowest_modified_value, l.greatest_modified_value
    FROM _timescaledb_catalog.continuous_aggs_hypertable_invalidation_log l
    JOIN _timescaledb_catalog.continuous_agg a ON a.raw_hypertable_id = l.hypertable_id
    WHERE a.mat_hypertable_id = $1::int
),
pending AS (
    SELECT number, min(lowest) AS lowest, max(greatest) AS greatest
    FROM (
        SELECT lowest, greatest, generate_series(
            greatest(1, width_bucket(lowest, starts)),
            least(cardinality(starts) - 1, width_bucket(greatest, starts))) AS number
        FROM changed,
            (SELECT array_agg(_timescaledb_functions.to_unix_microseconds(edge) ORDER BY number) AS starts FROM edges) AS s
    ) AS parts
    GROUP BY number
)
SELECT
    to_char(edge AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS start,
    to_char(next AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS end,
    -- What has changed in the middle of a bucket has changed the bucket.
    to_char(CASE WHEN lowest <= _timescaledb_functions.to_unix_microseconds(edge) THEN edge
                 WHEN $6::text IS NULL THEN time_bucket($5::interval, _timescaledb_functions.to_timestamp(lowest))
                 ELSE time_bucket($5::interval, _timescaledb_functions.to_timestamp(lowest), $6::text)
            END AT TIME ZONE 'UTC',
        'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "pendingFrom",
    to_char(CASE WHEN greatest >= _timescaledb_functions.to_unix_microseconds(next) THEN next
                 ELSE _timescaledb_functions.to_timestamp(greatest + 1) END AT TIME ZONE 'UTC',
        'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "pendingTo"
FROM edges LEFT JOIN pending USING (number)
WHERE next IS NOT NULL
ORDER BY number
