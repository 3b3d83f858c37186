-- From when on the data that an aggregate is computed from is whole: what is older was dropped, wholly or in parts.
-- $1 source hypertable id. A literal in UTC; null: the source holds no data at all.
--
-- A dropped chunk stays in the catalog of 2.14 as long as an aggregate reads its table, so that everything before the
-- end of the newest one is cut, also where a late row has brought an older chunk back. Versions that forget dropped
-- chunks leave a gap, and before it a chunk that retention would have dropped. A late row into the newest dropped chunk
-- brings just that one back, and leaves neither: so what retention is due to drop counts as gone in any case.
WITH chunks AS (
    SELECT ds.range_start AS begins, ds.range_end AS ends, c.dropped
    FROM _timescaledb_catalog.chunk c
    JOIN _timescaledb_catalog.chunk_constraint cc ON cc.chunk_id = c.id
    JOIN _timescaledb_catalog.dimension_slice ds ON ds.id = cc.dimension_slice_id
    JOIN _timescaledb_catalog.dimension d ON d.id = ds.dimension_id AND d.interval_length IS NOT NULL
    WHERE c.hypertable_id = $1::int
),
live AS (
    SELECT begins, ends, lead(begins) OVER (ORDER BY begins) AS next FROM chunks WHERE NOT dropped
),
cut AS (
    SELECT max(ends) AS at FROM (
        SELECT max(ends) AS ends FROM chunks WHERE dropped
        UNION ALL
        SELECT max(coalesce(next, ends)) FROM live
        WHERE _timescaledb_functions.to_timestamp(ends) <= now() - (
            SELECT min((j.config ->> 'drop_after')::interval) FROM _timescaledb_config.bgw_job j
            WHERE j.hypertable_id = $1::int AND j.proc_name = 'policy_retention')
    ) found
),
floor AS (
    SELECT coalesce((SELECT min(begins) FROM live WHERE cut.at IS NULL OR begins >= cut.at), cut.at) AS begins FROM cut
)
SELECT to_char(_timescaledb_functions.to_timestamp(begins) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS floor
FROM floor WHERE begins IS NOT NULL
