-- Where the data that an aggregate is computed from begins now: its source's first chunk, and without one, never.
-- $1 source hypertable id. `infinity`: the source holds nothing, so nothing can be computed again.
SELECT coalesce(
    (SELECT _timescaledb_functions.to_timestamp(min(ds.range_start))
     FROM _timescaledb_catalog.chunk c
     JOIN _timescaledb_catalog.chunk_constraint cc ON cc.chunk_id = c.id
     JOIN _timescaledb_catalog.dimension_slice ds ON ds.id = cc.dimension_slice_id
     JOIN _timescaledb_catalog.dimension d ON d.id = ds.dimension_id AND d.interval_length IS NOT NULL
     WHERE c.hypertable_id = $1::int AND NOT c.dropped),
    'infinity')::text AS floor
