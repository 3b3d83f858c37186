-- Requests by minute, provider, model and status: what live dashboards read.
-- An average that is stored has its non-null count and sum beside it, so that minutes can be merged.
-- Percentiles are exact for the bucket and cannot be merged. Squares are taken in bigint: an integer
-- product overflows from 46,341 ms on.
-- success_count + error_count + unset_count = request_count; only ERROR is an error, UNSET is neither.
SELECT
    time_bucket('1 minute', ts) AS bucket,
    provider,
    model,
    status_code,
    count(*) AS request_count,
    count(*) FILTER (WHERE status_code = 'OK') AS success_count,
    count(*) FILTER (WHERE status_code = 'ERROR') AS error_count,
    count(*) FILTER (WHERE status_code NOT IN ('OK', 'ERROR')) AS unset_count,
    sum(total_tokens) AS total_tokens,
    sum(total_cost_usd) AS total_cost_usd,
    avg(duration_ms) AS avg_duration_ms,
    min(duration_ms) AS min_duration_ms,
    max(duration_ms) AS max_duration_ms,
    sum(duration_ms) AS sum_duration_ms,
    sum(duration_ms::bigint * duration_ms) AS sum_duration_ms_squared,
    percentile_cont(0.50) WITHIN GROUP (ORDER BY duration_ms) AS p50_duration_ms,
    percentile_cont(0.90) WITHIN GROUP (ORDER BY duration_ms) AS p90_duration_ms,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95_duration_ms,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY duration_ms) AS p99_duration_ms,
    avg(prompt_tokens) AS avg_prompt_tokens,
    count(prompt_tokens) AS prompt_tokens_count,
    sum(prompt_tokens) AS total_prompt_tokens,
    avg(completion_tokens) AS avg_completion_tokens,
    count(completion_tokens) AS completion_tokens_count,
    sum(completion_tokens) AS total_completion_tokens
FROM llm_traces
GROUP BY bucket, provider, model, status_code
