-- What a server offers and what the login may do, before anything is created.
-- $1 database that will hold the Observatory, $2 names of its roles, $3 login to describe, null: the own
SELECT
    current_setting('server_version_num')::int AS "postgresVersion",
    pg_is_in_recovery() AS "inRecovery",
    current_setting('default_transaction_read_only')::bool AS "readOnly",
    (SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb')
        AS "offeredVersion",
    (SELECT bool_and(trusted OR NOT superuser)
       FROM pg_available_extension_versions WHERE name = 'timescaledb') AS "trusted",
    -- A setting of TimescaleDB's loader: absent when the loader is not in shared_preload_libraries,
    -- which itself only few logins may read.
    current_setting('timescaledb.disable_load', true) IS NOT NULL AS "preloaded",
    current_setting('max_worker_processes')::int AS "maxWorkerProcesses",
    current_setting('timescaledb.max_background_workers', true)::int AS "maxBackgroundWorkers",
    -- application_name and datname are shown to every login, backend_type is not.
    (SELECT count(*)::int FROM pg_stat_activity
      WHERE application_name = 'TimescaleDB Background Worker Scheduler'
        AND datname IS DISTINCT FROM $1) AS "otherSchedulers",
    (SELECT count(*)::int FROM pg_stat_activity
      WHERE backend_type NOT IN (
            'archiver', 'autovacuum launcher', 'autovacuum worker', 'background writer',
            'checkpointer', 'client backend', 'io worker', 'logger', 'parallel worker',
            'slotsync worker', 'standalone backend', 'startup', 'walreceiver', 'walsender',
            'walsummarizer', 'walwriter')
        AND application_name !~ '^TimescaleDB Background Worker'
        -- TimescaleDB's jobs come and go; their names end in the job's number.
        AND application_name !~ '\[\d+\]$') AS "otherWorkers",
    me.rolname AS "user",
    me.rolsuper AS "superuser",
    me.rolcreaterole AS "createRole",
    me.rolcreatedb AS "createDatabase",
    ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname = ANY ($2::text[]) ORDER BY rolname)
        AS "existingRoles",
    EXISTS (SELECT FROM pg_database WHERE datname = $1) AS "databaseExists",
    -- timescaledb_pre_restore() sets this on the database.
    coalesce((SELECT bool_or(setting = 'timescaledb.restoring=on')
       FROM pg_db_role_setting s
       JOIN pg_database d ON d.oid = s.setdatabase,
            unnest(s.setconfig) AS setting
      WHERE d.datname = $1), false) AS "restoring",
    current_setting('timescaledb.license', true) AS "license"
  FROM pg_roles me
 WHERE me.rolname = coalesce($3, current_user::text)
