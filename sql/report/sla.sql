-- The last hour by 5 minutes against the targets; the bucket that is running is left out, except for models
-- that fell silent, which have no other.
SELECT
    bucket AS at,
    provider,
    model,
    environment,
    request_count::double precision AS requests,
    p95_duration_ms AS p95,
    p99_duration_ms AS p99,
    error_rate,
    p95_target_ms::double precision AS p95_target,
    p99_target_ms::double precision AS p99_target,
    error_rate_target::double precision AS error_rate_target,
    p95_sla_2s AS p95_sla,
    p99_sla_5s AS p99_sla,
    error_rate_sla_1pct AS error_rate_sla
FROM llm_sla_monitoring
WHERE NOT is_running OR request_count = 0
ORDER BY provider, model, environment, bucket
