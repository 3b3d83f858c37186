/**
 * The database's own guard over history that no raw data can give again: a refresh that reaches below
 * it fails as a whole, and its rows stay. A refresh deletes the buckets that it computes anew, so that
 * is where it is stopped. Retention drops chunks, and is not.
 */
import { dollarQuoted, escapeLiteral, type QualifiedName } from "../../identifier";
import type { Statement } from "../../plan/plan";

export const guardTrigger = "pulumi_timescale_guard";

/**
 * @param name of the aggregate, which may delete nothing below the floor of its source from now on
 * @param buckets of the aggregate, by the name under which others know it meanwhile
 * @param cut literal of the first bucket that was computed: what is below was copied
 */
export function guardStatement(name: QualifiedName, cut: string, buckets: string): Statement {
    return {
        name: "guard_history",
        sql: `DO ${dollarQuoted(
            [
                "",
                "DECLARE",
                "    aggregate record;",
                "    body text;",
                "BEGIN",
                "    SELECT a.mat_hypertable_id AS id, a.raw_hypertable_id AS source, h.schema_name, h.table_name, d.column_name",
                "    INTO STRICT aggregate FROM _timescaledb_catalog.continuous_agg a",
                "    JOIN _timescaledb_catalog.hypertable h ON h.id = a.mat_hypertable_id",
                "    JOIN _timescaledb_catalog.dimension d ON d.hypertable_id = h.id",
                `    WHERE (a.user_view_schema, a.user_view_name) = (${escapeLiteral(name.schema)}, ${escapeLiteral(name.name)});`,
                `    body := format(${escapeLiteral(guardBody())}, aggregate.id, aggregate.source, aggregate.column_name, ${escapeLiteral(cut)});`,
                `    EXECUTE format('CREATE OR REPLACE FUNCTION %I.%I() RETURNS trigger LANGUAGE plpgsql AS %L', ${escapeLiteral(name.schema)}, '${guardTrigger}_' || aggregate.id, body);`,
                `    EXECUTE format('CREATE TRIGGER ${guardTrigger} BEFORE DELETE ON %I.%I FOR EACH ROW EXECUTE FUNCTION %I.%I()',`,
                `        aggregate.schema_name, aggregate.table_name, ${escapeLiteral(name.schema)}, '${guardTrigger}_' || aggregate.id);`,
                "END",
                "",
            ].join("\n"),
        )}`,
        lock: { mode: "ShareRowExclusiveLock", on: [buckets], chunks: true },
    };
}

/** @param guard the function, as PostgreSQL identifies it */
export function dropGuardStatement(guard: string): Statement {
    return {
        name: "drop_guard",
        sql: `DROP FUNCTION IF EXISTS ${guard}`,
        lock: null,
    };
}

/** With %1$s the aggregate's number, %2$s its source's, %3$I the bucket, %4$L the cut. */
function guardBody(): string {
    return [
        "",
        "DECLARE",
        // The catalog is asked once a transaction, not once a row.
        "    floor text := current_setting('pulumi_timescale.floor_%1$s', true);",
        "BEGIN",
        "    IF coalesce(floor, '') = '' THEN",
        "        WITH chunks AS (",
        "            SELECT ds.range_start AS begins, ds.range_end AS ends, c.dropped",
        "            FROM _timescaledb_catalog.chunk c",
        "            JOIN _timescaledb_catalog.chunk_constraint cc ON cc.chunk_id = c.id",
        "            JOIN _timescaledb_catalog.dimension_slice ds ON ds.id = cc.dimension_slice_id",
        "            JOIN _timescaledb_catalog.dimension d ON d.id = ds.dimension_id AND d.interval_length IS NOT NULL",
        "            WHERE c.hypertable_id = %2$s",
        // What retention is due to drop may be no more than a late row that brought its chunk back.
        "        ), cut AS (SELECT max(ends) AS at FROM chunks WHERE dropped OR _timescaledb_functions.to_timestamp(ends) <= now() - (",
        "            SELECT min((j.config ->> 'drop_after')::interval) FROM _timescaledb_config.bgw_job j",
        "            WHERE j.hypertable_id = %2$s AND j.proc_name = 'policy_retention'))",
        "        SELECT greatest(%4$L::timestamptz, _timescaledb_functions.to_timestamp(",
        "            coalesce((SELECT min(begins) FROM chunks WHERE NOT dropped AND (cut.at IS NULL OR begins >= cut.at)), cut.at)))::text",
        "        INTO floor FROM cut;",
        "        PERFORM set_config('pulumi_timescale.floor_%1$s', floor, true);",
        "    END IF;",
        "    IF OLD.%3$I < floor::timestamptz THEN",
        "        RAISE EXCEPTION 'bucket %% can not be computed again', OLD.%3$I USING",
        "            DETAIL = 'raw data is whole from ' || floor || ' on, and what is older exists only in this aggregate',",
        "            HINT = 'refresh from there on; to delete it on purpose, disable the trigger pulumi_timescale_guard first';",
        "    END IF;",
        "    RETURN OLD;",
        "END",
        "",
    ].join("\n");
}
