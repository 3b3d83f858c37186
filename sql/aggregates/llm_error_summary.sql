-- Failed requests by hour: only status ERROR is an error, as everywhere else; UNSET, where nobody said how
-- it ended, and OK have no row here, so error_count is that of llm_metrics_1hour.
-- The sample is the latest message, cut to 200 characters: it outlives the raw text it was taken from.
SELECT
    time_bucket('1 hour', ts) AS bucket,
    provider,
    model,
    status_code,
    environment,
    count(*) AS error_count,
    left(last(error_message, ts), 200) AS sample_error_message,
    avg(duration_ms) AS avg_duration_ms,
    sum(duration_ms) AS sum_duration_ms,
    sum(total_cost_usd) AS total_cost_usd,
    count(DISTINCT user_id) AS affected_users,
    count(DISTINCT session_id) AS affected_sessions
FROM llm_traces
WHERE status_code = 'ERROR'
GROUP BY bucket, provider, model, status_code, environment
