-- Numbers of the chunks that an aggregate is computed from.
-- $1 source hypertable id. One row.
SELECT coalesce(array_agg(id), '{}') AS ids
FROM _timescaledb_catalog.chunk WHERE hypertable_id = $1::int AND NOT dropped
