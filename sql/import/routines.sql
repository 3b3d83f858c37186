-- Functions, procedures and aggregate functions that people made.
-- $1 names of schemas, or null for all of them.
SELECT n.nspname AS schema, p.proname AS name, p.oid::int8::text AS oid, p.prokind AS kind,
    pg_get_function_identity_arguments(p.oid) AS arguments, pg_get_userbyid(p.proowner) AS owner,
    pg_has_role(current_user, p.proowner, 'MEMBER') AS member, has_schema_privilege(n.oid, 'USAGE') AS usable
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname !~ '^(pg_|_timescaledb_)'
    AND n.nspname NOT IN ('information_schema', 'timescaledb_information', 'timescaledb_experimental', 'toolkit_experimental')
    AND ($1::text[] IS NULL OR n.nspname = ANY ($1::text[]))
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
ORDER BY 1, 2, 5
