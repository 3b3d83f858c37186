-- Requests that come late, into a bucket that is over and has been materialized.
-- {table}: the copy of llm_traces, quoted. $1 the bucket's width: minute, hour or day; $2 how long ago (interval).
INSERT INTO {table} (ts, trace_id, span_id, span_name, provider, model, input_type, total_tokens, total_cost_usd,
    duration_ms, ttft_ms, status_code, error_message)
SELECT date_trunc($1::text, now(), 'UTC') - $2::interval + interval '59.9 s', 'late ' || $1::text || n, 'span', 'chat',
    'provider 0', 'model 0', 'text', 7, 0.7, 77, 7, 'ERROR', 'late'
FROM generate_series(1, 3) n
