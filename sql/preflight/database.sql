-- What an existing database holds, before anything is created in it.
-- $1 schema of the Observatory
SELECT
    (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS "installedVersion",
    current_setting('timescaledb.license', true) AS "license",
    coalesce(current_setting('timescaledb.restoring', true) = 'on', false) AS "restoring",
    current_setting('default_transaction_read_only')::bool AS "readOnly",
    EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS "schemaExists",
    coalesce((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = $1), false)
        AS "mayCreateInSchema"
