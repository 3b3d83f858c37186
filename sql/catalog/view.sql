-- Views by their name or number, with what a DROP would lose; a number finds the view of an earlier apply.
-- $1 schema, $2 name, $3 oid or null, $4 the role that is to own it. At most two rows, the one with the name first.
SELECT
    c.oid::int8::text AS oid,
    n.nspname AS schema,
    c.relname AS name,
    pg_get_viewdef(c.oid) AS definition,
    -- The view of a continuous aggregate, and those that TimescaleDB computes it with.
    EXISTS (SELECT FROM _timescaledb_catalog.continuous_agg a
        WHERE (n.nspname, c.relname) IN ((a.user_view_schema, a.user_view_name),
            (a.direct_view_schema, a.direct_view_name), (a.partial_view_schema, a.partial_view_name))) AS aggregate,
    (SELECT e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
     WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_extension'::regclass
        AND d.deptype = 'e' LIMIT 1) AS extension,
    (SELECT coalesce(array_agg(format('trigger %I', t.tgname) ORDER BY t.tgname), '{}')
     FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
    || (SELECT coalesce(array_agg(format('rule %I', r.rulename) ORDER BY r.rulename), '{}')
        FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN') AS attached,
    -- Whoever is a member of both roles may give it away.
    coalesce((SELECT rolsuper FROM pg_roles WHERE rolname = current_user), false)
    OR (pg_has_role(current_user, c.relowner, 'MEMBER')
        AND coalesce((SELECT pg_has_role(current_user, r.oid, 'MEMBER') FROM pg_roles r WHERE r.rolname = $4::text), false))
        AS "mayGiveAway"
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v' AND ((n.nspname = $1::text AND c.relname = $2::text) OR c.oid = $3::int8::oid)
ORDER BY (n.nspname = $1::text AND c.relname = $2::text) DESC
