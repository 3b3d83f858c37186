-- The bins of {measure} by {width}, added up from {source}: see 1hour.sql for what a bin and a band are.
SELECT
    time_bucket('1 {width}', bucket) AS bucket,
    provider,
    model,
    environment,
    status_code,
    band,
    {sums}
FROM {source}
GROUP BY 1, provider, model, environment, status_code, band
