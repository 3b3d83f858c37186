-- TimescaleDB's version in this database, and those that the server has libraries and scripts for.
-- $1 the version that is wanted, or null for the server's default. One row; installed is null where the extension is not created.
SELECT
    current_database() AS database,
    e.extversion AS installed,
    coalesce($1::text, a.default_version) AS wanted,
    EXISTS (SELECT FROM pg_available_extension_versions v
            WHERE v.name = 'timescaledb' AND v.version = coalesce($1::text, a.default_version)) AS offered,
    EXISTS (SELECT FROM pg_extension_update_paths('timescaledb') p
            WHERE p.source = e.extversion AND p.target = coalesce($1::text, a.default_version)
                AND p.path IS NOT NULL) AS reachable,
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser
FROM pg_available_extensions a
LEFT JOIN pg_extension e ON e.extname = a.name
WHERE a.name = 'timescaledb'
