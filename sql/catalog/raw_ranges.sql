-- Where the data that an aggregate is computed from stands now, as time ranges that its chunks cover without a gap.
-- $1 source hypertable id. No row: the source holds nothing, so nothing can be computed again.
-- Retention leaves one range; a late row makes a chunk of its own, far below it.
WITH chunks AS (
    SELECT ds.range_start, ds.range_end,
        ds.range_start > max(ds.range_end) OVER (
            ORDER BY ds.range_start ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS after_gap
    FROM _timescaledb_catalog.chunk c
    JOIN _timescaledb_catalog.chunk_constraint cc ON cc.chunk_id = c.id
    JOIN _timescaledb_catalog.dimension_slice ds ON ds.id = cc.dimension_slice_id
    JOIN _timescaledb_catalog.dimension d ON d.id = ds.dimension_id AND d.interval_length IS NOT NULL
    WHERE c.hypertable_id = $1::int AND NOT c.dropped
),
ranges AS (
    SELECT range_start, range_end, count(*) FILTER (WHERE after_gap) OVER (ORDER BY range_start) AS range
    FROM chunks
)
SELECT
    _timescaledb_functions.to_timestamp(min(range_start))::text AS begins,
    _timescaledb_functions.to_timestamp(max(range_end))::text AS ends
FROM ranges
GROUP BY range
ORDER BY 1
