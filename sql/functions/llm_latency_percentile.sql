-- One percentile of latency over a window: llm_latency_percentile(0.95, now() - interval '7 days', now()).
-- Within 1 % of percentile_cont over the raw rows; null without requests. Where the window had to be widened, a
-- notice says to what: one number cannot.
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
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, {schema}, pg_temp
AS $$
DECLARE
    answer record;
BEGIN
    SELECT * INTO answer
    FROM llm_percentiles(
        'duration_ms', ARRAY[p], from_time, to_time, '{}',
        nullif(ARRAY[provider], '{NULL}'), nullif(ARRAY[model], '{NULL}'), nullif(ARRAY[environment], '{NULL}'), nullif(ARRAY[status], '{NULL}')
    );
    {notice}
    RETURN answer.value;
END
$$
