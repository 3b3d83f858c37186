-- Models side by side over the time until now, from raw rows: exact. error_rate is the share of status ERROR.
CREATE FUNCTION compare_model_percentiles(time_window interval DEFAULT interval '1 hour')
RETURNS TABLE (
    model text,
    provider text,
    request_count bigint,
    p50_duration_ms double precision,
    p95_duration_ms double precision,
    p99_duration_ms double precision,
    avg_cost_usd double precision,
    p95_cost_usd double precision,
    error_rate double precision
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, {schema}, pg_temp
AS $$
    SELECT
        t.model,
        t.provider,
        count(*),
        percentile_cont(0.50) WITHIN GROUP (ORDER BY t.duration_ms),
        percentile_cont(0.95) WITHIN GROUP (ORDER BY t.duration_ms),
        percentile_cont(0.99) WITHIN GROUP (ORDER BY t.duration_ms),
        avg(t.total_cost_usd)::double precision,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY t.total_cost_usd),
        count(*) FILTER (WHERE t.status_code = 'ERROR')::double precision / count(*)
    FROM llm_traces t
    WHERE t.ts >= now() - time_window
    GROUP BY 1, 2
    ORDER BY 3 DESC, 1, 2
$$
