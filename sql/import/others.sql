-- Objects of kinds that no resource declares: types, default privileges, and jobs that are no policy of ours.
-- $1 names of schemas, or null for all of them.
WITH place AS (
    SELECT n.oid, n.nspname FROM pg_namespace n
    WHERE n.nspname !~ '^(pg_|_timescaledb_)'
        AND n.nspname NOT IN ('information_schema', 'timescaledb_information', 'timescaledb_experimental', 'toolkit_experimental')
        AND ($1::text[] IS NULL OR n.nspname = ANY ($1::text[]))
)
SELECT p.nspname AS schema, t.typname::text AS name,
    CASE t.typtype WHEN 'e' THEN 'enum type' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range type' ELSE 'composite type' END AS what
FROM place p JOIN pg_type t ON t.typnamespace = p.oid LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c')
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e')
UNION ALL
SELECT NULL, 'what ' || pg_get_userbyid(d.defaclrole) || ' will make' || coalesce(' in schema ' || quote_ident(p.nspname), ''),
    'default privileges'
FROM pg_default_acl d LEFT JOIN place p ON p.oid = d.defaclnamespace WHERE d.defaclnamespace = 0 OR p.oid IS NOT NULL
UNION ALL
-- Below 1000 are TimescaleDB's own.
SELECT NULL, format('job %s (%s.%s%s)', j.id, j.proc_schema, j.proc_name,
    coalesce(' on ' || h.schema_name || '.' || h.table_name, '')), 'user-defined action'
FROM _timescaledb_config.bgw_job j LEFT JOIN _timescaledb_catalog.hypertable h ON h.id = j.hypertable_id
WHERE j.id >= 1000 AND NOT (j.hypertable_id IS NOT NULL
    AND j.proc_name IN ('policy_refresh_continuous_aggregate', 'policy_retention', 'policy_compression'))
ORDER BY 1, 2
