-- What stands under a name: the table, its columns and indexes, and everything the catalog knows of it as a hypertable.
-- $1 schema, $2 name. One row; "relationKind" is null when nothing stands there.
WITH wanted AS (SELECT $1::text AS schema_name, $2::text AS name),
relation AS (
    SELECT c.oid, c.relkind, c.relowner, c.relacl
    FROM wanted w
    JOIN pg_namespace n ON n.nspname = w.schema_name
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
),
hypertable AS (
    SELECT h.*, d.column_name AS time_column, d.interval_length
    FROM wanted w
    JOIN _timescaledb_catalog.hypertable h ON h.schema_name = w.schema_name AND h.table_name = w.name
    LEFT JOIN LATERAL (
        SELECT * FROM _timescaledb_catalog.dimension d
        WHERE d.hypertable_id = h.id AND d.interval_length IS NOT NULL ORDER BY d.id LIMIT 1
    ) d ON true
)
SELECT
    (SELECT value FROM _timescaledb_catalog.metadata WHERE key = 'uuid') AS "databaseUuid",
    r.relkind AS "relationKind",
    pg_get_userbyid(r.relowner) AS owner,
    obj_description(r.oid, 'pg_class') AS comment,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('role', g.role, 'privileges', g.privileges) ORDER BY g.role), '[]')
     FROM (SELECT CASE WHEN x.grantee = 0 THEN 'public' ELSE pg_get_userbyid(x.grantee) END AS role,
                  array_agg(x.privilege_type ORDER BY x.privilege_type) AS privileges
           FROM aclexplode(r.relacl) x WHERE x.grantee <> r.relowner GROUP BY x.grantee) g) AS grants,
    (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'nullable', NOT a.attnotnull,
            'default', pg_get_expr(ad.adbin, ad.adrelid), 'comment', col_description(a.attrelid, a.attnum))
            ORDER BY a.attnum), '[]')
     FROM pg_attribute a LEFT JOIN pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
     WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', i.relname, 'method', am.amname, 'unique', x.indisunique, 'primary', x.indisprimary,
            'valid', x.indisvalid, 'predicate', pg_get_expr(x.indpred, x.indrelid, true),
            'columns', (SELECT jsonb_agg(jsonb_build_object(
                    'expression', pg_get_indexdef(x.indexrelid, k, true),
                    'descending', coalesce(pg_index_column_has_property(x.indexrelid, k, 'desc'), false),
                    'nullsFirst', coalesce(pg_index_column_has_property(x.indexrelid, k, 'nulls_first'), false)) ORDER BY k)
                FROM generate_series(1, x.indnkeyatts::int) k))
            ORDER BY i.relname), '[]')
     FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am am ON am.oid = i.relam
     WHERE x.indrelid = r.oid) AS indexes,
    h.id AS "hypertableId",
    h.time_column AS "timeColumn",
    (h.interval_length * interval '1 microsecond')::text AS "chunkTimeInterval",
    coalesce(h.compression_state, 0) = 1 AS compressed,
    (SELECT jsonb_build_object('segmentBy', coalesce(cs.segmentby, '{}'), 'orderBy', coalesce(cs.orderby, '{}'),
            'orderByDesc', coalesce(cs.orderby_desc, '{}'), 'orderByNullsFirst', coalesce(cs.orderby_nullsfirst, '{}'))
     FROM _timescaledb_catalog.compression_settings cs WHERE cs.relid = r.oid) AS compression,
    (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'id', j.id, 'procedure', j.proc_name, 'owner', pg_get_userbyid(j.owner::oid), 'config', j.config,
            'scheduleInterval', j.schedule_interval::text, 'initialStart', j.initial_start,
            'fixedSchedule', j.fixed_schedule, 'timezone', j.timezone, 'scheduled', j.scheduled,
            'maxRuntime', j.max_runtime::text, 'maxRetries', j.max_retries, 'retryPeriod', j.retry_period::text)
            ORDER BY j.id), '[]')
     FROM _timescaledb_config.bgw_job j WHERE j.hypertable_id = h.id AND j.id >= 1000) AS jobs
FROM (SELECT 1) one
LEFT JOIN relation r ON true
LEFT JOIN hypertable h ON true
