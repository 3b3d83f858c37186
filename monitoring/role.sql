-- A login for the exporter that reads statistics and no data. As an administrator, in the database to watch (psql 14 or later):
--   export MONITOR_PASSWORD="$(openssl rand -hex 24)"
--   psql -d llm_observatory -f monitoring/role.sql
-- pg_monitor shows it what other roles run, and sizes. TimescaleDB's catalog may be read by every role.
\getenv password MONITOR_PASSWORD
CREATE ROLE observatory_monitor LOGIN PASSWORD :'password' CONNECTION LIMIT 5;
GRANT pg_monitor TO observatory_monitor;
ALTER ROLE observatory_monitor SET default_transaction_read_only = on;
ALTER ROLE observatory_monitor SET statement_timeout = '10s';
