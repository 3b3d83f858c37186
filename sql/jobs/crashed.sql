-- The jobs whose last run was never recorded as ended, and that nobody has reported yet: the server ended in the middle.
SELECT
    j.id,
    j.application_name AS name,
    j.proc_name AS procedure,
    coalesce(quote_ident(coalesce(ca.user_view_schema, h.schema_name)) || '.'
        || quote_ident(coalesce(ca.user_view_name, h.table_name)), '') AS object
FROM _timescaledb_internal.bgw_job_stat s
JOIN _timescaledb_config.bgw_job j ON j.id = s.job_id
LEFT JOIN _timescaledb_catalog.hypertable h ON h.id = j.hypertable_id
LEFT JOIN _timescaledb_catalog.continuous_agg ca ON ca.mat_hypertable_id = j.hypertable_id
WHERE s.consecutive_crashes > 0 AND s.flags & 1 = 0
ORDER BY j.id
