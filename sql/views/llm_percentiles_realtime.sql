-- Successful requests of the last 15 minutes and the running one, from raw rows: exact, and as fresh as what
-- has been written. Buckets are whole, except the one that is_running.
-- The first condition is implied by the second: from it the server knows chunks to leave out before it plans them.
SELECT
    time_bucket('1 minute', ts) AS bucket,
    provider,
    model,
    status_code,
    count(*) AS request_count,
    percentile_cont(0.50) WITHIN GROUP (ORDER BY duration_ms) AS p50_duration_ms,
    percentile_cont(0.90) WITHIN GROUP (ORDER BY duration_ms) AS p90_duration_ms,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95_duration_ms,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY duration_ms) AS p99_duration_ms,
    avg(duration_ms) AS avg_duration_ms,
    min(duration_ms) AS min_duration_ms,
    max(duration_ms) AS max_duration_ms,
    percentile_cont(0.50) WITHIN GROUP (ORDER BY ttft_ms) AS p50_ttft_ms,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY ttft_ms) AS p95_ttft_ms,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY ttft_ms) AS p99_ttft_ms,
    percentile_cont(0.50) WITHIN GROUP (ORDER BY total_tokens) AS p50_tokens,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY total_tokens) AS p95_tokens,
    percentile_cont(0.50) WITHIN GROUP (ORDER BY total_cost_usd) AS p50_cost_usd,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY total_cost_usd) AS p95_cost_usd,
    time_bucket('1 minute', ts) = time_bucket('1 minute', now()) AS is_running
FROM llm_traces
WHERE ts >= now() - interval '16 minutes' AND ts >= time_bucket('1 minute', now()) - interval '15 minutes' AND status_code = 'OK'
GROUP BY 1, 2, 3, 4
