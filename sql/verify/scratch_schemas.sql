-- Scratch schemas of verifications, as far as this login may drop them.
-- $1 the beginning of their comments. The comment says who made it.
SELECT n.nspname AS schema, obj_description(n.oid, 'pg_namespace') AS comment
FROM pg_namespace n
WHERE n.nspname LIKE 'observatory\_verify\_%'
    AND starts_with(obj_description(n.oid, 'pg_namespace'), $1::text)
    AND pg_has_role(current_user, n.nspowner, 'USAGE')
ORDER BY 1
