-- A continuous aggregate as TimescaleDB's catalog knows it, by its name, else by the number of its materialization.
-- $1 schema, $2 name, $3 materialization hypertable id or null. No row: the catalog knows none.
-- Columns that differ between TimescaleDB versions are read through to_jsonb, which has null for an absent one.
WITH aggregate AS (
    SELECT
        a.*, mh.schema_name AS mat_schema, mh.table_name AS mat_table,
        format('%I.%I', mh.schema_name, mh.table_name)::regclass AS mat_relation,
        format('%I.%I', a.direct_view_schema, a.direct_view_name)::regclass AS direct_view,
        format('%I.%I', a.partial_view_schema, a.partial_view_name)::regclass AS partial_view,
        to_regclass(format('%I.%I', a.user_view_schema, a.user_view_name)) AS user_view,
        to_jsonb(a) AS a_json, to_jsonb(bf) AS bf_json, d.interval_length, d.column_name AS time_column,
        d.column_type::regtype::text AS time_type, rh.schema_name AS source_schema, rh.table_name AS source_table,
        pa.user_view_schema AS parent_schema, pa.user_view_name AS parent_name,
        -- An aggregate over raw data begins with ten times its chunks, one over an aggregate with the same.
        CASE WHEN pa.mat_hypertable_id IS NULL THEN 10 ELSE 1 END
            * (SELECT rd.interval_length FROM _timescaledb_catalog.dimension rd
               WHERE rd.hypertable_id = a.raw_hypertable_id AND rd.interval_length IS NOT NULL
               ORDER BY rd.id LIMIT 1) AS default_interval_length
    FROM _timescaledb_catalog.continuous_agg a
    JOIN _timescaledb_catalog.hypertable mh ON mh.id = a.mat_hypertable_id
    JOIN _timescaledb_catalog.hypertable rh ON rh.id = a.raw_hypertable_id
    JOIN _timescaledb_catalog.dimension d ON d.hypertable_id = mh.id
    LEFT JOIN _timescaledb_catalog.continuous_agg pa ON pa.mat_hypertable_id = a.parent_mat_hypertable_id
    LEFT JOIN _timescaledb_catalog.continuous_aggs_bucket_function bf ON bf.mat_hypertable_id = mh.id
    WHERE (a.user_view_schema = $1::text AND a.user_view_name = $2::text) OR a.mat_hypertable_id = $3::int
    ORDER BY (a.user_view_schema = $1::text AND a.user_view_name = $2::text) DESC LIMIT 1
)
SELECT
    a.user_view_schema AS "viewSchema",
    a.user_view_name AS "viewName",
    a.finalized,
    a.mat_hypertable_id AS "materializationId",
    a.mat_schema AS "materializationSchema",
    a.mat_table AS "materializationTable",
    pg_get_viewdef(a.direct_view) AS definition,
    -- The view reads all materialized buckets as they are, and raw rows above the watermark exactly when it is to. A
    -- switch of materialized_only on a view of any other shape ends the whole server (2.14.2).
    coalesce((SELECT pg_get_viewdef(a.user_view) ~ (
            '^ *\(? *SELECT ' || string_agg(p.of || p.literal, E',\n    ' ORDER BY p.attnum)
            || '\n   FROM ' || regexp_replace(a.mat_relation::text, '(\W)', '\\\1', 'g') || '(?: (?:\w+|"(?:[^"]|"")+"))?'
            || CASE WHEN a.materialized_only THEN '' ELSE '\n  WHERE \('
                || max(p.of || p.literal) FILTER (WHERE p.attname = a.time_column)
                || ' < COALESCE\([\w.]*\(?[\w.]*cagg_watermark\(' || a.mat_hypertable_id || '\)\)?, [^()]*(?:\(\d\))?[^()]*\)\)' END
            || '(?:\n  ORDER BY [^\n]*)?' || CASE WHEN a.materialized_only THEN ';$' ELSE '\nUNION ALL\n' END)
        FROM (SELECT attnum, attname, '(?:(?:\w+|"(?:[^"]|"")+")\.)?' AS of,
                regexp_replace(quote_ident(attname), '(\W)', '\\\1', 'g') AS literal
              FROM pg_attribute WHERE attrelid = a.direct_view AND attnum > 0) p), false) AS intact,
    -- Views beside TimescaleDB's own that read all of the materialization: what ALTER TABLE … RENAME made of the view.
    (SELECT coalesce(jsonb_agg(DISTINCT jsonb_build_object('schema', n.nspname, 'name', c.relname)), '[]')
     FROM pg_depend p JOIN pg_rewrite r ON r.oid = p.objid JOIN pg_class c ON c.oid = r.ev_class
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE p.refclassid = 'pg_class'::regclass AND p.refobjid = a.mat_relation AND p.classid = 'pg_rewrite'::regclass AND c.relkind = 'v'
        AND c.oid NOT IN (a.direct_view, a.partial_view) AND c.oid IS DISTINCT FROM a.user_view
        AND NOT EXISTS (SELECT FROM _timescaledb_catalog.continuous_agg o
            WHERE (n.nspname, c.relname) IN ((o.user_view_schema, o.user_view_name),
                (o.direct_view_schema, o.direct_view_name), (o.partial_view_schema, o.partial_view_name)))
        AND (SELECT array_agg((attname, atttypid) ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0)
          = (SELECT array_agg((attname, atttypid) ORDER BY attnum) FROM pg_attribute WHERE attrelid = a.direct_view AND attnum > 0)
    ) AS "strayViews",
    a.materialized_only AS "materializedOnly",
    -- 2.14 keeps a fixed width in microseconds and -1 for a variable one; later versions keep an interval.
    CASE WHEN (a_json ->> 'bucket_width')::bigint > 0
         THEN ((a_json ->> 'bucket_width')::bigint * interval '1 microsecond')::text
         ELSE bf_json ->> 'bucket_width' END AS "bucketWidth",
    nullif(coalesce(bf_json ->> 'timezone', bf_json ->> 'bucket_timezone'), '') AS "bucketTimezone",
    a.time_column AS "timeColumn",
    a.time_type AS "timeType",
    (a.interval_length * interval '1 microsecond')::text AS "chunkTimeInterval",
    (a.default_interval_length * interval '1 microsecond')::text AS "defaultChunkTimeInterval",
    coalesce(a.parent_schema, a.source_schema) AS "sourceSchema",
    coalesce(a.parent_name, a.source_table) AS "sourceName",
    a.raw_hypertable_id AS "sourceId",
    -- The columns that it groups by, in the order of its output, from the view's stored tree: the server's default
    -- for compress_segmentby is all of them but the bucket.
    (SELECT coalesce(array_agg(t.attname::text ORDER BY t.attnum), '{}')
     FROM pg_rewrite r
     JOIN LATERAL (
        SELECT m[1]::int AS resno, m[3] AS ref
        FROM regexp_matches(r.ev_action::text,
            ':resno (\d+) :resname ((?:\\.|[^ \\<])(?:\\.|[^ \\])*) :ressortgroupref ([1-9]\d*) ', 'g') m) e ON true
     JOIN pg_attribute t ON t.attrelid = a.direct_view AND t.attnum = e.resno
     WHERE r.ev_class = a.direct_view AND t.attname <> a.time_column
        AND substring(r.ev_action::text FROM ':groupClause \((.*?)\) :groupDistinct') ~ (':tleSortGroupRef ' || e.ref || ' ')
    ) AS "groupColumns",
    -- Columns as the query gives them, whatever somebody made of the view.
    (SELECT jsonb_agg(jsonb_build_object('name', t.attname, 'type', format_type(t.atttypid, t.atttypmod)) ORDER BY t.attnum)
     FROM pg_attribute t WHERE t.attrelid = a.direct_view AND t.attnum > 0) AS columns,
    obj_description(a.mat_relation, 'pg_class') AS marker,
    -- The function that refuses to let refreshes delete history.
    (SELECT format('%I.%I()', n.nspname, p.proname) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
     JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE t.tgrelid = a.mat_relation AND t.tgname = 'pulumi_timescale_guard') AS guard
FROM aggregate a
