-- Types, defaults and index conditions of a table as the server prints them.
-- $1 the table, qualified. Conditions are by the name of their index.
SELECT
    (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
            'default', pg_get_expr(ad.adbin, ad.adrelid)) ORDER BY a.attnum), '[]')
     FROM pg_attribute a LEFT JOIN pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
     WHERE a.attrelid = $1::regclass AND a.attnum > 0) AS columns,
    (SELECT coalesce(jsonb_object_agg(i.relname, pg_get_expr(x.indpred, x.indrelid, true)), '{}')
     FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
     WHERE x.indrelid = $1::regclass) AS predicates
