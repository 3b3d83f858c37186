-- Ends of the chunks that an aggregate's buckets lie in, oldest first: history is copied one by one of them.
-- $1 materialization hypertable id. Literals in UTC.
SELECT to_char(_timescaledb_functions.to_timestamp(ds.range_end) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS edge
FROM _timescaledb_catalog.chunk c
JOIN _timescaledb_catalog.chunk_constraint cc ON cc.chunk_id = c.id
JOIN _timescaledb_catalog.dimension_slice ds ON ds.id = cc.dimension_slice_id
JOIN _timescaledb_catalog.dimension d ON d.id = ds.dimension_id AND d.interval_length IS NOT NULL
WHERE c.hypertable_id = $1::int AND NOT c.dropped
ORDER BY ds.range_end
