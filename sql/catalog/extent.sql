-- What a hypertable or the buckets of an aggregate hold, by the catalog: chunks, and the time range that they cover.
-- $1 hypertable id, null: by its name; $2 names as a query writes them; $3 whether to add size and rows by the server's
-- statistics; $4 interval, only chunks that ended so long ago, null: all. No row: the catalog knows none.
SELECT
    coalesce(a.user_view_schema, h.schema_name) AS schema,
    coalesce(a.user_view_name, h.table_name) AS name,
    a.mat_hypertable_id IS NOT NULL AS aggregate,
    held.*
FROM _timescaledb_catalog.hypertable h
LEFT JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = h.id
CROSS JOIN LATERAL (
    SELECT count(*)::int AS chunks, min(begins)::text AS begins, max(ends)::text AS ends,
        sum(bytes)::float8 AS bytes,
        CASE WHEN bool_or(rows IS NULL) THEN NULL ELSE round(sum(rows))::float8 END AS rows
    FROM (
        SELECT
            _timescaledb_functions.to_timestamp(ds.range_start) AS begins,
            _timescaledb_functions.to_timestamp(ds.range_end) AS ends,
            CASE WHEN $3::bool THEN pg_table_size(k.oid)
                + coalesce(s.compressed_heap_size + s.compressed_toast_size, 0) END AS bytes,
            -- As the planner does it: rows by page when statistics were gathered, times the pages that there are now.
            CASE WHEN $3::bool THEN coalesce(s.numrows_pre_compression, 0) + CASE
                WHEN pg_relation_size(k.oid) = 0 THEN 0
                WHEN k.reltuples >= 0 AND k.relpages > 0
                    THEN k.reltuples / k.relpages * (pg_relation_size(k.oid) / current_setting('block_size')::int) END END AS rows
        FROM _timescaledb_catalog.chunk c
        JOIN _timescaledb_catalog.chunk_constraint cc ON cc.chunk_id = c.id
        JOIN _timescaledb_catalog.dimension_slice ds ON ds.id = cc.dimension_slice_id
        JOIN _timescaledb_catalog.dimension d ON d.id = ds.dimension_id AND d.interval_length IS NOT NULL
        LEFT JOIN _timescaledb_catalog.compression_chunk_size s ON s.chunk_id = c.id
        LEFT JOIN pg_class k ON k.oid = to_regclass(format('%I.%I', c.schema_name, c.table_name))
        WHERE c.hypertable_id = h.id AND NOT c.dropped
    ) chunks
    WHERE $4::interval IS NULL OR ends <= now() - $4::interval
) held
WHERE h.id = $1::int OR ($1::int IS NULL AND
    to_regclass(format('%I.%I', coalesce(a.user_view_schema, h.schema_name), coalesce(a.user_view_name, h.table_name)))
        IN (SELECT to_regclass(name) FROM unnest($2::text[]) AS written (name)))
LIMIT 1
