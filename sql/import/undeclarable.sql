-- What stands on a table that no property of a resource says, as an object and what it is.
-- $1 the table, quoted and qualified.
WITH it AS (SELECT c.* FROM pg_class c WHERE c.oid = $1::regclass)
SELECT 'constraint' AS kind, k.conname::text AS object,
    CASE k.contype WHEN 'c' THEN 'CHECK' WHEN 'f' THEN 'foreign key' WHEN 'u' THEN 'UNIQUE' WHEN 'x' THEN 'exclusion'
        ELSE k.contype::text END || ' constraint' AS what
FROM it JOIN pg_constraint k ON k.conrelid = it.oid
WHERE k.contype NOT IN ('p', 'n', 't')
UNION ALL
SELECT 'trigger', g.tgname, 'trigger'
FROM it JOIN pg_trigger g ON g.tgrelid = it.oid
-- TimescaleDB has triggers of its own on hypertables.
WHERE NOT g.tgisinternal AND g.tgname NOT IN ('ts_insert_blocker', 'ts_cagg_invalidation_trigger')
UNION ALL
SELECT 'rule', r.rulename, 'rewrite rule'
FROM it JOIN pg_rewrite r ON r.ev_class = it.oid WHERE r.rulename <> '_RETURN'
UNION ALL
SELECT 'security', p.polname, 'row security policy' FROM it JOIN pg_policy p ON p.polrelid = it.oid
UNION ALL
SELECT 'security', 'row security', 'row security' FROM it WHERE it.relrowsecurity OR it.relforcerowsecurity
UNION ALL
SELECT CASE WHEN a.attgenerated <> '' THEN 'generated' ELSE 'identity' END, a.attname,
    CASE WHEN a.attgenerated <> '' THEN 'generated column' ELSE 'identity column' END
FROM it JOIN pg_attribute a ON a.attrelid = it.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE a.attgenerated <> '' OR a.attidentity <> ''
UNION ALL
SELECT 'collation', a.attname, 'collation ' || a.attcollation::regcollation::text || ' of column'
FROM it JOIN pg_attribute a ON a.attrelid = it.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid WHERE it.relkind = 'r' AND a.attcollation <> t.typcollation
UNION ALL
SELECT 'setting', o, 'storage parameter' FROM it, unnest(it.reloptions) o WHERE it.relkind = 'r'
UNION ALL
SELECT 'setting', s.spcname, 'tablespace' FROM it JOIN pg_tablespace s ON s.oid = it.reltablespace
UNION ALL
SELECT 'setting', 'UNLOGGED', 'table without a write-ahead log' FROM it WHERE it.relpersistence = 'u'
UNION ALL
SELECT 'setting', 'replica identity', 'replica identity' FROM it WHERE it.relkind = 'r' AND it.relreplident <> 'd'
ORDER BY 1, 2
