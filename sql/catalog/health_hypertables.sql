-- Every hypertable of the database, those of aggregates included, with what its chunks take.
-- No parameters. Times are literals in UTC; of a hypertable over a time that is no date there are none. Rows are as
-- statistics have them, null while there are none. The oldest and the newest chunk are relations, each null where the
-- login may not read it.
WITH hypertables AS (
    SELECT h.id, h.schema_name, h.table_name, h.compression_state, d.id AS dimension, d.column_name, d.interval_length,
        d.column_type NOT IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) AS integers,
        (SELECT min((j.config ->> 'drop_after')::interval) FROM _timescaledb_config.bgw_job j
         WHERE j.hypertable_id = h.id AND j.proc_name = 'policy_retention') AS drop_after,
        (SELECT min((j.config ->> 'compress_after')::interval) FROM _timescaledb_config.bgw_job j
         WHERE j.hypertable_id = h.id AND j.proc_name = 'policy_compression') AS compress_after
    FROM _timescaledb_catalog.hypertable h
    JOIN LATERAL (SELECT * FROM _timescaledb_catalog.dimension d
        WHERE d.hypertable_id = h.id AND d.interval_length IS NOT NULL ORDER BY d.id LIMIT 1) d ON true
    -- Compressed chunks have a hypertable of their own.
    WHERE h.compression_state <> 2
),
chunks AS (
    SELECT h.id, c.schema_name, c.table_name, k.oid, ds.range_start, ds.range_end,
        CASE WHEN NOT h.integers THEN _timescaledb_functions.to_timestamp(ds.range_end) END AS ends,
        c.compressed_chunk_id IS NOT NULL AS compressed,
        pg_table_size(k.oid)::float8 AS table_bytes,
        pg_indexes_size(k.oid)::float8 AS index_bytes,
        coalesce(pg_total_relation_size(z.oid), 0)::float8 AS compressed_bytes,
        s.uncompressed_heap_size + s.uncompressed_toast_size + s.uncompressed_index_size AS bytes_before,
        s.compressed_heap_size + s.compressed_toast_size + s.compressed_index_size AS bytes_after,
        coalesce(s.numrows_pre_compression, 0) + CASE
            WHEN pg_relation_size(k.oid) = 0 THEN 0
            WHEN k.reltuples >= 0 AND k.relpages > 0
                THEN k.reltuples / k.relpages * (pg_relation_size(k.oid) / current_setting('block_size')::int) END AS rows
    FROM hypertables h
    JOIN _timescaledb_catalog.chunk c ON c.hypertable_id = h.id AND NOT c.dropped
    JOIN _timescaledb_catalog.chunk_constraint cc ON cc.chunk_id = c.id
    JOIN _timescaledb_catalog.dimension_slice ds ON ds.id = cc.dimension_slice_id AND ds.dimension_id = h.dimension
    LEFT JOIN (pg_class k JOIN pg_namespace n ON n.oid = k.relnamespace)
        ON n.nspname = c.schema_name AND k.relname = c.table_name
    LEFT JOIN _timescaledb_catalog.chunk zc ON zc.id = c.compressed_chunk_id
    LEFT JOIN (pg_class z JOIN pg_namespace zn ON zn.oid = z.relnamespace)
        ON zn.nspname = zc.schema_name AND z.relname = zc.table_name
    LEFT JOIN _timescaledb_catalog.compression_chunk_size s ON s.chunk_id = c.id
),
-- How fast it grows: the latest seven chunks that are over, by the time that they cover.
closed AS (
    SELECT id, sum(bytes) / (sum(length) / 86400000000.0) AS growth
    FROM (SELECT id, sum(table_bytes + index_bytes + compressed_bytes) AS bytes, max(range_end - range_start) AS length,
              row_number() OVER (PARTITION BY id ORDER BY range_end DESC) AS latest
          FROM chunks WHERE ends <= now() GROUP BY id, range_start, range_end) c
    WHERE latest <= 7 GROUP BY id
),
held AS (
    SELECT c.id, count(*)::int AS chunks,
        count(*) FILTER (WHERE c.compressed)::int AS compressed_chunks,
        count(*) FILTER (WHERE NOT c.compressed AND c.ends <= now() - h.compress_after)::int AS to_compress,
        count(*) FILTER (WHERE c.ends <= now() - h.drop_after)::int AS to_drop,
        sum(c.table_bytes + c.index_bytes + c.compressed_bytes) AS bytes,
        sum(c.index_bytes) AS index_bytes,
        sum(c.bytes_before)::float8 AS bytes_before, sum(c.bytes_after)::float8 AS bytes_after,
        CASE WHEN bool_or(c.rows IS NULL) THEN NULL ELSE round(sum(c.rows))::float8 END AS rows,
        min(c.range_start) AS oldest, max(c.range_end) AS newest,
        (array_agg(c.oid ORDER BY c.range_start, c.oid))[1] AS oldest_chunk,
        (array_agg(c.oid ORDER BY c.range_end DESC, c.oid))[1] AS newest_chunk
    FROM chunks c JOIN hypertables h USING (id) GROUP BY c.id
)
SELECT
    h.id,
    h.schema_name AS schema,
    h.table_name AS name,
    h.column_name AS "timeColumn",
    h.integers AS "integerTime",
    NOT EXISTS (SELECT FROM _timescaledb_catalog.continuous_agg a WHERE a.mat_hypertable_id = h.id) AS raw,
    CASE WHEN NOT h.integers THEN (h.interval_length * interval '1 microsecond')::text END AS "chunkTimeInterval",
    h.drop_after::text AS "dropAfter",
    h.compress_after::text AS "compressAfter",
    h.compression_state = 1 AS "compressionEnabled",
    coalesce(c.chunks, 0) AS chunks,
    coalesce(c.compressed_chunks, 0) AS "compressedChunks",
    coalesce(c.to_compress, 0) AS "chunksToCompress",
    coalesce(c.to_drop, 0) AS "chunksToDrop",
    coalesce(c.bytes, 0) AS bytes,
    coalesce(c.index_bytes, 0) AS "indexBytes",
    c.bytes_before AS "bytesBeforeCompression",
    c.bytes_after AS "bytesAfterCompression",
    g.growth::float8 AS "bytesPerDay",
    CASE WHEN c.chunks IS NULL THEN 0 ELSE c.rows END AS rows,
    CASE WHEN NOT h.integers THEN to_char(_timescaledb_functions.to_timestamp(c.oldest) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END AS "oldestChunk",
    CASE WHEN NOT h.integers THEN to_char(_timescaledb_functions.to_timestamp(c.newest) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END AS "newestChunkEnd",
    CASE WHEN has_table_privilege(c.oldest_chunk, 'SELECT') THEN (SELECT format('%I.%I', n.nspname, k.relname)
        FROM pg_class k JOIN pg_namespace n ON n.oid = k.relnamespace WHERE k.oid = c.oldest_chunk) END AS "oldestRelation",
    CASE WHEN has_table_privilege(c.newest_chunk, 'SELECT') THEN (SELECT format('%I.%I', n.nspname, k.relname)
        FROM pg_class k JOIN pg_namespace n ON n.oid = k.relnamespace WHERE k.oid = c.newest_chunk) END AS "newestRelation",
    EXISTS (SELECT FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE n.nspname = h.schema_name AND t.relname = h.table_name
            AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(t.oid, 'SELECT')) AS readable
FROM hypertables h
LEFT JOIN held c USING (id)
LEFT JOIN closed g USING (id)
ORDER BY 2, 3
