-- One user's requests by hour until now, from raw rows: exact. The window begins with a whole hour.
CREATE FUNCTION user_percentiles(p_user_id text, time_window interval DEFAULT interval '24 hours')
RETURNS TABLE (
    time_bucket timestamptz,
    model text,
    request_count bigint,
    p50_duration_ms double precision,
    p95_duration_ms double precision,
    total_cost_usd double precision,
    avg_cost_per_request double precision
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, {schema}, pg_temp
AS $$
    SELECT
        date_trunc('hour', t.ts, 'UTC'),
        t.model,
        count(*),
        percentile_cont(0.50) WITHIN GROUP (ORDER BY t.duration_ms),
        percentile_cont(0.95) WITHIN GROUP (ORDER BY t.duration_ms),
        sum(t.total_cost_usd)::double precision,
        avg(t.total_cost_usd)::double precision
    FROM llm_traces t
    WHERE t.user_id = p_user_id AND t.ts >= date_trunc('hour', now() - time_window, 'UTC')
    GROUP BY 1, 2
    ORDER BY 1 DESC, 2
$$
