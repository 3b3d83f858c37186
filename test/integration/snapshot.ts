/** Everything that the catalog says of what people made, as rows that can be compared. */
import type { Row, Target } from "./onEveryServer";

const places = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/** Rows of the statements that say it; numbers of jobs and relations included. */
const questions: readonly string[] = [
    `SELECT c.oid, n.nspname, c.relname, c.relkind, c.relowner::regrole::text AS owner, c.relacl::text,
         c.reloptions::text, obj_description(c.oid, 'pg_class') AS comment
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${places} ORDER BY c.oid`,
    `SELECT c.oid, a.attnum, a.attname, a.atttypid::regtype::text AS type, a.attnotnull, a.attacl::text,
         col_description(c.oid, a.attnum) AS comment, pg_get_expr(d.adbin, d.adrelid) AS "default"
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
     LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
     WHERE ${places} AND c.relkind IN ('r', 'v', 'm') ORDER BY 1, 2`,
    `SELECT c.oid, pg_get_viewdef(c.oid) AS definition FROM pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${places} AND c.relkind = 'v' ORDER BY 1`,
    `SELECT indexrelid, pg_get_indexdef(indexrelid) AS definition FROM pg_index ORDER BY 1`,
    `SELECT oid, conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint ORDER BY 1`,
    `SELECT oid, tgname FROM pg_trigger ORDER BY 1`,
    `SELECT p.oid, proname, proowner::regrole::text AS owner, proacl::text, prosrc, obj_description(p.oid, 'pg_proc') AS comment
     FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${places} AND p.prokind <> 'a' ORDER BY 1`,
    "SELECT * FROM _timescaledb_config.bgw_job ORDER BY id",
    "SELECT * FROM _timescaledb_catalog.hypertable ORDER BY id",
    "SELECT * FROM _timescaledb_catalog.dimension ORDER BY id",
    "SELECT * FROM _timescaledb_catalog.continuous_agg ORDER BY mat_hypertable_id",
    "SELECT * FROM _timescaledb_catalog.compression_settings ORDER BY relid::text",
    "SELECT * FROM _timescaledb_catalog.chunk ORDER BY id",
];

export async function snapshot(target: Target): Promise<readonly (readonly Row[])[]> {
    const rows: Row[][] = [];
    for (const question of questions) rows.push(await target.asAdmin(question));
    return rows;
}
