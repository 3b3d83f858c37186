-- Which of these names are those of functions whose result differs from row to row. $1 names without a schema.
SELECT DISTINCT p.proname::text AS name FROM pg_proc p WHERE p.proname = ANY ($1::text[]) AND p.provolatile = 'v'
