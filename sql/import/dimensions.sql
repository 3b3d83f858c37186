-- How a hypertable is cut into chunks, as far as no property of a resource says it.
-- $1 hypertable id.
SELECT
    count(*)::int AS dimensions,
    coalesce(bool_or(d.interval_length IS NOT NULL AND d.column_type NOT IN
        ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)), false) AS "integerTime",
    coalesce(bool_or(d.interval_length IS NOT NULL AND d.partitioning_func IS NOT NULL), false) AS "computedTime"
FROM _timescaledb_catalog.dimension d WHERE d.hypertable_id = $1::int
