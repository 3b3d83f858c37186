-- For queries written for the aggregate of this name, from llm_metrics_1hour: that is not kept by user, so
-- user_id is null and a row holds all users. Requests are those with a cost.
SELECT
    bucket,
    provider,
    model,
    NULL::text AS user_id,
    environment,
    total_cost_usd AS total_cost,
    total_prompt_cost AS prompt_cost,
    total_completion_cost AS completion_cost,
    coalesce(total_cost_usd_count, request_count) AS request_count,
    total_tokens,
    total_cost_usd / nullif(coalesce(total_cost_usd_count, request_count), 0) AS avg_cost_per_request
FROM llm_metrics_1hour
WHERE total_cost_usd IS NOT NULL
