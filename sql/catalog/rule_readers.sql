-- The aggregates that are refreshed from a hypertable, or from another aggregate's materialization hypertable.
-- $1 hypertable id
SELECT a.user_view_schema AS schema, a.user_view_name AS name, j.config ->> 'start_offset' AS "startOffset"
FROM _timescaledb_catalog.continuous_agg a
JOIN _timescaledb_config.bgw_job j ON j.hypertable_id = a.mat_hypertable_id
    AND j.proc_name = 'policy_refresh_continuous_aggregate' AND j.scheduled
WHERE a.raw_hypertable_id = $1::int
ORDER BY 1, 2, j.id
