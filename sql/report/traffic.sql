-- Requests, how they ended, tokens and cost by step, provider and model. Days, then hours, then minutes: each
-- aggregate from where the coarser one ends, so that the newest rows are as fresh as the finest of them.
--
-- $1 from, $2 where days end, $3 where hours end, $4 to: timestamptz, each not before the one before it
-- $5 step in seconds; `at` is where a step begins, counted from $1
SELECT
    $1::timestamptz + floor(extract(epoch FROM bucket - $1::timestamptz) / $5::integer) * $5::integer * interval '1 second' AS at,
    provider,
    model,
    sum(request_count)::double precision AS requests,
    sum(success_count)::double precision AS success,
    sum(error_count)::double precision AS errors,
    sum(unset_count)::double precision AS unset,
    coalesce(sum(total_tokens), 0)::double precision AS tokens,
    coalesce(sum(total_cost_usd), 0)::double precision AS cost_usd
FROM (
    SELECT bucket, provider, model, request_count, success_count, error_count, unset_count, total_tokens, total_cost_usd
    FROM llm_metrics_1day
    WHERE bucket >= $1::timestamptz AND bucket < $2::timestamptz
    UNION ALL
    SELECT bucket, provider, model, request_count, success_count, error_count, unset_count, total_tokens, total_cost_usd
    FROM llm_metrics_1hour
    WHERE bucket >= $2::timestamptz AND bucket < $3::timestamptz
    UNION ALL
    SELECT bucket, provider, model, request_count, success_count, error_count, unset_count, total_tokens, total_cost_usd
    FROM llm_metrics_1min
    WHERE bucket >= $3::timestamptz AND bucket < $4::timestamptz
) counted
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
