-- How often {measure} fell into each logarithmic bin, by hour and by all that percentiles are asked by.
-- {value} is a whole number: up to 50 each number is a bin of its own, above it a bin holds what is at
-- most 2 % larger than the bin before: bin 50 + i is (50 * 1.02^(i-1), 50 * 1.02^i]. What is below 0 counts
-- as 0. A row holds a band of {columns} neighbouring bins: count_<j> is of bin {columns} * band + j, null where it
-- is empty. Counts add up over hours, models and statuses, which percentiles do not.
SELECT
    time_bucket('1 hour', ts) AS bucket,
    provider,
    model,
    environment,
    status_code,
    ({bin}) / {columns} AS band,
    {counts}
FROM llm_traces
WHERE {known}
GROUP BY bucket, provider, model, environment, status_code, band
