-- One percentile of latency over a window: llm_latency_percentile(0.95, now() - interval '7 days', now()).
-- Within 1 % of percentile_cont over the raw rows; null without requests.
CREATE FUNCTION llm_latency_percentile(
    p double precision,
    from_time timestamptz,
    to_time timestamptz,
    provider text DEFAULT NULL,
    model text DEFAULT NULL,
    environment text DEFAULT NULL,
    status text DEFAULT NULL
)
RETURNS double precision
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, {schema}, pg_temp
AS $$
    SELECT found.value
    FROM llm_percentiles(
        'duration_ms', ARRAY[p], from_time, to_time, '{}',
        CASE WHEN llm_latency_percentile.provider IS NOT NULL THEN ARRAY[llm_latency_percentile.provider] END,
        CASE WHEN llm_latency_percentile.model IS NOT NULL THEN ARRAY[llm_latency_percentile.model] END,
        CASE WHEN llm_latency_percentile.environment IS NOT NULL THEN ARRAY[llm_latency_percentile.environment] END,
        CASE WHEN llm_latency_percentile.status IS NOT NULL THEN ARRAY[llm_latency_percentile.status] END
    ) found
$$
