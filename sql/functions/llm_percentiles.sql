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
SET max_parallel_workers_per_gather = 0
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
    -- What is not grouped by stays out of the grouping, and of its price.
    SELECT coalesce(string_agg(k || ', ', '' ORDER BY i) FILTER (WHERE k = ANY (group_by)), ''),
        string_agg(CASE WHEN k = ANY (group_by) THEN k ELSE 'NULL::text' END, ', ' ORDER BY i)
    INTO keys, shown
    FROM unnest(ARRAY['provider', 'model', 'environment', 'status_code']) WITH ORDINALITY AS known (k, i);
    SELECT * INTO answer FROM llm_bins_of(measure, from_time, to_time, keys);

    -- The band of each neighbour first, and only there its bin.
    RETURN QUERY EXECUTE format($query$
        WITH bands AS (
            SELECT %1$s band, counts, n, sum(n) OVER (%3$s ORDER BY band ROWS UNBOUNDED PRECEDING) - n AS before, sum(n) OVER (%3$s) AS total
            FROM (%2$s) b
        ), neighbours AS (
            SELECT %1$s total, f, place - floor(place) AS share, is_high, {middle} AS middle
            FROM bands
                CROSS JOIN unnest($5) f
                CROSS JOIN LATERAL (SELECT f * (total - 1)) p (place)
                JOIN LATERAL (VALUES (false, floor(place)), (true, ceil(place))) w (is_high, found) ON found >= before AND found < before + n
                CROSS JOIN LATERAL (
                    SELECT (band * {columns} + min(at) - 1)::integer AS bin
                    FROM (SELECT at, sum(c) OVER (ORDER BY at) AS upto FROM unnest(counts) WITH ORDINALITY AS u (c, at)) s
                    WHERE before + upto > found
                ) b
        )
        SELECT %4$s, total::bigint, f, (low + share * (high - low)) / $6, $7, $8
        FROM (
            SELECT %1$s total, f, share, max(middle) FILTER (WHERE NOT is_high) AS low, max(middle) FILTER (WHERE is_high) AS high
            FROM neighbours
            GROUP BY %1$s total, f, share
        ) n
        ORDER BY 1, 2, 3, 4, 6
    $query$, keys, answer.bins, CASE WHEN keys <> '' THEN 'PARTITION BY ' || rtrim(keys, ', ') ELSE '' END, shown)
    USING providers, models, environments, statuses, fractions, answer.scale, answer.window_from, answer.window_to;
END
$$
