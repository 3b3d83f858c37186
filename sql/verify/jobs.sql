-- Jobs of policies, and how they last ended.
-- No parameters. `relation` is the hypertable or the aggregate that people know; `failures` in a row, crashes included.
SELECT
    j.id,
    format('%I.%I', coalesce(a.user_view_schema, h.schema_name), coalesce(a.user_view_name, h.table_name)) AS relation,
    CASE j.proc_name WHEN 'policy_refresh_continuous_aggregate' THEN 'refresh'
                     WHEN 'policy_retention' THEN 'retention'
                     WHEN 'policy_compression' THEN 'compression' ELSE j.proc_name::text END AS policy,
    -- A run counts as crashed until it has ended, so one crash alone may be a run that goes on.
    coalesce(s.consecutive_failures, 0) + greatest(coalesce(s.consecutive_crashes, 0) - 1, 0) AS failures,
    to_char(s.last_finish AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "lastFinish",
    (SELECT e.err_message FROM timescaledb_information.job_errors e
     WHERE e.job_id = j.id ORDER BY e.finish_time DESC LIMIT 1) AS error
FROM _timescaledb_config.bgw_job j
JOIN _timescaledb_catalog.hypertable h ON h.id = j.hypertable_id
LEFT JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = h.id
LEFT JOIN _timescaledb_internal.bgw_job_stat s ON s.job_id = j.id
WHERE j.proc_name LIKE 'policy\_%'
ORDER BY j.id
