-- Which share of requests, from 0 to 1, had at most this value: llm_rank(2000, now() - interval '1 day', now()).
-- It is the exact share at some value within 1 % of the one asked for; null without requests. Where the window had
-- to be widened, a notice says to what: one number cannot.
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
SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    answer record;
    share double precision;
BEGIN
    SELECT * INTO answer FROM llm_bins_of(measure, from_time, to_time, '');
    EXECUTE format($query$
        SELECT coalesce(sum(c) FILTER (WHERE {middle} <= $5 * (1 + 1e-9)), 0) / sum(c)
        FROM (%s) b, unnest(counts) WITH ORDINALITY AS u (c, at), LATERAL (SELECT (band * {columns} + at - 1)::integer) l (bin)
        HAVING sum(c) > 0
    $query$, answer.bins)
    INTO share
    USING nullif(ARRAY[provider], '{NULL}'), nullif(ARRAY[model], '{NULL}'), nullif(ARRAY[environment], '{NULL}'),
        nullif(ARRAY[status], '{NULL}'), value * answer.scale;
    {notice}
    RETURN share;
END
$$
