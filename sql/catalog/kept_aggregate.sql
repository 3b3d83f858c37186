-- An aggregate that was left standing when its resource was deleted, by the marker on its materialization table.
-- $1 the marker. The latest one, if there are several.
SELECT a.user_view_schema AS schema, a.user_view_name AS name
FROM _timescaledb_catalog.continuous_agg a
JOIN _timescaledb_catalog.hypertable h ON h.id = a.mat_hypertable_id
WHERE obj_description(format('%I.%I', h.schema_name, h.table_name)::regclass, 'pg_class') = $1
ORDER BY a.mat_hypertable_id DESC
LIMIT 1
