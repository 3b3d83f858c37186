-- The view that holds an aggregate's query, quoted and qualified.
-- $1 materialization hypertable id.
SELECT format('%I.%I', direct_view_schema, direct_view_name) AS name
FROM _timescaledb_catalog.continuous_agg WHERE mat_hypertable_id = $1::int
