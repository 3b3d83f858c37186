-- Requests of known content for a copy of llm_traces; a row for each returned.
-- {table}: the copy, quoted. 120 requests in each of 38 minutes: twenty of the last half hour, hours of the
-- last day, days of the last week and of the months before. Six kinds of request, four durations; some
-- without tokens, cost, user or environment; squares of durations outgrow an integer.
INSERT INTO {table} (ts, trace_id, span_id, span_name, provider, model, input_type, prompt_tokens,
    completion_tokens, total_tokens, prompt_cost_usd, completion_cost_usd, total_cost_usd, duration_ms, ttft_ms,
    status_code, error_message, user_id, session_id, environment)
SELECT
    minute + n * interval '0.4 s', 'verify ' || slot || ' ' || n, 'span', 'chat',
    'provider ' || kind % 2, 'model ' || kind % 3, 'text',
    CASE WHEN kind <> 4 THEN value END, CASE WHEN kind <> 4 THEN 2 * value END, CASE WHEN kind <> 4 THEN 3 * value END,
    value * 0.00000123, value * 0.00000246, CASE WHEN kind <> 5 THEN value * 0.00000369 END,
    value * 1000, value, CASE WHEN kind = 0 THEN 'ERROR' WHEN kind = 1 THEN 'UNSET' ELSE 'OK' END,
    CASE WHEN kind = 0 THEN 'failure ' || slot || ' ' || n || repeat('.', 2 * n) END,
    CASE WHEN kind <> 2 THEN 'user ' || n % 7 END, CASE WHEN kind <> 3 THEN 'session ' || n % 11 END,
    CASE WHEN kind <> 1 THEN (ARRAY['production', 'staging'])[1 + kind % 2] END
FROM (
        SELECT row_number() OVER (ORDER BY minute) AS slot, minute FROM (
            SELECT date_trunc('minute', now()) - m * interval '1 minute' FROM generate_series(6, 25) m
            UNION SELECT date_trunc('hour', now()) - h * interval '1 hour' + interval '7 minutes' FROM generate_series(2, 9) h
            UNION SELECT date_trunc('day', now(), 'UTC') - d * interval '1 day' + interval '10 hours 7 minutes' FROM generate_series(2, 7) d
            UNION SELECT date_trunc('day', now(), 'UTC') - d * interval '1 day' + interval '13 hours' FROM unnest('{33,47,61,75}'::int[]) d
        ) minutes (minute)
    ) slots,
    generate_series(1, 120) n,
    LATERAL (SELECT n % 6 AS kind, (ARRAY[3, 60, 700, 50000])[1 + n % 4] AS value) drawn
ON CONFLICT DO NOTHING
RETURNING 1
