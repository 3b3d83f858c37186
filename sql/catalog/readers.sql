-- What reads or uses a view, each with what it takes to let it read another one instead.
-- $1 the view, quoted and qualified. TimescaleDB's own views of an aggregate stand for the aggregate.
WITH it AS (SELECT c.oid, t.oid AS row_type, t.typarray FROM pg_class c JOIN pg_type t ON t.oid = c.reltype WHERE c.oid = to_regclass($1::text)),
dependant AS (
    SELECT DISTINCT d.classid, d.objid, d.objsubid, r.ev_class, r.rulename
    FROM it
    JOIN pg_depend d ON d.deptype = 'n' AND ((d.refclassid = 'pg_class'::regclass AND d.refobjid = it.oid)
        OR (d.refclassid = 'pg_type'::regclass AND d.refobjid IN (it.row_type, it.typarray)))
    LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    WHERE r.ev_class IS DISTINCT FROM it.oid
)
SELECT DISTINCT
    CASE WHEN ca.mat_hypertable_id IS NOT NULL THEN 'aggregate'
         WHEN c.relkind = 'v' AND d.rulename = '_RETURN' THEN 'view' ELSE 'other' END AS kind,
    coalesce(ca.user_view_schema, n.nspname) AS schema,
    coalesce(ca.user_view_name, c.relname) AS name,
    CASE WHEN c.oid IS NULL OR c.relkind <> 'v' OR d.rulename <> '_RETURN' THEN i.type || ' ' || i.identity END AS title,
    CASE WHEN c.relkind = 'v' AND ca.mat_hypertable_id IS NULL THEN pg_get_viewdef(c.oid) END AS definition,
    CASE WHEN c.relkind = 'v' AND ca.mat_hypertable_id IS NULL THEN c.reloptions END AS options,
    CASE WHEN ca.mat_hypertable_id IS NULL THEN pg_get_userbyid(c.relowner) END AS owner,
    CASE WHEN ca.mat_hypertable_id IS NULL THEN pg_has_role(c.relowner, 'MEMBER') END AS member,
    CASE WHEN c.relkind = 'v' AND ca.mat_hypertable_id IS NULL THEN
        (SELECT jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)
         FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0) END AS columns
FROM dependant d
LEFT JOIN pg_class c ON c.oid = d.ev_class
LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN _timescaledb_catalog.continuous_agg ca
    ON (n.nspname, c.relname) IN ((ca.direct_view_schema, ca.direct_view_name), (ca.partial_view_schema, ca.partial_view_name),
        (ca.user_view_schema, ca.user_view_name))
CROSS JOIN LATERAL pg_identify_object(
    CASE WHEN d.ev_class IS NULL THEN d.classid ELSE 'pg_class'::regclass END,
    coalesce(d.ev_class, d.objid), CASE WHEN d.ev_class IS NULL THEN d.objsubid ELSE 0 END) i
ORDER BY 1, 2, 3, 4
