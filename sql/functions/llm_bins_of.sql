-- Which bins answer a window, as a query for the functions that count them: whole months, days and hours
-- (UTC) from the coarsest aggregate that has them, and what is left at both ends from raw rows. What
-- policies have not materialized yet is read one level below, so that the answer is never behind.
--
-- Where raw rows are gone, before {raw_kept} ago, a window is widened to whole hours, and where hours are
-- gone, before {hours_kept} ago, to whole days: window_from and window_to tell.
CREATE FUNCTION llm_bins_of(
    measure text,
    from_time timestamptz,
    to_time timestamptz,
    OUT bins text,
    OUT scale double precision,
    OUT window_from timestamptz,
    OUT window_to timestamptz
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, {schema}, pg_temp
SET timezone = 'UTC'
SET datestyle = 'ISO'
AS $$
DECLARE
    prefix text;
    value text;
    known text;
    raw text;
    stored text := 'SELECT provider, model, environment, status_code, bin, request_count FROM %I WHERE bucket >= %L AND bucket < %L';
    parts text[];
    raw_from timestamptz := now() - interval '{raw_kept}';
    hours_from timestamptz := now() - interval '{hours_kept}';
    -- Reaches the next boundary from everywhere but from a boundary.
    hour interval := interval '1 hour' - interval '1 microsecond';
    day interval := interval '1 day' - interval '1 microsecond';
    month interval := interval '1 month' - interval '1 microsecond';
    newest timestamptz;
    h1 timestamptz;
    h2 timestamptz;
    d1 timestamptz;
    d2 timestamptz;
    m1 timestamptz;
    m2 timestamptz;
BEGIN
    CASE measure
{measures}
    ELSE
        RAISE EXCEPTION 'there is no distribution of "%"', measure
            USING ERRCODE = '22023', HINT = 'ask for one of {measure_names}';
    END CASE;
    IF from_time IS NULL OR to_time IS NULL OR NOT isfinite(from_time) OR NOT isfinite(to_time) THEN
        RAISE EXCEPTION 'the window has no beginning or no end'
            USING ERRCODE = '22023', HINT = 'give two points in time, such as now() - interval ''7 days'' and now()';
    END IF;
    IF from_time > to_time THEN
        RAISE EXCEPTION 'the window ends before it begins'
            USING ERRCODE = '22023', DETAIL = format('it is from %s to %s', from_time, to_time);
    END IF;

    window_from := CASE
        WHEN from_time < hours_from THEN date_trunc('day', from_time)
        WHEN from_time < raw_from THEN date_trunc('hour', from_time)
        ELSE from_time
    END;
    window_to := CASE
        WHEN to_time < hours_from THEN date_trunc('day', to_time + day)
        WHEN to_time < raw_from THEN date_trunc('hour', to_time + hour)
        ELSE to_time
    END;

    -- At each level from the first whole bucket to the last one that is materialized.
    h1 := date_trunc('hour', window_from + hour);
    EXECUTE format('SELECT max(bucket) FROM %I', prefix || '_1hour') INTO newest;
    h2 := least(date_trunc('hour', window_to), coalesce(newest + interval '1 hour', '-infinity'));
    d1 := date_trunc('day', h1 + day);
    EXECUTE format('SELECT max(bucket) FROM %I', prefix || '_1day') INTO newest;
    d2 := least(date_trunc('day', window_to), coalesce(newest + interval '1 day', '-infinity'));
    -- Days outlive hours.
    h2 := greatest(h2, d2);
    m1 := date_trunc('month', d1 + month);
    EXECUTE format('SELECT max(bucket) FROM %I', prefix || '_1month') INTO newest;
    m2 := least(date_trunc('month', d2), coalesce(newest + interval '1 month', '-infinity'));

    raw := 'SELECT provider, model, environment, status_code, CASE WHEN ' || value || ' <= 50 THEN greatest(' || value
        || ', 0)::integer ELSE 50 + ceil(ln(' || value || ' / 50::double precision) / ln(1.02::double precision))::integer END AS bin,'
        || ' 1::bigint AS request_count FROM llm_traces WHERE ' || known || ' AND ts >= %L AND ts < %L';
    IF h2 <= h1 THEN
        bins := format(raw, window_from, window_to);
        RETURN;
    END IF;
    parts := ARRAY[]::text[];
    IF window_from < h1 THEN parts := parts || format(raw, window_from, h1); END IF;
    IF h2 < window_to THEN parts := parts || format(raw, h2, window_to); END IF;
    IF d2 <= d1 THEN
        parts := parts || format(stored, prefix || '_1hour', h1, h2);
    ELSE
        IF h1 < d1 THEN parts := parts || format(stored, prefix || '_1hour', h1, d1); END IF;
        IF d2 < h2 THEN parts := parts || format(stored, prefix || '_1hour', d2, h2); END IF;
        IF m2 <= m1 THEN
            parts := parts || format(stored, prefix || '_1day', d1, d2);
        ELSE
            IF d1 < m1 THEN parts := parts || format(stored, prefix || '_1day', d1, m1); END IF;
            IF m2 < d2 THEN parts := parts || format(stored, prefix || '_1day', m2, d2); END IF;
            parts := parts || format(stored, prefix || '_1month', m1, m2);
        END IF;
    END IF;
    bins := array_to_string(parts, ' UNION ALL ');
END
$$
