-- What answers: versions, the database's identity and the schemas that definitions are read in.
-- No parameters.
SELECT
    current_setting('server_version_num')::int AS "postgresVersion",
    (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS "timescaleVersion",
    (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
     WHERE e.extname = 'timescaledb') AS "extensionSchema",
    current_setting('timescaledb.license', true) AS license,
    current_setting('timescaledb.restoring', true) AS restoring,
    pg_is_in_recovery() AS replica,
    version() ~* 'emscripten|emcc|wasm' AS embedded
