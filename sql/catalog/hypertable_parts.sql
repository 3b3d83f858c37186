-- What belongs to a hypertable, or to an aggregate's materialization hypertable: indexes, compression and jobs.
-- $1 hypertable id. One row.
SELECT
    (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'schema', n.nspname, 'name', i.relname, 'method', am.amname, 'unique', x.indisunique,
            'primary', x.indisprimary, 'valid', x.indisvalid, 'predicate', pg_get_expr(x.indpred, x.indrelid, true),
            -- What a declared index never has, so that one which has it differs.
            'extras', nullif(concat_ws(', ',
                CASE WHEN x.indnatts > x.indnkeyatts THEN 'INCLUDE columns' END,
                'storage parameters ' || array_to_string(i.reloptions, ', '),
                CASE WHEN i.reltablespace <> 0 THEN 'a tablespace of its own' END,
                CASE WHEN EXISTS (SELECT FROM unnest(x.indclass::oid[]) o (id) JOIN pg_opclass c ON c.oid = o.id
                                  WHERE NOT c.opcdefault) THEN 'another operator class' END,
                CASE WHEN EXISTS (SELECT FROM unnest(x.indkey::int2[], x.indcollation::oid[]) k (attnum, coll)
                                  JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
                                  WHERE k.coll NOT IN (0, a.attcollation)) THEN 'another collation' END), ''),
            'constraint', (SELECT c.conname FROM pg_constraint c
                           WHERE c.conindid = i.oid AND c.conrelid = x.indrelid AND c.contype IN ('p', 'u', 'x')),
            'columns', (SELECT jsonb_agg(jsonb_build_object(
                    'expression', pg_get_indexdef(x.indexrelid, k, true),
                    'descending', coalesce(pg_index_column_has_property(x.indexrelid, k, 'desc'), false),
                    'nullsFirst', coalesce(pg_index_column_has_property(x.indexrelid, k, 'nulls_first'), false)) ORDER BY k)
                FROM generate_series(1, x.indnkeyatts::int) k))
            ORDER BY i.relname), '[]')
     FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
     JOIN pg_am am ON am.oid = i.relam
     WHERE x.indrelid = format('%I.%I', h.schema_name, h.table_name)::regclass) AS indexes,
    coalesce(h.compression_state, 0) = 1 AS compressed,
    (SELECT count(*)::int FROM _timescaledb_catalog.chunk c
     WHERE c.hypertable_id = h.id AND c.compressed_chunk_id IS NOT NULL AND NOT c.dropped) AS "compressedChunks",
    (SELECT count(*)::int FROM _timescaledb_catalog.chunk c
     WHERE c.hypertable_id = h.id AND NOT c.dropped) AS chunks,
    (SELECT jsonb_build_object('segmentBy', coalesce(cs.segmentby, '{}'), 'orderBy', coalesce(cs.orderby, '{}'),
            'orderByDesc', coalesce(cs.orderby_desc, '{}'), 'orderByNullsFirst', coalesce(cs.orderby_nullsfirst, '{}'),
            'chunkTimeInterval', (SELECT (d.compress_interval_length * interval '1 microsecond')::text
                FROM _timescaledb_catalog.dimension d
                WHERE d.hypertable_id = h.id AND d.interval_length IS NOT NULL ORDER BY d.id LIMIT 1))
     FROM _timescaledb_catalog.compression_settings cs
     WHERE cs.relid = format('%I.%I', h.schema_name, h.table_name)::regclass) AS compression,
    (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'id', j.id, 'procedure', j.proc_name, 'owner', pg_get_userbyid(j.owner::oid),
            'ownedByMember', pg_has_role(current_user, j.owner::oid, 'MEMBER'), 'config', j.config,
            'scheduleInterval', j.schedule_interval::text, 'initialStart', j.initial_start,
            'fixedSchedule', j.fixed_schedule, 'timezone', j.timezone, 'scheduled', j.scheduled,
            'maxRuntime', j.max_runtime::text, 'maxRetries', j.max_retries, 'retryPeriod', j.retry_period::text)
            ORDER BY j.id), '[]')
     FROM _timescaledb_config.bgw_job j WHERE j.hypertable_id = h.id AND j.id >= 1000) AS jobs
FROM _timescaledb_catalog.hypertable h
WHERE h.id = $1::int
