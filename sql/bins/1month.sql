-- The bins of {measure} by month (UTC), added up from days: see 1hour.sql for what a bin is.
SELECT
    time_bucket('1 month', bucket) AS bucket,
    provider,
    model,
    environment,
    status_code,
    bin,
    sum(request_count)::bigint AS request_count
FROM {source}
GROUP BY 1, provider, model, environment, status_code, bin
