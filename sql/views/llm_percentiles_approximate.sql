-- By minute, from llm_metrics_1min: the name is the original's, but the percentiles are exact for their minute.
-- They cannot be merged into longer ones: ask llm_percentiles for those.
SELECT
    bucket,
    provider,
    model,
    status_code,
    request_count,
    avg_duration_ms,
    min_duration_ms,
    max_duration_ms,
    -- In numeric, because the difference of two large numbers of doubles says nothing.
    sqrt(greatest(sum_duration_ms_squared * request_count - sum_duration_ms::numeric * sum_duration_ms, 0)) / request_count
        AS stddev_duration_ms,
    p50_duration_ms AS approx_p50_duration_ms,
    p90_duration_ms AS approx_p90_duration_ms,
    p95_duration_ms AS approx_p95_duration_ms,
    p99_duration_ms AS approx_p99_duration_ms
FROM llm_metrics_1min
