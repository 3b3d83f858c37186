-- Whether only TimescaleDB's Apache edition is installed: its library without the community's.
-- For superusers. Null: the libraries lie elsewhere.
SELECT CASE WHEN bool_or(file ~ '^timescaledb-\d')
            THEN NOT bool_or(file LIKE 'timescaledb-tsl-%') END AS "apacheOnly"
  FROM pg_config c, pg_ls_dir(c.setting) AS file
 WHERE c.name = 'PKGLIBDIR'
