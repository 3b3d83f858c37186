/**
 * Dropping an aggregate whose query has changed, in the transaction that creates it again. Raw data
 * may have been dropped since the plan was made; so the loss is looked at once more, under the lock
 * that dropping takes in any case.
 */
import { dollarQuoted, escapeIdentifier, escapeLiteral, quoteQualified } from "../identifier";
import type { Statement } from "../plan/plan";
import type { ActualAggregate } from "./inspect";
import { dropGuardStatement } from "./keepHistory/guard";

/** @param accepted rows of history that may be lost */
export function rebuildStatements(actual: ActualAggregate, accepted: number): Statement[] {
    return [
        guard(actual, accepted),
        {
            name: "drop_continuous_aggregate",
            sql: `DROP MATERIALIZED VIEW ${quoteQualified(actual.name)}`,
        },
        ...(actual.guard === null ? [] : [dropGuardStatement(actual.guard)]),
    ];
}

function guard(actual: ActualAggregate, accepted: number): Statement {
    const { sourceId, timeColumn, bucketWidth, materialization } = actual;
    const bucket = escapeIdentifier(timeColumn);
    return {
        name: "check_history",
        sql: `DO ${dollarQuoted(
            [
                "",
                "DECLARE",
                `    source regclass := (SELECT format('%I.%I', schema_name, table_name)::regclass FROM _timescaledb_catalog.hypertable WHERE id = ${sourceId});`,
                "    lost bigint;",
                "BEGIN",
                "    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', source);",
                `    SELECT count(*) INTO lost FROM ${quoteQualified(materialization)}`,
                "    WHERE NOT EXISTS (",
                "        SELECT FROM _timescaledb_catalog.chunk c",
                "        JOIN _timescaledb_catalog.chunk_constraint cc ON cc.chunk_id = c.id",
                "        JOIN _timescaledb_catalog.dimension_slice ds ON ds.id = cc.dimension_slice_id",
                "        JOIN _timescaledb_catalog.dimension d ON d.id = ds.dimension_id AND d.interval_length IS NOT NULL",
                `        WHERE c.hypertable_id = ${sourceId} AND NOT c.dropped`,
                `            AND _timescaledb_functions.to_timestamp(ds.range_start) < ${bucket} + ${escapeLiteral(bucketWidth ?? "0")}::interval`,
                `            AND _timescaledb_functions.to_timestamp(ds.range_end) > ${bucket});`,
                `    IF lost > ${accepted} THEN`,
                `        RAISE EXCEPTION '% rows of history would be lost, and acceptLoss covers ${accepted}', lost`,
                "            USING HINT = 'raw data was dropped since the plan was made: run preview again';",
                "    END IF;",
                "END",
                "",
            ].join("\n"),
        )}`,
    };
}
