-- A view's definition and columns as the server prints them, and the functions it calls that are not immutable.
-- $1 the view, qualified.
SELECT
    pg_get_viewdef($1::regclass) AS definition,
    (SELECT jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)
     FROM pg_attribute a WHERE a.attrelid = $1::regclass AND a.attnum > 0) AS columns,
    (
        SELECT coalesce(array_agg(DISTINCT found.name ORDER BY found.name), '{}')
        FROM (
            SELECT p.oid::regprocedure::text AS name
            FROM pg_rewrite r,
                regexp_matches(r.ev_action::text, ':(?:funcid|opfuncid|aggfnoid) (\d+)', 'g') m
                JOIN pg_proc p ON p.oid = m[1]::oid
            WHERE r.ev_class = $1::regclass AND p.provolatile <> 'i'
            UNION ALL
            SELECT 'current_timestamp, current_user or the like'
            FROM pg_rewrite r
            WHERE r.ev_class = $1::regclass AND r.ev_action::text ~ 'SQLVALUEFUNCTION'
        ) found
    ) AS "mutableFunctions",
    -- The stored tree, where integers are multiplied in it at all: int2mul, int4mul, int24mul, int42mul.
    (SELECT r.ev_action::text FROM pg_rewrite r
     WHERE r.ev_class = $1::regclass AND r.ev_action::text ~ ':opfuncid (?:152|141|170|171) ') AS products
