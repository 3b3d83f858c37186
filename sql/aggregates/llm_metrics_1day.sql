-- Requests by day, provider and model: long-term trends and capacity planning.
-- unique_users and unique_sessions are exact for their day, provider and model, and cannot be added up
-- over days or models: a user of two models counts in both.
-- success_count + error_count + unset_count = request_count; only ERROR is an error, UNSET is neither.
SELECT
    time_bucket('1 day', ts) AS bucket,
    provider,
    model,
    count(*) AS request_count,
    count(*) FILTER (WHERE status_code = 'OK') AS success_count,
    count(*) FILTER (WHERE status_code = 'ERROR') AS error_count,
    count(*) FILTER (WHERE status_code NOT IN ('OK', 'ERROR')) AS unset_count,
    sum(total_tokens) AS total_tokens,
    sum(prompt_tokens) AS total_prompt_tokens,
    sum(completion_tokens) AS total_completion_tokens,
    sum(total_cost_usd) AS total_cost_usd,
    sum(prompt_cost_usd) AS prompt_cost_usd,
    sum(completion_cost_usd) AS completion_cost_usd,
    avg(total_cost_usd) AS avg_cost_per_request,
    count(total_cost_usd) AS total_cost_usd_count,
    avg(duration_ms) AS avg_duration_ms,
    min(duration_ms) AS min_duration_ms,
    max(duration_ms) AS max_duration_ms,
    sum(duration_ms) AS sum_duration_ms,
    avg(prompt_tokens) AS avg_prompt_tokens,
    count(prompt_tokens) AS prompt_tokens_count,
    avg(completion_tokens) AS avg_completion_tokens,
    count(completion_tokens) AS completion_tokens_count,
    count(DISTINCT user_id) AS unique_users,
    count(DISTINCT session_id) AS unique_sessions
FROM llm_traces
GROUP BY bucket, provider, model
