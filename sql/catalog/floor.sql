-- From when on the data that aggregates are computed from is whole: what is older was dropped, wholly or in parts.
-- $1 source hypertable ids. Literals in UTC; cut is null where nothing is known to have been dropped. No row for a source
-- that holds no data at all.
--
-- A dropped chunk stays in the catalog as long as an aggregate reads its table, so that everything before the end of the
-- newest one is cut, also where a late row has brought an older chunk back. One that came back itself is no longer known
-- as dropped: there it counts that retention would not have left it.
WITH chunks AS (
    SELECT c.hypertable_id AS id, ds.range_start AS begins, ds.range_end AS ends, c.dropped
    FROM _timescaledb_catalog.chunk c
    JOIN _timescaledb_catalog.chunk_constraint cc ON cc.chunk_id = c.id
    JOIN _timescaledb_catalog.dimension_slice ds ON ds.id = cc.dimension_slice_id
    JOIN _timescaledb_catalog.dimension d ON d.id = ds.dimension_id AND d.interval_length IS NOT NULL
    WHERE c.hypertable_id = ANY ($1::int[])
),
retention AS (
    SELECT hypertable_id AS id, min((config ->> 'drop_after')::interval) AS drop_after FROM _timescaledb_config.bgw_job
    WHERE hypertable_id = ANY ($1::int[]) AND proc_name = 'policy_retention' GROUP BY 1
),
cut AS (
    SELECT id, max(ends) FILTER (
        WHERE dropped OR _timescaledb_functions.to_timestamp(ends) <= now() - drop_after) AS at
    FROM chunks LEFT JOIN retention USING (id) GROUP BY 1
),
floor AS (
    SELECT id, cut.at, coalesce(min(begins) FILTER (WHERE NOT dropped AND (cut.at IS NULL OR begins >= cut.at)), cut.at) AS begins
    FROM cut JOIN chunks USING (id) GROUP BY 1, 2
)
SELECT
    id,
    to_char(_timescaledb_functions.to_timestamp(begins) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS floor,
    to_char(_timescaledb_functions.to_timestamp(at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS cut
FROM floor WHERE begins IS NOT NULL
