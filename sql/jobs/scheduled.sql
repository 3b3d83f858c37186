-- The jobs that are switched on, the longest due first, as TimescaleDB's scheduler orders them; none while the database is
-- being restored. A job that never ran has no statistics, or no next start, and is due at once.
SELECT
    j.id,
    j.application_name AS name,
    (SELECT rolname FROM pg_roles WHERE oid = j.owner) AS owner,
    j.proc_name AS procedure,
    coalesce(quote_ident(coalesce(ca.user_view_schema, h.schema_name)) || '.'
        || quote_ident(coalesce(ca.user_view_name, h.table_name)), '') AS object,
    (extract(epoch FROM j.max_runtime) * 1000)::float8 AS "maxRuntime",
    coalesce(s.next_start <= clock_timestamp(), true) AS due
FROM _timescaledb_config.bgw_job j
LEFT JOIN _timescaledb_internal.bgw_job_stat s ON s.job_id = j.id
LEFT JOIN _timescaledb_catalog.hypertable h ON h.id = j.hypertable_id
LEFT JOIN _timescaledb_catalog.continuous_agg ca ON ca.mat_hypertable_id = j.hypertable_id
WHERE j.scheduled AND current_setting('timescaledb.restoring', true) IS DISTINCT FROM 'on'
ORDER BY s.next_start NULLS FIRST, j.id
