-- Which share of requests, from 0 to 1, had at most this value: llm_rank(2000, now() - interval '1 day', now()).
-- It is the exact share at some value within 1 % of the one asked for; null without requests.
CREATE FUNCTION llm_rank(
    value double precision,
    from_time timestamptz,
    to_time timestamptz,
    provider text DEFAULT NULL,
    model text DEFAULT NULL,
    environment text DEFAULT NULL,
    status text DEFAULT NULL,
    measure text DEFAULT 'duration_ms'
)
RETURNS double precision
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, {schema}, pg_temp
SET jit = off
AS $$
DECLARE
    answer record;
    share double precision;
BEGIN
    SELECT * INTO answer FROM llm_bins_of(measure, from_time, to_time);
    EXECUTE format($query$
        SELECT coalesce(sum(b.request_count) FILTER (WHERE
                CASE WHEN b.bin <= 50 THEN b.bin ELSE 50 * 1.02::double precision ^ (b.bin - 51) * (2.04 / 2.02) END
                    <= $5 * (1 + 1e-9)), 0)::double precision
            / sum(b.request_count)
        FROM (%s) b
        WHERE ($1 IS NULL OR b.provider = $1) AND ($2 IS NULL OR b.model = $2)
            AND ($3 IS NULL OR b.environment = $3) AND ($4 IS NULL OR b.status_code = $4)
        HAVING sum(b.request_count) > 0
    $query$, answer.bins)
    INTO share
    USING provider, model, environment, status, value * answer.scale;
    RETURN share;
END
$$
