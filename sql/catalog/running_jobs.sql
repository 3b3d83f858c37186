-- Jobs of policies that are at work on an aggregate, on its source, or on another aggregate of the same source.
-- $1 materialization hypertable id. A worker carries the name of its job, which every role may read.
SELECT a.pid, j.application_name AS job
FROM pg_stat_activity a
JOIN _timescaledb_config.bgw_job j ON j.application_name = a.application_name
JOIN _timescaledb_catalog.continuous_agg own ON own.mat_hypertable_id = $1::int
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
    AND (j.hypertable_id IN (own.mat_hypertable_id, own.raw_hypertable_id)
        OR j.hypertable_id IN (SELECT other.mat_hypertable_id FROM _timescaledb_catalog.continuous_agg other
                               WHERE other.raw_hypertable_id = own.raw_hypertable_id))
ORDER BY j.id
