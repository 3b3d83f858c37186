-- Percentiles of latency of all requests by step, from the bins; a step without requests has no row.
--
-- $1 from, $2 to: timestamptz; $3 step in seconds; $4 fractions
SELECT step.at, p.request_count::double precision AS requests, p.fraction, p.value AS ms
FROM generate_series($1::timestamptz, $2::timestamptz - interval '1 microsecond', $3::integer * interval '1 second') AS step (at),
    LATERAL llm_percentiles('duration_ms', $4::double precision[], step.at, least(step.at + $3::integer * interval '1 second', $2::timestamptz)) p
ORDER BY 1, 3
