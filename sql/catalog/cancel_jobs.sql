-- Cancels the runs of jobs, as far as the login may see and end them: TimescaleDB writes a job's number behind its name.
-- $1 numbers of the jobs, int[]. One row for each run.
SELECT pg_cancel_backend(a.pid)
FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
    AND substring(a.application_name FROM '\[(\d{1,9})\]$')::int = ANY ($1::int[])
    AND pg_has_role(current_user, a.usesysid, 'MEMBER')
