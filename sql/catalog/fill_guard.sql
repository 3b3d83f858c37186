-- Before each window of a fill: where raw data begins, and the jobs of policies that are at work on the aggregate, on its
-- source, or on another aggregate of the same source. $1 materialization hypertable id. One row. A worker carries the
-- name of its job, which every role may read. Needs no setting, so that it can be sent by itself.
SELECT
    (SELECT to_char(_timescaledb_functions.to_timestamp(greatest(
                min(ds.range_start) FILTER (WHERE NOT c.dropped), max(ds.range_end) FILTER (WHERE c.dropped)))
            AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
     FROM _timescaledb_catalog.dimension d
     JOIN _timescaledb_catalog.dimension_slice ds ON ds.dimension_id = d.id
     JOIN _timescaledb_catalog.chunk_constraint cc ON cc.dimension_slice_id = ds.id
     JOIN _timescaledb_catalog.chunk c ON c.id = cc.chunk_id AND c.hypertable_id = d.hypertable_id
     WHERE d.hypertable_id = own.raw_hypertable_id AND d.interval_length IS NOT NULL) AS "rawFrom",
    (SELECT coalesce(json_agg(json_build_object('pid', a.pid, 'job', j.application_name) ORDER BY j.id), '[]')
     FROM pg_stat_activity a
     JOIN _timescaledb_config.bgw_job j ON j.application_name = a.application_name
     WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
         AND (j.hypertable_id IN (own.mat_hypertable_id, own.raw_hypertable_id)
             OR j.hypertable_id IN (SELECT other.mat_hypertable_id FROM _timescaledb_catalog.continuous_agg other
                                    WHERE other.raw_hypertable_id = own.raw_hypertable_id))) AS jobs
FROM _timescaledb_catalog.continuous_agg own
WHERE own.mat_hypertable_id = $1::int
