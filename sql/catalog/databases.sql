-- Databases that can be connected to, templates too: a new database takes TimescaleDB's version from its template.
-- No parameters.
SELECT datname AS name FROM pg_database WHERE datallowconn ORDER BY datname
