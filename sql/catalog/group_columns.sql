-- The columns of a view's output that it groups by, in their order, from its stored tree.
-- $1 the view.
SELECT coalesce(array_agg(t.attname::text ORDER BY t.attnum), '{}') AS columns
FROM pg_rewrite r
JOIN LATERAL (
    SELECT m[1]::int AS resno, m[3] AS ref
    FROM regexp_matches(r.ev_action::text,
        ':resno (\d+) :resname ((?:\\.|[^ \\<])(?:\\.|[^ \\])*) :ressortgroupref ([1-9]\d*) ', 'g') m) e ON true
JOIN pg_attribute t ON t.attrelid = r.ev_class AND t.attnum = e.resno
WHERE r.ev_class = $1::regclass
    AND substring(r.ev_action::text FROM ':groupClause \((.*?)\) :groupDistinct') ~ (':tleSortGroupRef ' || e.ref || ' ')
