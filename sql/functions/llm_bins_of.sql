-- How many requests of a window fell into each bin, as a query for the functions that count them: whole months,
-- days and hours (UTC) come from the coarsest aggregate that has them, and what is left at both ends from raw
-- rows. What policies have not materialized yet is read one level below, so that the answer is never behind.
--
-- `keys` are columns to group by, each followed by a comma. The query gives them, `band`, its `counts`, of which
-- the first is that of bin {columns} * band, and their sum `n`. It takes lists of providers, models, environments and statuses as $1
-- to $4, null for all.
--
-- Where raw rows are gone (they are kept {raw_kept}), a window is widened to whole hours, and where hours are
-- gone (they are kept {hours_kept}), to whole days: window_from and window_to tell.
CREATE FUNCTION llm_bins_of(
    measure text,
    from_time timestamptz,
    to_time timestamptz,
    keys text,
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
    bin text;
    known text;
    -- Each part adds up by itself: the planner would carry every row and column of one that does not.
    rows_of text;
    bands_of text;
    newest_of constant text := 'SELECT max(bucket) FROM %I WHERE bucket >= %L AND bucket < %L';
    asked constant text := ' AND ($1 IS NULL OR provider = ANY ($1)) AND ($2 IS NULL OR model = ANY ($2)) AND ($3 IS NULL OR environment = ANY ($3)) AND ($4 IS NULL OR status_code = ANY ($4))';
    parts text[] := '{}';
    raw_from timestamptz := {raw_from};
    hours_from timestamptz := {hours_from};
    -- Reaches the next boundary from everywhere but from a boundary.
    hour constant interval := interval '1 hour' - interval '1 microsecond';
    day constant interval := interval '1 day' - interval '1 microsecond';
    month constant interval := interval '1 month' - interval '1 microsecond';
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

    -- At each level from the first whole bucket to the last one that is materialized. That is looked for near
    -- the end first: a look at all chunks costs more than the answer.
    h1 := date_trunc('hour', window_from + hour);
    h2 := date_trunc('hour', window_to);
    IF h1 < h2 THEN
        EXECUTE format(newest_of, prefix || '_1hour', greatest(h1, h2 - interval '1 day'), h2) INTO newest;
        IF newest IS NULL THEN EXECUTE format(newest_of, prefix || '_1hour', h1, h2) INTO newest; END IF;
    END IF;
    h2 := coalesce(newest + interval '1 hour', '-infinity');
    d1 := date_trunc('day', h1 + day);
    d2 := date_trunc('day', window_to);
    newest := NULL;
    IF d1 < d2 THEN
        EXECUTE format(newest_of, prefix || '_1day', greatest(d1, d2 - interval '5 days'), d2) INTO newest;
        IF newest IS NULL THEN EXECUTE format(newest_of, prefix || '_1day', d1, d2) INTO newest; END IF;
    END IF;
    d2 := coalesce(newest + interval '1 day', '-infinity');
    -- Days outlive hours.
    h2 := greatest(h2, d2);
    m1 := date_trunc('month', d1 + month);
    m2 := date_trunc('month', d2);
    IF m1 < m2 THEN
        EXECUTE format(newest_of, prefix || '_1month', m1, m2) INTO newest;
        m2 := coalesce(newest + interval '1 month', '-infinity');
    END IF;

    -- OFFSET 0, because otherwise the bin would be computed once for each of its columns.
    rows_of := 'SELECT ' || keys || 'bin / {columns} AS band, {counts} FROM (SELECT ' || keys || bin || ' AS bin FROM llm_traces WHERE ' || known
        || ' AND ts >= %L AND ts < %L' || asked || ' OFFSET 0) r GROUP BY ' || keys || 'band';
    bands_of := 'SELECT ' || keys || 'band, {sums} FROM %I WHERE bucket >= %L AND bucket < %L' || asked || ' GROUP BY ' || keys || 'band';
    IF h2 <= h1 THEN
        parts := parts || format(rows_of, window_from, window_to);
    ELSE
        IF window_from < h1 THEN parts := parts || format(rows_of, window_from, h1); END IF;
        IF h2 < window_to THEN parts := parts || format(rows_of, h2, window_to); END IF;
        IF d2 <= d1 THEN
            parts := parts || format(bands_of, prefix || '_1hour', h1, h2);
        ELSE
            IF h1 < d1 THEN parts := parts || format(bands_of, prefix || '_1hour', h1, d1); END IF;
            IF d2 < h2 THEN parts := parts || format(bands_of, prefix || '_1hour', d2, h2); END IF;
            IF m2 <= m1 THEN
                parts := parts || format(bands_of, prefix || '_1day', d1, d2);
            ELSE
                IF d1 < m1 THEN parts := parts || format(bands_of, prefix || '_1day', d1, m1); END IF;
                IF m2 < d2 THEN parts := parts || format(bands_of, prefix || '_1day', m2, d2); END IF;
                parts := parts || format(bands_of, prefix || '_1month', m1, m2);
            END IF;
        END IF;
    END IF;
    bins := format('SELECT %s band, ARRAY[{all}] AS counts, {total} AS n FROM (%s) parts GROUP BY %1$s band', keys, array_to_string(parts, ' UNION ALL '));
END
$$
