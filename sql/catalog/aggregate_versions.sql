-- Versions of an aggregate that stand beside it: the one that is being built, and those that were replaced.
-- $1 schema, $2 name of the one that is being built, $3 and $4 bounds of the names of those that were replaced (from, to).
-- A name alone says nothing: the marker on the materialization table does.
SELECT a.user_view_schema AS schema, a.user_view_name AS name,
    obj_description(format('%I.%I', h.schema_name, h.table_name)::regclass, 'pg_class') AS marker
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $1::name
JOIN _timescaledb_catalog.continuous_agg a ON a.user_view_schema = n.nspname AND a.user_view_name = c.relname
JOIN _timescaledb_catalog.hypertable h ON h.id = a.mat_hypertable_id
WHERE c.relname = $2::name OR (c.relname >= $3::name AND c.relname < $4::name)
ORDER BY a.mat_hypertable_id DESC
