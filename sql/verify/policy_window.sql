-- The whole buckets that a refresh policy's run takes now, as literals in UTC; the end is exclusive.
-- $1 width of a bucket, $2 start offset, $3 end offset (intervals).
SELECT
    to_char(time_bucket($1::interval, now() - $2::interval + $1::interval) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS start,
    to_char(time_bucket($1::interval, now() - $3::interval) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS end
