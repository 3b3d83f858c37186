-- The columns of a relation in their order with their types, and the versions of the server that holds it.
-- $1 the relation, quoted and qualified. One row.
SELECT
    (SELECT coalesce(jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod))
            ORDER BY a.attnum), '[]')
     FROM pg_attribute a
     WHERE a.attrelid = to_regclass($1::text) AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    current_setting('server_version') AS "postgresVersion",
    (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS "timescaleVersion"
