/** Writes the marker of an aggregate; see core/memory/marker.ts. */
import { dollarQuoted, escapeLiteral, type QualifiedName } from "../identifier";
import type { Statement } from "../plan/plan";

/** Comments on the materialization table, whose name only the catalog knows. */
export function markStatement(name: QualifiedName, marker: string | null): Statement {
    return {
        name: "mark_first_fill",
        sql: `DO ${dollarQuoted(
            [
                "",
                "DECLARE materialization regclass := (",
                "    SELECT format('%I.%I', h.schema_name, h.table_name)::regclass",
                "    FROM _timescaledb_catalog.continuous_agg a",
                "    JOIN _timescaledb_catalog.hypertable h ON h.id = a.mat_hypertable_id",
                `    WHERE a.user_view_schema = ${escapeLiteral(name.schema)} AND a.user_view_name = ${escapeLiteral(name.name)});`,
                "BEGIN",
                `    EXECUTE format('COMMENT ON TABLE %s IS %L', materialization, ${marker === null ? "NULL" : escapeLiteral(marker)});`,
                "END",
                "",
            ].join("\n"),
        )}`,
    };
}
