-- A hypertable as TimescaleDB's catalog knows it, by its name, else by its number; but for its policies and indexes.
-- $1 schema, $2 name, $3 hypertable id or null. No row: the catalog knows none.
SELECT
    h.schema_name AS schema,
    h.table_name AS name,
    h.id AS "hypertableId",
    d.column_name AS "timeColumn",
    (d.interval_length * interval '1 microsecond')::text AS "chunkTimeInterval"
FROM _timescaledb_catalog.hypertable h
LEFT JOIN LATERAL (
    SELECT * FROM _timescaledb_catalog.dimension d
    WHERE d.hypertable_id = h.id AND d.interval_length IS NOT NULL ORDER BY d.id LIMIT 1
) d ON true
WHERE (h.schema_name = $1::text AND h.table_name = $2::text) OR h.id = $3::int
ORDER BY (h.schema_name = $1::text AND h.table_name = $2::text) DESC LIMIT 1
