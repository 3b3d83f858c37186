-- What roles other than the owner may do with tables, views and functions of a schema.
-- $1 schema. Rights that can be declared alone: not those on single columns, nor to pass a right on.
WITH objects AS (
    SELECT c.relname::text AS name, c.relowner AS owner, c.relacl AS acl
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p', 'v')
    UNION ALL
    -- Without a list of its own, everybody may call a function.
    SELECT p.proname::text, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = $1::text
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
)
SELECT o.name, coalesce(r.rolname::text, 'public') AS role,
    array_agg(DISTINCT a.privilege_type ORDER BY a.privilege_type) AS privileges
FROM objects o, aclexplode(o.acl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE a.grantee <> o.owner
    AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'EXECUTE')
GROUP BY 1, 2
ORDER BY 1, 2
