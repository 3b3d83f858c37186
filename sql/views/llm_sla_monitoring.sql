-- Targets against the last hour by 5 minutes, from raw rows; buckets are whole, except the one that is_running.
-- Latency is that of requests that did not fail: a failure that comes fast would flatter it. Failures count in
-- error_rate alone, the share of status ERROR, from 0 to 1. Where every request failed, or there was none, no
-- latency can be judged: NO DATA. A model that was there in the last seven days and has had no request in
-- this hour has one row, with a request_count of 0.
-- The first condition on ts is implied by the second: from it the server knows chunks to leave out before it plans them.
WITH seen AS (
    SELECT
        time_bucket('5 minutes', ts) AS bucket,
        provider,
        model,
        environment,
        count(*) AS request_count,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE status_code <> 'ERROR') AS p95_duration_ms,
        percentile_cont(0.99) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE status_code <> 'ERROR') AS p99_duration_ms,
        count(*) FILTER (WHERE status_code = 'ERROR')::double precision / count(*) AS error_rate
    FROM llm_traces
    WHERE ts >= now() - interval '65 minutes' AND ts >= time_bucket('5 minutes', now()) - interval '1 hour'
    GROUP BY 1, 2, 3, 4
), watched AS (
    SELECT * FROM seen
    UNION ALL
    SELECT time_bucket('5 minutes', now()), provider, model, environment, 0, NULL, NULL, NULL
    FROM (
        SELECT provider, model, environment FROM llm_metrics_1hour WHERE bucket >= now() - interval '7 days'
        EXCEPT
        SELECT provider, model, environment FROM seen
    ) silent
)
SELECT
    watched.bucket,
    watched.provider,
    watched.model,
    watched.request_count,
    watched.p95_duration_ms,
    watched.p99_duration_ms,
    CASE WHEN watched.p95_duration_ms < target.p95_ms THEN 'PASS' WHEN watched.p95_duration_ms IS NULL THEN 'NO DATA' ELSE 'FAIL' END AS p95_sla_2s,
    CASE WHEN watched.p99_duration_ms < target.p99_ms THEN 'PASS' WHEN watched.p99_duration_ms IS NULL THEN 'NO DATA' ELSE 'FAIL' END AS p99_sla_5s,
    watched.error_rate,
    CASE WHEN watched.error_rate < target.error_rate THEN 'PASS' WHEN watched.error_rate IS NULL THEN 'NO DATA' ELSE 'FAIL' END AS error_rate_sla_1pct,
    watched.environment,
    target.p95_ms AS p95_target_ms,
    target.p99_ms AS p99_target_ms,
    target.error_rate AS error_rate_target,
    watched.bucket = time_bucket('5 minutes', now()) AS is_running
FROM watched
CROSS JOIN LATERAL (
    SELECT p95_ms, p99_ms, error_rate
    FROM llm_sla_targets
    WHERE (llm_sla_targets.model IS NULL OR llm_sla_targets.model = watched.model)
        AND (llm_sla_targets.environment IS NULL OR llm_sla_targets.environment = watched.environment)
    -- The one that says most.
    ORDER BY llm_sla_targets.model IS NULL, llm_sla_targets.environment IS NULL
    LIMIT 1
) target
