-- How much a hypertable holds, as far as statistics and chunks tell.
-- $1 hypertable id. One row; times are null while there is no chunk, rows are 0 while there are no statistics.
SELECT
    greatest(approximate_row_count(format('%I.%I', h.schema_name, h.table_name)::regclass), 0)::text AS rows,
    coalesce(hypertable_size(format('%I.%I', h.schema_name, h.table_name)::regclass), 0)::text AS size,
    c.chunks, c.oldest, c.newest
FROM _timescaledb_catalog.hypertable h
CROSS JOIN LATERAL (
    SELECT count(*)::int AS chunks, _timescaledb_functions.to_timestamp(min(ds.range_start))::text AS oldest,
        _timescaledb_functions.to_timestamp(max(ds.range_end))::text AS newest
    FROM _timescaledb_catalog.chunk c
    JOIN _timescaledb_catalog.chunk_constraint cc ON cc.chunk_id = c.id
    JOIN _timescaledb_catalog.dimension_slice ds ON ds.id = cc.dimension_slice_id
    JOIN _timescaledb_catalog.dimension d ON d.id = ds.dimension_id AND d.interval_length IS NOT NULL
    WHERE c.hypertable_id = h.id AND NOT c.dropped
) c
WHERE h.id = $1::int
