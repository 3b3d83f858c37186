-- Which database this is, whatever stands in it.
-- No parameters.
SELECT value AS "databaseUuid" FROM _timescaledb_catalog.metadata WHERE key = 'uuid'
