-- Which relation or function reads which other one, as oids. Views that TimescaleDB keeps for an aggregate, and the
-- table that it materializes into, stand for the aggregate itself.
-- No parameters.
WITH internal AS (
    SELECT to_regclass(format('%I.%I', x.schema, x.name))::oid AS oid,
        to_regclass(format('%I.%I', a.user_view_schema, a.user_view_name))::oid AS aggregate
    FROM _timescaledb_catalog.continuous_agg a
    JOIN _timescaledb_catalog.hypertable h ON h.id = a.mat_hypertable_id,
        LATERAL (VALUES (a.direct_view_schema, a.direct_view_name), (a.partial_view_schema, a.partial_view_name),
            (h.schema_name, h.table_name)) x (schema, name)
),
edge AS (
    SELECT r.ev_class AS reader, d.refobjid AS source
    FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    WHERE d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass)
    UNION
    SELECT f.adrelid, d.refobjid
    FROM pg_depend d JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
    WHERE d.refclassid = 'pg_proc'::regclass
    UNION
    SELECT i.indrelid, d.refobjid
    FROM pg_depend d JOIN pg_index i ON d.classid = 'pg_class'::regclass AND i.indexrelid = d.objid
    WHERE d.refclassid = 'pg_proc'::regclass
    UNION
    SELECT d.objid, coalesce(t.typrelid, d.refobjid)
    FROM pg_depend d LEFT JOIN pg_type t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid AND t.typrelid <> 0
    WHERE d.classid = 'pg_proc'::regclass
        AND (d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass) OR t.oid IS NOT NULL)
)
SELECT DISTINCT coalesce(one.aggregate, e.reader)::int8::text AS reader, coalesce(other.aggregate, e.source)::int8::text AS source
FROM edge e
LEFT JOIN internal one ON one.oid = e.reader
LEFT JOIN internal other ON other.oid = e.source
-- The first 16384 are PostgreSQL's own.
WHERE e.reader >= 16384 AND e.source >= 16384
    AND coalesce(one.aggregate, e.reader) <> coalesce(other.aggregate, e.source)
ORDER BY 1, 2
