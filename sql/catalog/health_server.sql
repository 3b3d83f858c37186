-- What a server says of itself and of the login, as far as the login may know.
-- No parameters.
SELECT
    to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS now,
    current_setting('server_version_num')::int AS "postgresVersion",
    current_setting('timescaledb.license', true) AS license,
    current_user::text AS login,
    current_database()::text AS database,
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
    pg_database_size(current_database())::float8 AS "databaseBytes",
    -- Names of applications are shown to every login.
    EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
        AND application_name = 'TimescaleDB Background Worker Scheduler') AS scheduler,
    -- Written by the process that has the embedded server's data open, where it runs the jobs.
    (SELECT substring(one FROM '=(.*)')
     FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) AS one
     WHERE d.datname = current_database() AND s.setrole = 0 AND one ^@ 'observatory.jobs_run_since=') AS "jobsRunSince",
    CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'MEMBER')
         THEN current_setting('data_directory', true) END AS "dataDirectory"
