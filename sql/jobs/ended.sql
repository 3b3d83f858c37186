-- Records how a run ended and when the job runs next, by the rules of TimescaleDB's scheduler: on a fixed schedule in the
-- next slot after its end, else an interval after it; after a failure earlier, after retry_period times the failures in a
-- row (at most 20 of them, at most five intervals, never past the next slot); after a crash not within five minutes. What
-- the job chose as its next start stands. A failed run goes into job_errors; after max_retries failures the job is off.
-- $1 the job's number, $2 success, failure or crash, $3 the error as jsonb, $4 jitter, from -0.125 to 0.125.
-- One row; none: the job is gone.
WITH job AS (
    SELECT
        j.*,
        s.last_start,
        s.next_start AS chosen,
        ended,
        coalesce(j.initial_start, '2000-01-01 00:00:00+00') AS origin,
        extract(year FROM j.schedule_interval) * 12 + extract(month FROM j.schedule_interval) > 0 AS monthly,
        CASE WHEN $2 = 'failure' THEN s.consecutive_failures + 1 ELSE 0 END AS failures,
        CASE $2 WHEN 'failure' THEN s.consecutive_failures + 1 WHEN 'crash' THEN s.consecutive_crashes END AS tries
    FROM _timescaledb_config.bgw_job j
    JOIN _timescaledb_internal.bgw_job_stat s ON s.job_id = j.id
    CROSS JOIN clock_timestamp() AS ended
    WHERE j.id = $1
),
-- A month has no width, so slots of months are counted from the first one.
first AS (
    SELECT
        job.id,
        CASE
            WHEN NOT fixed_schedule THEN NULL
            WHEN NOT monthly AND timezone IS NULL THEN time_bucket(schedule_interval, ended, origin => origin)
            WHEN NOT monthly THEN time_bucket(schedule_interval, ended, timezone, origin => origin)
            ELSE origin + make_interval(months => (
                SELECT (extract(year FROM b.till) - extract(year FROM b.since)) * 12
                    + extract(month FROM b.till) - extract(month FROM b.since)
                FROM (SELECT
                    CASE WHEN timezone IS NULL THEN time_bucket(schedule_interval, origin)
                        ELSE time_bucket(schedule_interval, origin, timezone) END,
                    CASE WHEN timezone IS NULL THEN time_bucket(schedule_interval, ended)
                        ELSE time_bucket(schedule_interval, ended, timezone) END) AS b (since, till))::int)
        END AS slot
    FROM job
),
scheduled AS (
    SELECT
        job.*,
        (SELECT min(candidate) FROM generate_series(slot, slot + 3 * schedule_interval, schedule_interval) AS candidate
         WHERE candidate > ended) AS slot
    FROM job
    JOIN first USING (id)
),
next AS (
    SELECT
        id,
        ended,
        failures,
        max_retries >= 0 AND failures >= max_retries AND failures > 0 AS exhausted,
        CASE
            WHEN $2 = 'success' AND isfinite(chosen) THEN chosen
            WHEN $2 = 'success' THEN CASE WHEN fixed_schedule THEN slot ELSE ended + schedule_interval END
            WHEN $2 = 'failure' AND isfinite(chosen) THEN chosen
            WHEN $2 = 'failure' THEN least(retry, slot)
            ELSE greatest(least(retry, slot), ended + interval '5 minutes')
        END AS starts
    FROM scheduled
    CROSS JOIN LATERAL (
        SELECT ended + least(retry_period * least(tries, 20), schedule_interval * 5) * (1 + $4::float8) AS retry
    ) AS backoff
),
stat AS (
    UPDATE _timescaledb_internal.bgw_job_stat s SET
        next_start = next.starts,
        consecutive_failures = CASE WHEN $2 = 'crash' THEN s.consecutive_failures ELSE next.failures END,
        flags = CASE WHEN $2 = 'crash' THEN s.flags | 1 ELSE s.flags & ~1 END,
        last_finish = CASE WHEN $2 = 'crash' THEN s.last_finish ELSE next.ended END,
        last_run_success = $2 = 'success',
        last_successful_finish = CASE WHEN $2 = 'success' THEN next.ended ELSE s.last_successful_finish END,
        total_crashes = s.total_crashes - CASE WHEN $2 = 'crash' THEN 0 ELSE 1 END,
        consecutive_crashes = CASE WHEN $2 = 'crash' THEN s.consecutive_crashes ELSE 0 END,
        total_successes = s.total_successes + CASE WHEN $2 = 'success' THEN 1 ELSE 0 END,
        total_failures = s.total_failures + CASE WHEN $2 = 'failure' THEN 1 ELSE 0 END,
        total_duration = s.total_duration
            + CASE WHEN $2 = 'success' THEN next.ended - s.last_start ELSE '0' END,
        total_duration_failures = s.total_duration_failures
            + CASE WHEN $2 = 'failure' THEN next.ended - s.last_start ELSE '0' END
    FROM next
    WHERE s.job_id = next.id
),
error AS (
    INSERT INTO _timescaledb_internal.bgw_job_stat_history
        (job_id, pid, execution_start, execution_finish, succeeded, data)
    SELECT
        job.id, pg_backend_pid(), job.last_start, job.ended, false,
        jsonb_build_object(
            'job', jsonb_strip_nulls(jsonb_build_object(
                'schedule_interval', schedule_interval, 'max_runtime', max_runtime, 'max_retries', max_retries,
                'retry_period', retry_period, 'proc_schema', proc_schema, 'proc_name', proc_name,
                'owner', (SELECT rolname FROM pg_roles WHERE oid = job.owner), 'scheduled', scheduled,
                'fixed_schedule', fixed_schedule, 'initial_start', initial_start, 'hypertable_id', hypertable_id,
                'config', config, 'check_schema', check_schema, 'check_name', check_name, 'timezone', timezone)),
            'error_data', $3::jsonb || jsonb_build_object('proc_schema', proc_schema, 'proc_name', proc_name))
    FROM job
    WHERE $2 <> 'success'
),
off AS (
    UPDATE _timescaledb_config.bgw_job j SET scheduled = false FROM next WHERE j.id = next.id AND next.exhausted
)
SELECT
    to_char(starts AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS next,
    (extract(epoch FROM next.ended - job.last_start) * 1000)::float8 AS milliseconds,
    next.failures,
    exhausted
FROM next
JOIN job USING (id)
