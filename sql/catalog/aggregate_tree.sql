-- An aggregate and the aggregates that are computed from it, those on top first.
-- $1 schema, $2 name.
WITH RECURSIVE tree AS (
    SELECT a.mat_hypertable_id AS id, a.user_view_schema AS schema, a.user_view_name AS name, 0 AS depth
    FROM _timescaledb_catalog.continuous_agg a WHERE a.user_view_schema = $1::text AND a.user_view_name = $2::text
    UNION ALL
    SELECT a.mat_hypertable_id, a.user_view_schema, a.user_view_name, t.depth + 1
    FROM tree t JOIN _timescaledb_catalog.continuous_agg a ON a.raw_hypertable_id = t.id
)
SELECT schema, name FROM tree ORDER BY depth DESC, id DESC
