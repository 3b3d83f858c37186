-- All requests of the last 24 hours and the running one, from raw rows: exact, and as fresh as what has been
-- written. Buckets are whole, except the one that is_running. error_rate is the share of status ERROR, 0 to 1.
-- The first condition is implied by the second: from it the server knows chunks to leave out before it plans them.
SELECT
    time_bucket('1 hour', ts) AS bucket,
    provider,
    model,
    environment,
    count(*) AS request_count,
    percentile_cont(0.50) WITHIN GROUP (ORDER BY duration_ms) AS p50_duration_ms,
    percentile_cont(0.90) WITHIN GROUP (ORDER BY duration_ms) AS p90_duration_ms,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95_duration_ms,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY duration_ms) AS p99_duration_ms,
    avg(duration_ms) AS avg_duration_ms,
    sum(total_cost_usd) AS total_cost_usd,
    avg(total_cost_usd) AS avg_cost_usd,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY total_cost_usd) AS p95_cost_usd,
    sum(total_tokens) AS total_tokens,
    avg(total_tokens) AS avg_tokens,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY total_tokens) AS p95_tokens,
    count(*) FILTER (WHERE status_code = 'ERROR')::double precision / count(*) AS error_rate,
    time_bucket('1 hour', ts) = time_bucket('1 hour', now()) AS is_running
FROM llm_traces
WHERE ts >= now() - interval '25 hours' AND ts >= time_bucket('1 hour', now()) - interval '24 hours'
GROUP BY 1, 2, 3, 4
