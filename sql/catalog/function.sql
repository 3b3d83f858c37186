-- Functions of a name, and the one with a number, as CREATE FUNCTION would say them.
-- $1 schema, $2 name, $3 oid or null, $4 the role that is to own it. One row each; one with null for oid when there is none.
WITH routine AS (
    SELECT p.*, n.nspname, to_jsonb(p) AS p_json, coalesce(p.proacl, acldefault('f', p.proowner)) AS acl
    FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE (n.nspname = $1::text AND p.proname = $2::text) OR p.oid = $3::int8::oid
)
SELECT
    (SELECT value FROM _timescaledb_catalog.metadata WHERE key = 'uuid') AS "databaseUuid",
    (SELECT array_agg(nspname::text) FROM pg_namespace) AS schemas,
    p.oid::int8::text AS oid,
    p.nspname AS schema,
    p.proname AS name,
    p.prokind AS kind,
    p.proargtypes::text AS "argumentTypes",
    pg_get_function_identity_arguments(p.oid) AS "identityArguments",
    (SELECT coalesce(array_agg(format_type(t, NULL) ORDER BY at), '{}')
     FROM unnest(p.proargtypes) WITH ORDINALITY u (t, at)) AS types,
    pg_get_function_arguments(p.oid) AS arguments,
    pg_get_function_result(p.oid) AS result,
    l.lanname AS language,
    p.prosrc AS body,
    p_json ->> 'prosqlbody' IS NOT NULL AS atomic,
    -- Aggregates have none.
    CASE WHEN p.prokind IN ('f', 'w', 'p') THEN pg_get_functiondef(p.oid) END AS definition,
    jsonb_build_object(
        'window', p.prokind = 'w', 'volatility', CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
        'security', CASE WHEN p.prosecdef THEN 'definer' ELSE 'invoker' END,
        'strict', p.proisstrict, 'leakproof', p.proleakproof,
        'parallel', CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END,
        'cost', p.procost, 'rows', p.prorows,
        'support', CASE WHEN p.prosupport::oid = 0 THEN 'none' ELSE p.prosupport::text END,
        'transform', coalesce((SELECT string_agg(format_type(t, NULL), ', ') FROM unnest(p.protrftypes) t), 'none'))
        AS attributes,
    coalesce(p.proconfig, '{}') AS settings,
    pg_get_userbyid(p.proowner) AS owner,
    obj_description(p.oid, 'pg_proc') AS comment,
    (SELECT e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
     WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_extension'::regclass
        AND d.deptype = 'e' LIMIT 1) AS extension,
    coalesce((SELECT rolsuper FROM pg_roles WHERE rolname = current_user), false)
    OR (pg_has_role(current_user, p.proowner, 'MEMBER')
        AND coalesce((SELECT pg_has_role(current_user, r.oid, 'MEMBER') FROM pg_roles r WHERE r.rolname = $4::text), false))
        AS "mayGiveAway",
    -- What others passed on is left out: it goes with their right to do so.
    (SELECT coalesce(jsonb_agg(g ORDER BY g ->> 'role'), '[]') FROM (
        SELECT jsonb_build_object(
            'role', CASE WHEN x.grantee = 0 THEN 'public' ELSE pg_get_userbyid(x.grantee) END,
            'privileges', array_agg(x.privilege_type),
            'grantOptions', coalesce(array_agg(x.privilege_type) FILTER (WHERE x.is_grantable), '{}')) AS g
        FROM aclexplode(p.acl) x WHERE x.grantee <> p.proowner AND x.grantor = p.proowner GROUP BY x.grantee
        UNION ALL
        SELECT jsonb_build_object('role', pg_get_userbyid(p.proowner), 'privileges', '{}'::text[], 'revoked', '{EXECUTE}'::text[])
        WHERE NOT EXISTS (SELECT FROM aclexplode(p.acl) x WHERE x.grantee = p.proowner)) every) AS grants
FROM (SELECT 1) one
LEFT JOIN routine p ON true
LEFT JOIN pg_language l ON l.oid = p.prolang
ORDER BY (p.nspname = $1::text AND p.proname = $2::text) DESC, p.oid
