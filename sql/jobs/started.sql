-- Records that a job starts, before it does, as TimescaleDB's scheduler does: it counts as crashed until its end is recorded.
-- $1 the job's number. One row: how often it has failed in a row; none: the job is gone, or was switched off.
INSERT INTO _timescaledb_internal.bgw_job_stat AS s (
    job_id, last_start, last_finish, next_start, last_successful_finish, last_run_success, total_runs, total_duration,
    total_duration_failures, total_successes, total_failures, total_crashes, consecutive_failures, consecutive_crashes, flags)
SELECT j.id, clock_timestamp(), '-infinity', '-infinity', '-infinity', false, 1, '0', '0', 0, 0, 1, 0, 1, 0
FROM _timescaledb_config.bgw_job j
WHERE j.id = $1 AND j.scheduled
ON CONFLICT (job_id) DO UPDATE SET
    last_start = clock_timestamp(),
    last_finish = '-infinity',
    next_start = '-infinity',
    last_run_success = false,
    total_runs = s.total_runs + 1,
    total_crashes = s.total_crashes + 1,
    consecutive_crashes = s.consecutive_crashes + 1,
    flags = s.flags & ~1
RETURNING s.consecutive_failures AS failures
