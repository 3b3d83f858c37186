-- What lies in a scratch schema, in an order in which it can be dropped without CASCADE.
-- $1 schema. The newest aggregate first: what reads another was made after it.
SELECT 'MATERIALIZED VIEW' AS kind, user_view_name::text AS name, -mat_hypertable_id AS number
FROM _timescaledb_catalog.continuous_agg WHERE user_view_schema = $1::text
UNION ALL
SELECT 'TABLE', c.relname::text, 1
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1::text AND c.relkind = 'r'
ORDER BY number, name
