/**
 * Puts the view of an aggregate back over its materialized buckets. The buckets, the jobs and the
 * catalog entry outlive whatever was done to the view, so nothing is lost.
 */
import {
    dollarQuoted,
    escapeIdentifier,
    escapeLiteral,
    type QualifiedName,
    quoteQualified,
} from "../identifier";
import type { Statement } from "../plan/plan";
import { statementBody } from "../query/query";
import type { ActualAggregate } from "./inspect";

export function restoreViewStatements(actual: ActualAggregate): Statement[] {
    const { view, name, materializedOnly } = actual;
    if (view.state === "renamed") {
        return renameBack(view.to, name);
    }
    return materializedOnly ? bucketsOnly(actual) : realTime(actual);
}

/** ALTER TABLE, as it came: to TimescaleDB the view under the other name is any view. */
function renameBack(was: QualifiedName, will: QualifiedName): Statement[] {
    return [
        ...(was.schema === will.schema
            ? []
            : [
                  {
                      name: "restore_view",
                      sql: `ALTER TABLE ${quoteQualified(was)} SET SCHEMA ${escapeIdentifier(will.schema)}`,
                  },
              ]),
        ...(was.name === will.name
            ? []
            : [
                  {
                      name: "restore_view",
                      sql: `ALTER TABLE ${quoteQualified({ ...was, schema: will.schema })} RENAME TO ${escapeIdentifier(will.name)}`,
                  },
              ]),
    ];
}

function bucketsOnly({ name, columns, materialization }: ActualAggregate): Statement[] {
    return [
        {
            name: "restore_view",
            sql: [
                `CREATE OR REPLACE VIEW ${quoteQualified(name)} AS`,
                `SELECT ${columns.map((column) => escapeIdentifier(column.name)).join(", ")}`,
                `FROM ${quoteQualified(materialization)}`,
            ].join("\n"),
        },
    ];
}

/**
 * A real-time view also reads raw rows above the watermark. Only TimescaleDB writes that text, so it
 * does so for an aggregate with the same query, which is gone again before the transaction ends.
 */
function realTime({
    name,
    definition,
    materializationId,
    materialization,
}: ActualAggregate): Statement[] {
    const model = { schema: name.schema, name: `pulumi_timescale_model_${materializationId}` };
    return [
        {
            name: "create_model_aggregate",
            sql: [
                `CREATE MATERIALIZED VIEW ${quoteQualified(model)}`,
                "WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS",
                statementBody(definition),
                "WITH NO DATA",
            ].join("\n"),
        },
        {
            name: "restore_real_time_view",
            sql: `DO ${dollarQuoted(
                [
                    "",
                    "DECLARE",
                    `    id int := (SELECT mat_hypertable_id FROM _timescaledb_catalog.continuous_agg`,
                    `        WHERE user_view_schema = ${escapeLiteral(model.schema)} AND user_view_name = ${escapeLiteral(model.name)});`,
                    `    body text := pg_get_viewdef(${escapeLiteral(quoteQualified(model))}::regclass);`,
                    "BEGIN",
                    `    body := regexp_replace(body, '_materialized_hypertable_' || id || '\\M', ${escapeLiteral(materialization.name)}, 'g');`,
                    `    body := replace(body, 'cagg_watermark(' || id || ')', 'cagg_watermark(${materializationId})');`,
                    `    EXECUTE ${escapeLiteral(`DROP MATERIALIZED VIEW ${quoteQualified(model)}`)};`,
                    `    EXECUTE ${escapeLiteral(`CREATE OR REPLACE VIEW ${quoteQualified(name)} AS `)} || body;`,
                    "END",
                    "",
                ].join("\n"),
            )}`,
        },
    ];
}
