-- The server's clock, and whether the view of targets stands: `helpers: false` in config leaves it out.
SELECT now() AS now, to_regclass('llm_sla_monitoring') IS NOT NULL AS sla
