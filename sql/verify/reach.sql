-- How far a refresh policy looks back, and up to when it has had its time.
-- $1 job id. Times are literals in UTC; one run may be late by its schedule, and takes as long as the last one.
WITH policy AS (
    SELECT
        j.id,
        (j.config ->> 'start_offset')::interval AS start_offset,
        coalesce((j.config ->> 'end_offset')::interval, interval '0') AS end_offset,
        greatest(2 * j.schedule_interval, interval '2 minutes') + CASE
            WHEN isfinite(s.last_start) AND isfinite(s.last_finish) AND s.last_finish > s.last_start
            THEN s.last_finish - s.last_start ELSE interval '0' END AS allowance,
        CASE WHEN isfinite(s.last_successful_finish) THEN s.last_successful_finish END AS succeeded
    FROM _timescaledb_config.bgw_job j
    LEFT JOIN _timescaledb_internal.bgw_job_stat s ON s.job_id = j.id
    WHERE j.id = $1::int
)
SELECT
    CASE WHEN start_offset IS NULL THEN ''
         ELSE to_char((now() - start_offset) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END AS "from",
    to_char((now() - end_offset - allowance) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due,
    coalesce(succeeded > now() - allowance, false) AS ran
FROM policy
