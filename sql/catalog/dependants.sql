-- Views and continuous aggregates that read a relation; dropping it would need CASCADE.
-- $1 the relation, quoted and qualified.
SELECT DISTINCT
    CASE WHEN ca.user_view_name IS NOT NULL THEN 'continuous aggregate'
         WHEN c.relkind = 'm' THEN 'materialized view' ELSE 'view' END AS kind,
    coalesce(ca.user_view_schema, n.nspname) AS schema,
    coalesce(ca.user_view_name, c.relname) AS name
FROM pg_depend d
JOIN pg_rewrite r ON r.oid = d.objid
JOIN pg_class c ON c.oid = r.ev_class
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN _timescaledb_catalog.continuous_agg ca
    ON (n.nspname = ca.direct_view_schema AND c.relname = ca.direct_view_name)
    OR (n.nspname = ca.partial_view_schema AND c.relname = ca.partial_view_name)
    OR (n.nspname = ca.user_view_schema AND c.relname = ca.user_view_name)
WHERE d.refobjid = to_regclass($1::text)
    AND d.classid = 'pg_rewrite'::regclass
    AND c.oid <> d.refobjid
ORDER BY 1, 2, 3
