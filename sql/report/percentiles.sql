-- Percentiles of latency over the whole window, grouped as asked, from the bins.
--
-- $1 from, $2 to: timestamptz; $3 fractions; $4 columns to group by
SELECT provider, model, request_count::double precision AS requests, fraction, value AS ms
FROM llm_percentiles('duration_ms', $3::double precision[], $1::timestamptz, $2::timestamptz, $4::text[])
ORDER BY 1, 2, 4
