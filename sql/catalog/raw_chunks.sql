-- The chunks of the data that an aggregate is computed from, oldest first, each with the time range that it covers.
-- $1 source hypertable id. No row: the source holds nothing, so nothing can be computed again.
SELECT
    c.schema_name AS schema,
    c.table_name AS name,
    _timescaledb_functions.to_timestamp(ds.range_start)::text AS begins,
    _timescaledb_functions.to_timestamp(ds.range_end)::text AS ends
FROM _timescaledb_catalog.chunk c
JOIN _timescaledb_catalog.chunk_constraint cc ON cc.chunk_id = c.id
JOIN _timescaledb_catalog.dimension_slice ds ON ds.id = cc.dimension_slice_id
JOIN _timescaledb_catalog.dimension d ON d.id = ds.dimension_id AND d.interval_length IS NOT NULL
WHERE c.hypertable_id = $1::int AND NOT c.dropped
ORDER BY ds.range_start, c.id
