-- What would have to go with a view or a function if it were dropped, each as PostgreSQL identifies it.
-- $1 its catalog, pg_class or pg_proc, $2 its oid. Jobs find a function by its name, and newer TimescaleDB refuses to drop one that they run.
WITH object AS (
    SELECT $1::regclass AS classid, $2::int8::oid AS oid
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid FROM pg_type t
    JOIN pg_class c ON c.oid = t.typrelid OR c.reltype = t.typelem
    WHERE $1::regclass = 'pg_class'::regclass AND c.oid = $2::int8::oid
),
dependant AS (
    SELECT DISTINCT d.classid, d.objid, d.objsubid, r.ev_class
    FROM object o
    JOIN pg_depend d ON d.refclassid = o.classid AND d.refobjid = o.oid AND d.deptype = 'n'
    LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid AND r.rulename = '_RETURN'
    WHERE r.ev_class IS DISTINCT FROM $2::int8::oid AND (d.classid, d.objid) NOT IN (SELECT classid, oid FROM object)
    -- Triggers, constraints and defaults of chunks come and go with those of their hypertable.
    AND NOT EXISTS (
        SELECT FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN _timescaledb_catalog.chunk k ON k.schema_name = n.nspname AND k.table_name = c.relname
        WHERE c.oid = coalesce(
            CASE WHEN d.classid = 'pg_trigger'::regclass THEN (SELECT tgrelid FROM pg_trigger WHERE oid = d.objid) END,
            CASE WHEN d.classid = 'pg_constraint'::regclass THEN (SELECT conrelid FROM pg_constraint WHERE oid = d.objid) END,
            CASE WHEN d.classid = 'pg_attrdef'::regclass THEN (SELECT adrelid FROM pg_attrdef WHERE oid = d.objid) END))
)
SELECT DISTINCT
    CASE WHEN ca.user_view_name IS NOT NULL THEN 'continuous aggregate' ELSE i.type END AS kind,
    CASE WHEN ca.user_view_name IS NOT NULL THEN format('%I.%I', ca.user_view_schema, ca.user_view_name)
         ELSE i.identity END AS identity
FROM dependant d
LEFT JOIN pg_class c ON c.oid = d.ev_class
LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN _timescaledb_catalog.continuous_agg ca
    ON (n.nspname, c.relname) IN ((ca.direct_view_schema, ca.direct_view_name),
        (ca.partial_view_schema, ca.partial_view_name), (ca.user_view_schema, ca.user_view_name))
CROSS JOIN LATERAL pg_identify_object(
    CASE WHEN d.ev_class IS NULL THEN d.classid ELSE 'pg_class'::regclass END,
    coalesce(d.ev_class, d.objid), CASE WHEN d.ev_class IS NULL THEN d.objsubid ELSE 0 END) i
UNION ALL
SELECT 'job', format('%s of %I.%I', j.id, j.proc_schema, j.proc_name)
FROM _timescaledb_config.bgw_job j
JOIN pg_namespace n ON n.nspname = j.proc_schema
JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname = j.proc_name
WHERE $1::regclass = 'pg_proc'::regclass AND p.oid = $2::int8::oid AND p.proargtypes::text = '23 3802'
UNION ALL
SELECT 'check', format('%s of job %s', c.name, j.id)
FROM _timescaledb_config.bgw_job j, to_jsonb(j) j_json,
    LATERAL (SELECT j_json ->> 'check_schema' AS schema, j_json ->> 'check_name' AS name) c
JOIN pg_namespace n ON n.nspname = c.schema
JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname = c.name
WHERE $1::regclass = 'pg_proc'::regclass AND p.oid = $2::int8::oid AND p.proargtypes::text = '3802'
ORDER BY 1, 2
