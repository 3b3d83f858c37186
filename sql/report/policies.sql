-- What the policies of a schema's aggregates say in the database; one row an aggregate. Any login may read it.
-- $1 schema
SELECT
    a.user_view_name AS name,
    -- Later versions take several refresh policies for windows that do not overlap.
    coalesce((
        SELECT json_agg(json_build_object(
            'endOffset', j.config ->> 'end_offset', 'scheduleInterval', j.schedule_interval::text))
        FROM _timescaledb_config.bgw_job j
        WHERE j.hypertable_id = a.mat_hypertable_id AND j.proc_name = 'policy_refresh_continuous_aggregate'), '[]') AS refresh,
    (SELECT min((j.config ->> 'drop_after')::interval)::text
     FROM _timescaledb_config.bgw_job j
     WHERE j.hypertable_id = a.mat_hypertable_id AND j.proc_name = 'policy_retention') AS "dropAfter"
FROM _timescaledb_catalog.continuous_agg a
WHERE a.user_view_schema = $1
ORDER BY 1
