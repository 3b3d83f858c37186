-- Views, continuous aggregates and functions that read a relation, also through each other; dropping it would need CASCADE.
-- $1 the relation, quoted and qualified. What TimescaleDB keeps for an aggregate goes by the aggregate's own name.
WITH RECURSIVE reader AS (
    SELECT to_regclass($1::text)::oid AS oid
    UNION
    SELECT coalesce(CASE WHEN ca.user_view_name IS NOT NULL
        THEN to_regclass(format('%I.%I', ca.user_view_schema, ca.user_view_name))::oid END, c.oid)
    FROM reader r
    LEFT JOIN LATERAL (
        -- A view of somebody's own may read the buckets where TimescaleDB keeps them.
        SELECT to_regclass(format('%I.%I', h.schema_name, h.table_name))::oid AS oid
        FROM pg_class rc
        JOIN pg_namespace rn ON rn.oid = rc.relnamespace
        JOIN _timescaledb_catalog.continuous_agg a ON a.user_view_schema = rn.nspname AND a.user_view_name = rc.relname
        JOIN _timescaledb_catalog.hypertable h ON h.id = a.mat_hypertable_id
        WHERE rc.oid = r.oid
    ) buckets ON true
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid IN (r.oid, buckets.oid)
        AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite w ON w.oid = d.objid
    JOIN pg_class c ON c.oid = w.ev_class
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN _timescaledb_catalog.continuous_agg ca
        ON (n.nspname = ca.direct_view_schema AND c.relname = ca.direct_view_name)
        OR (n.nspname = ca.partial_view_schema AND c.relname = ca.partial_view_name)
        OR (n.nspname = ca.user_view_schema AND c.relname = ca.user_view_name)
)
SELECT
    CASE WHEN ca.user_view_name IS NOT NULL THEN 'continuous aggregate'
         WHEN c.relkind = 'm' THEN 'materialized view' ELSE 'view' END AS kind,
    n.nspname AS schema,
    c.relname AS name
FROM reader r
JOIN pg_class c ON c.oid = r.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN _timescaledb_catalog.continuous_agg ca ON ca.user_view_schema = n.nspname AND ca.user_view_name = c.relname
WHERE c.oid <> to_regclass($1::text)
UNION
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, n.nspname, p.proname
FROM reader r
JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid
    AND d.classid = 'pg_proc'::regclass AND d.deptype = 'n'
JOIN pg_proc p ON p.oid = d.objid
JOIN pg_namespace n ON n.oid = p.pronamespace
ORDER BY 1, 2, 3
