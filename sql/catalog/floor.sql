-- From when on the data that an aggregate is computed from is whole: what is older was dropped, wholly or in parts.
-- $1 source hypertable id. A literal in UTC; no row: the source holds no data at all.
--
-- A dropped chunk stays in the catalog as long as an aggregate reads its table, so that everything before the end of the
-- newest one is cut, also where a late row has brought an older chunk back. One that came back itself is no longer known
-- as dropped: there it counts that retention would not have left it.
WITH chunks AS (
    SELECT ds.range_start AS begins, ds.range_end AS ends, c.dropped
    FROM _timescaledb_catalog.chunk c
    JOIN _timescaledb_catalog.chunk_constraint cc ON cc.chunk_id = c.id
    JOIN _timescaledb_catalog.dimension_slice ds ON ds.id = cc.dimension_slice_id
    JOIN _timescaledb_catalog.dimension d ON d.id = ds.dimension_id AND d.interval_length IS NOT NULL
    WHERE c.hypertable_id = $1::int
),
retention AS (
    SELECT min((config ->> 'drop_after')::interval) AS drop_after FROM _timescaledb_config.bgw_job
    WHERE hypertable_id = $1::int AND proc_name = 'policy_retention'
),
cut AS (
    SELECT max(ends) AS at FROM chunks, retention
    WHERE dropped OR _timescaledb_functions.to_timestamp(ends) <= now() - drop_after
),
floor AS (
    SELECT coalesce(
        (SELECT min(begins) FROM chunks WHERE NOT dropped AND (cut.at IS NULL OR begins >= cut.at)), cut.at) AS begins
    FROM cut
)
SELECT to_char(_timescaledb_functions.to_timestamp(begins) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS floor
FROM floor WHERE begins IS NOT NULL
