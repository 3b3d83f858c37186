-- The indexes of a table that no property of a resource says, and why.
-- $1 the table, quoted and qualified.
SELECT i.relname AS name,
    CASE
        WHEN x.indisexclusion THEN 'it serves an exclusion constraint'
        WHEN x.indisunique THEN 'it is unique'
        WHEN 0 = ANY (x.indkey::int2[]) THEN 'it is on an expression'
        WHEN x.indnatts > x.indnkeyatts THEN 'it has INCLUDE columns'
        WHEN i.reloptions IS NOT NULL THEN 'it has storage parameters: ' || array_to_string(i.reloptions, ', ')
        WHEN i.reltablespace <> 0 THEN 'it lies in a tablespace of its own'
        WHEN EXISTS (SELECT FROM unnest(x.indclass::oid[]) c JOIN pg_opclass o ON o.oid = c WHERE NOT o.opcdefault)
            THEN 'it has an operator class that is not the default'
        WHEN EXISTS (SELECT FROM unnest(x.indkey::int2[], x.indcollation::oid[]) k (attnum, coll)
                     JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
                     WHERE k.coll <> a.attcollation AND k.coll <> 0)
            THEN 'it has a collation of its own'
    END AS why
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
WHERE x.indrelid = $1::regclass AND NOT x.indisprimary
ORDER BY 1
