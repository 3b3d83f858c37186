-- Tables, views, sequences and schemas that people made, with what TimescaleDB takes each for.
-- $1 names of schemas, or null for all of them.
WITH place AS (
    SELECT n.oid, n.nspname, has_schema_privilege(n.oid, 'USAGE') AS usable
    FROM pg_namespace n
    WHERE n.nspname !~ '^(pg_|_timescaledb_)'
        AND n.nspname NOT IN ('information_schema', 'timescaledb_information', 'timescaledb_experimental', 'toolkit_experimental')
        AND ($1::text[] IS NULL OR n.nspname = ANY ($1::text[]))
),
relation AS (
    SELECT c.oid, p.nspname, p.usable, c.relname, c.relkind, c.relowner, h.id AS hypertable_id
    FROM place p
    JOIN pg_class c ON c.relnamespace = p.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    LEFT JOIN _timescaledb_catalog.hypertable h ON h.schema_name = p.nspname AND h.table_name = c.relname
    WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
        -- The sequence of an identity column is a part of the column.
        AND NOT (c.relkind = 'S' AND EXISTS (
            SELECT FROM pg_depend i WHERE i.classid = 'pg_class'::regclass AND i.objid = c.oid AND i.deptype = 'i'))
        AND NOT EXISTS (SELECT FROM _timescaledb_catalog.continuous_agg a
            WHERE (a.user_view_schema, a.user_view_name) = (p.nspname, c.relname))
)
SELECT nspname AS schema, relname AS name, oid::int8::text AS oid, usable, pg_get_userbyid(relowner) AS owner,
    pg_has_role(current_user, relowner, 'MEMBER') AS member,
    CASE WHEN hypertable_id IS NOT NULL THEN 'hypertable' ELSE relkind::text END AS kind
FROM relation
UNION ALL
SELECT a.user_view_schema, a.user_view_name, to_regclass(format('%I.%I', a.user_view_schema, a.user_view_name))::oid::int8::text,
    p.usable, pg_get_userbyid(m.relowner), pg_has_role(current_user, m.relowner, 'MEMBER'), 'aggregate'
FROM place p
JOIN _timescaledb_catalog.continuous_agg a ON a.user_view_schema = p.nspname
JOIN _timescaledb_catalog.hypertable h ON h.id = a.mat_hypertable_id
JOIN pg_namespace mn ON mn.nspname = h.schema_name
JOIN pg_class m ON m.relnamespace = mn.oid AND m.relname = h.table_name
ORDER BY 1, 2
