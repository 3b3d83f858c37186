-- Percentiles of a measure over any window, one row for each fraction and group.
--
-- Each value is within 1 % of percentile_cont over the raw rows: the two neighbouring values are taken from
-- the middles of their bins, which are at most 1 % off, and then interpolated, so that a gap in the
-- distribution does not break the bound.
CREATE FUNCTION llm_percentiles(
    measure text,
    fractions double precision[],
    from_time timestamptz,
    to_time timestamptz,
    group_by text[] DEFAULT '{}',
    providers text[] DEFAULT NULL,
    models text[] DEFAULT NULL,
    environments text[] DEFAULT NULL,
    statuses text[] DEFAULT NULL
)
RETURNS TABLE (
    provider text,
    model text,
    environment text,
    status_code text,
    request_count bigint,
    fraction double precision,
    value double precision,
    window_from timestamptz,
    window_to timestamptz
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, {schema}, pg_temp
SET jit = off
AS $$
DECLARE
    answer record;
    keys text;
    shown text;
BEGIN
    IF fractions IS NULL OR cardinality(fractions) = 0
        OR EXISTS (SELECT FROM unnest(fractions) f WHERE f IS NULL OR NOT f BETWEEN 0 AND 1) THEN
        RAISE EXCEPTION 'fractions are numbers from 0 to 1'
            USING ERRCODE = '22023', HINT = 'the 95th percentile is 0.95';
    END IF;
    IF NOT coalesce(group_by, '{}') <@ ARRAY['provider', 'model', 'environment', 'status_code'] THEN
        RAISE EXCEPTION 'group_by knows provider, model, environment and status_code'
            USING ERRCODE = '22023', DETAIL = format('it is %s', group_by);
    END IF;
    SELECT * INTO answer FROM llm_bins_of(measure, from_time, to_time);
    -- What is not grouped by stays out of the grouping, and of its price.
    SELECT coalesce(string_agg('b.' || k || ', ', '' ORDER BY i) FILTER (WHERE k = ANY (group_by)), ''),
        string_agg(CASE WHEN k = ANY (group_by) THEN 'b.' || k ELSE 'NULL::text' END, ', ' ORDER BY i)
    INTO keys, shown
    FROM unnest(ARRAY['provider', 'model', 'environment', 'status_code']) WITH ORDINALITY AS known (k, i);

    RETURN QUERY EXECUTE format($query$
        WITH counted AS (
            SELECT %1$s b.bin, sum(b.request_count)::double precision AS n
            FROM (%2$s) b
            WHERE ($1 IS NULL OR b.provider = ANY ($1)) AND ($2 IS NULL OR b.model = ANY ($2))
                AND ($3 IS NULL OR b.environment = ANY ($3)) AND ($4 IS NULL OR b.status_code = ANY ($4))
            GROUP BY %1$s b.bin
        ), ranked AS (
            SELECT *, sum(n) OVER (%3$s ORDER BY bin) AS upto, sum(n) OVER (%3$s) AS total
            FROM counted b
        ), neighbours AS (
            SELECT %1$s total, f, f * (total - 1) AS place,
                min(bin) FILTER (WHERE upto > floor(f * (total - 1))) AS low,
                min(bin) FILTER (WHERE upto > ceil(f * (total - 1))) AS high
            FROM ranked b CROSS JOIN unnest($5) f
            GROUP BY %1$s total, f
        )
        SELECT %4$s, total::bigint, f,
            (l.middle + (place - floor(place)) * (h.middle - l.middle)) / $6, $7, $8
        FROM neighbours b,
            LATERAL (SELECT CASE WHEN low <= 50 THEN low ELSE 50 * 1.02::double precision ^ (low - 51) * (2.04 / 2.02) END) l (middle),
            LATERAL (SELECT CASE WHEN high <= 50 THEN high ELSE 50 * 1.02::double precision ^ (high - 51) * (2.04 / 2.02) END) h (middle)
        ORDER BY 1, 2, 3, 4, 6
    $query$, keys, answer.bins, CASE WHEN keys <> '' THEN 'PARTITION BY ' || rtrim(keys, ', ') ELSE '' END, shown)
    USING providers, models, environments, statuses, fractions, answer.scale, answer.window_from, answer.window_to;
END
$$
