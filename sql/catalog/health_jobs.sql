-- Every job but TimescaleDB's own, with its runs and, where the login may see them, its last failure.
-- No parameters. Times are literals in UTC, lengths in seconds; both null where there was none yet.
WITH failures AS (
    -- TimescaleDB shows failures to those who may act for the job's owner.
    SELECT DISTINCT ON (job_id) job_id, sqlerrcode, err_message, coalesce(finish_time, start_time) AS at
    FROM timescaledb_information.job_errors WHERE job_id >= 1000
    ORDER BY job_id, start_time DESC
),
running AS (
    -- The names of TimescaleDB's workers end in the job's number.
    SELECT DISTINCT substring(application_name FROM '\[(\d+)\]$')::int AS id
    FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '\[\d{1,9}\]$'
)
SELECT
    j.id,
    j.proc_schema AS "procedureSchema",
    j.proc_name AS procedure,
    j.hypertable_id AS "hypertableId",
    pg_get_userbyid(j.owner::oid) AS owner,
    pg_has_role(current_user, j.owner::oid, 'MEMBER') AS "ownedByMember",
    (SELECT rolcanlogin FROM pg_roles WHERE oid = j.owner::oid) AS "ownerMayLogin",
    j.scheduled,
    j.config,
    j.timezone,
    j.fixed_schedule AS "fixedSchedule",
    j.schedule_interval::text AS "scheduleInterval",
    extract(epoch FROM j.schedule_interval)::float8 AS schedule,
    extract(epoch FROM j.retry_period)::float8 AS retry,
    nullif(extract(epoch FROM j.max_runtime), 0)::float8 AS "maxRuntime",
    r.id IS NOT NULL AS worker,
    -- Counted as failed and crashed from its start to its end. Where the scheduler finds that it will not end, it
    -- notes the crash in the flags.
    coalesce(isfinite(s.last_start) AND s.last_finish = '-infinity' AND s.flags & 1 = 0, false) AS begun,
    coalesce(s.total_runs, 0)::float8 AS runs,
    coalesce(s.total_successes, 0)::float8 AS successes,
    coalesce(s.total_failures, 0)::float8 AS failures,
    coalesce(s.total_crashes, 0)::float8 AS crashes,
    coalesce(s.consecutive_failures, 0)::float8 AS "consecutiveFailures",
    coalesce(s.consecutive_crashes, 0)::float8 AS "consecutiveCrashes",
    s.last_run_success AS "lastRunSucceeded",
    (extract(epoch FROM s.total_duration) / nullif(s.total_successes, 0))::float8 AS "meanRunTime",
    CASE WHEN s.last_finish > s.last_start THEN extract(epoch FROM s.last_finish - s.last_start)::float8 END AS "lastRunTime",
    CASE WHEN isfinite(s.last_start) THEN extract(epoch FROM clock_timestamp() - s.last_start)::float8 END AS "sinceStart",
    CASE WHEN isfinite(s.last_start) THEN to_char(s.last_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END AS "lastStart",
    CASE WHEN isfinite(s.last_finish) THEN to_char(s.last_finish AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END AS "lastFinish",
    CASE WHEN isfinite(s.last_successful_finish) THEN to_char(s.last_successful_finish AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END AS "lastSuccess",
    CASE WHEN isfinite(s.next_start) THEN to_char(s.next_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END AS "nextStart",
    e.sqlerrcode AS "errorCode",
    e.err_message AS "errorMessage",
    to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "errorAt"
FROM _timescaledb_config.bgw_job j
-- A policy that was added again can leave a row without a job.
LEFT JOIN _timescaledb_internal.bgw_job_stat s ON s.job_id = j.id
LEFT JOIN failures e ON e.job_id = j.id
LEFT JOIN running r ON r.id = j.id
WHERE j.id >= 1000
ORDER BY j.id
