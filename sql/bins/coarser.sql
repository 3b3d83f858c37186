-- The bins of {measure} by {width} , added up from {source}: see 1hour.sql for what a bin is.
SELECT
    time_bucket('1 {width}', bucket) AS bucket,
    provider,
    model,
    environment,
    status_code,
    bin,
    sum(request_count)::bigint AS request_count
FROM {source}
GROUP BY 1, provider, model, environment, status_code, bin
