-- Where the chunks begin that retention of an aggregate's source leaves alone. $1 source hypertable id. An older one that
-- stands came back with a late row, or goes at the next run. A literal in UTC, or null.
SELECT to_char(_timescaledb_functions.to_timestamp(min(ds.range_start)) AT TIME ZONE 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "keptFrom"
FROM _timescaledb_catalog.dimension d
JOIN _timescaledb_catalog.dimension_slice ds ON ds.dimension_id = d.id
JOIN _timescaledb_catalog.chunk_constraint cc ON cc.dimension_slice_id = ds.id
JOIN _timescaledb_catalog.chunk c ON c.id = cc.chunk_id AND c.hypertable_id = d.hypertable_id AND NOT c.dropped
WHERE d.hypertable_id = $1::int AND d.interval_length IS NOT NULL
    AND _timescaledb_functions.to_timestamp(ds.range_end) > coalesce(
        (SELECT now() - (j.config ->> 'drop_after')::interval FROM _timescaledb_config.bgw_job j
         WHERE j.hypertable_id = $1::int AND j.proc_name = 'policy_retention' LIMIT 1),
        '-infinity')
