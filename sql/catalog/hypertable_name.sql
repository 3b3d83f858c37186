-- Where a hypertable stands, or the aggregate whose buckets it holds. $1 hypertable id. No row: it is gone.
SELECT
    coalesce(a.user_view_schema, h.schema_name) AS schema,
    coalesce(a.user_view_name, h.table_name) AS name
FROM _timescaledb_catalog.hypertable h
LEFT JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = h.id
WHERE h.id = $1::int
