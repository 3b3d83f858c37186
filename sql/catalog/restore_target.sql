-- What stands under a name that rows are to be restored into.
-- $1 the relation, quoted and qualified. One row; the kind is null while nothing stands there.
SELECT
    CASE WHEN ca.mat_hypertable_id IS NOT NULL THEN 'aggregate'
         WHEN h.id IS NOT NULL THEN 'hypertable'
         WHEN c.relkind = 'r' THEN 'table'
         WHEN c.oid IS NOT NULL THEN 'other' END AS kind,
    obj_description(c.oid, 'pg_class') AS comment
FROM (SELECT to_regclass($1::text) AS oid) wanted
LEFT JOIN pg_class c ON c.oid = wanted.oid
LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN _timescaledb_catalog.continuous_agg ca ON ca.user_view_schema = n.nspname AND ca.user_view_name = c.relname
LEFT JOIN _timescaledb_catalog.hypertable h ON h.schema_name = n.nspname AND h.table_name = c.relname
