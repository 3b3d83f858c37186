-- The call that runs a refresh policy in one batch. No row for other jobs, and for policies that say how they batch.
-- $1 job id
SELECT format('CALL %I.%I(%s, %L)', proc_schema, proc_name, id, config || '{"buckets_per_batch": 0}') AS call
FROM _timescaledb_config.bgw_job
WHERE id = $1::int AND proc_name = 'policy_refresh_continuous_aggregate' AND NOT config ? 'buckets_per_batch'
