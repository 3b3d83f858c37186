-- What stands under a name: kind, owner, comment, columns and access list of a table or view.
-- $1 schema, $2 name. One row; "kind" is null when nothing stands there.
WITH relation AS (
    SELECT c.oid, c.relkind, c.relowner, c.relacl, c.reloptions
    FROM pg_namespace n
    JOIN pg_class c ON c.relnamespace = n.oid
    WHERE n.nspname = $1::text AND c.relname = $2::text
),
granted AS (
    SELECT NULL::name AS column_name, x.* FROM relation r, aclexplode(r.relacl) x
    UNION ALL
    SELECT a.attname, x.* FROM relation r
    JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND a.attacl IS NOT NULL, aclexplode(a.attacl) x
),
-- What others passed on is left out: it goes with their right to do so.
by_role AS (
    SELECT
        CASE WHEN g.grantee = 0 THEN 'public' ELSE pg_get_userbyid(g.grantee) END AS role,
        array_agg(g.privilege_type ORDER BY g.privilege_type)
            FILTER (WHERE g.column_name IS NULL AND g.grantor = r.relowner) AS privileges,
        array_agg(g.privilege_type ORDER BY g.privilege_type)
            FILTER (WHERE g.column_name IS NULL AND g.is_grantable AND g.grantor = r.relowner) AS options,
        jsonb_agg(jsonb_build_object('column', g.column_name, 'privilege', g.privilege_type)
            ORDER BY g.column_name, g.privilege_type) FILTER (WHERE g.column_name IS NOT NULL) AS columns
    FROM relation r, granted g
    WHERE g.grantee <> r.relowner
    GROUP BY g.grantee
),
revoked AS (
    SELECT array_agg(d.privilege_type ORDER BY d.privilege_type) AS privileges
    FROM relation r, aclexplode(acldefault('r', r.relowner)) d
    WHERE r.relacl IS NOT NULL AND NOT EXISTS (
        SELECT FROM aclexplode(r.relacl) x WHERE x.grantee = r.relowner AND x.privilege_type = d.privilege_type)
)
SELECT
    (SELECT value FROM _timescaledb_catalog.metadata WHERE key = 'uuid') AS "databaseUuid",
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
    r.oid::int8::text AS oid,
    r.relkind AS kind,
    pg_get_userbyid(r.relowner) AS owner,
    obj_description(r.oid, 'pg_class') AS comment,
    coalesce(r.reloptions, '{}') AS options,
    (SELECT coalesce(jsonb_agg(g ORDER BY g ->> 'role'), '[]') FROM (
        SELECT jsonb_strip_nulls(jsonb_build_object('role', role, 'privileges', coalesce(privileges, '{}'),
            'grantOptions', options, 'columns', columns)) AS g
        FROM by_role
        UNION ALL
        SELECT jsonb_build_object('role', pg_get_userbyid(r.relowner), 'privileges', '{}'::text[], 'revoked', v.privileges)
        FROM revoked v WHERE v.privileges IS NOT NULL) every) AS grants,
    (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'nullable', NOT a.attnotnull,
            'default', pg_get_expr(ad.adbin, ad.adrelid), 'comment', col_description(a.attrelid, a.attnum),
            'number', a.attnum)
            ORDER BY a.attnum), '[]')
     FROM pg_attribute a LEFT JOIN pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
     WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
FROM (SELECT 1) one
LEFT JOIN relation r ON true
