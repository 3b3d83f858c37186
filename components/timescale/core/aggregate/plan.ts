/** From changes to the statements that make them, and to the lines and refusals that preview shows. */
import { createTwoFilesPatch } from "diff";

import { TimescaleError } from "../errors";
import {
    displayName,
    escapeIdentifier,
    escapeLiteral,
    type QualifiedName,
    quoteQualified,
} from "../identifier";
import { fillMarker } from "../marker";
import type { ChangeLine, Plan, Statement } from "../plan";
import { policyLines, policyRefusals, policyStatements } from "../policyDiff";
import { statementBody } from "../query";
import {
    chunkIntervalStatement,
    commentStatement,
    grantStatements,
    renameStatements,
} from "../tableStatements";
import { type AggregateChange, type AggregateDiff, type AggregateRefusal } from "./diff";
import type { DesiredAggregate } from "./spec";

export function planAggregate(
    { changes, notes }: AggregateDiff,
    desired: DesiredAggregate,
    /** The materialization table of an aggregate that stands; one being created is looked up. */
    filling: boolean,
): Plan {
    const name: QualifiedName = { schema: desired.schema, name: desired.name };
    const creating = changes.some(({ kind }) => kind === "create" || kind === "takeBack");
    const fill = changes.some(({ kind }) => kind === "fill");
    return {
        lines: changes.flatMap((change) => line(change, desired)),
        statements: changes.flatMap((change) =>
            statements(change, name, desired, { pauseRefresh: creating || filling }),
        ),
        fill,
        refusals: changes.flatMap((change) =>
            change.kind === "refuse"
                ? [refusalError(change.reason, name)]
                : change.kind === "jobOwner"
                  ? policyRefusals(change, name)
                  : [],
        ),
        notes,
    };
}

function line(change: AggregateChange, desired: QualifiedName): ChangeLine[] {
    switch (change.kind) {
        case "compression":
        case "addPolicy":
        case "alterPolicy":
        case "removePolicy":
        case "deleteJob":
        case "jobOwner":
            return policyLines(change);
        case "create":
            return [{ property: "create the continuous aggregate" }];
        case "takeBack":
            return [{ property: "take it back into service" }];
        case "rename":
            return [{ property: "name", was: displayName(change.was), will: displayName(desired) }];
        case "fill":
            return [{ property: "fill it, oldest buckets first" }];
        case "refuse":
            return [];
        case "materializedOnly":
            return [
                {
                    property: "materializedOnly",
                    was: String(change.was),
                    will: String(change.will),
                },
            ];
        case "chunkTimeInterval":
            return [{ property: "chunkTimeInterval", was: change.was, will: change.will }];
        case "comment":
            return [{ property: "comment", was: quoted(change.was), will: quoted(change.will) }];
        case "grants": {
            const { role, missing, unexpected } = change.difference;
            return [
                ...missing.map((privilege) => ({
                    property: `grants.${role}`,
                    was: "none",
                    will: privilege,
                })),
                ...unexpected.map((privilege) => ({ property: `grants.${role}`, was: privilege })),
            ];
        }
    }
}

function quoted(text: string | null): string {
    return text === null ? "none" : JSON.stringify(text);
}

function statements(
    change: AggregateChange,
    name: QualifiedName,
    desired: DesiredAggregate,
    { pauseRefresh }: { readonly pauseRefresh: boolean },
): Statement[] {
    switch (change.kind) {
        case "create":
            return [createStatement(desired), markStatement(name, fillMarker)];
        case "takeBack":
            return [markStatement(name, fillMarker)];
        case "rename":
            return renameStatements("MATERIALIZED VIEW", change.was, name);
        // Filling runs outside the transaction; a refusal stops before the first statement.
        case "fill":
        case "refuse":
            return [];
        case "materializedOnly":
            return [
                {
                    name: "set_materialized_only",
                    sql: `ALTER MATERIALIZED VIEW ${quoteQualified(name)} SET (timescaledb.materialized_only = ${change.will})`,
                },
            ];
        case "chunkTimeInterval":
            return [chunkIntervalStatement(name, change.will)];
        case "compression":
        case "addPolicy":
        case "alterPolicy":
        case "removePolicy":
        case "deleteJob":
        case "jobOwner":
            return policyStatements(change, name, "MATERIALIZED VIEW", { pauseRefresh });
        case "comment":
            return [commentStatement("VIEW", name, change.will)];
        case "grants":
            return grantStatements(name, change.difference);
    }
}

function createStatement(desired: DesiredAggregate): Statement {
    return {
        name: "create_continuous_aggregate",
        sql: [
            `CREATE MATERIALIZED VIEW ${quoteQualified(desired)}`,
            `WITH (timescaledb.continuous, timescaledb.materialized_only = ${desired.materializedOnly})`,
            "AS",
            statementBody(desired.query),
            "WITH NO DATA",
        ].join("\n"),
    };
}

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

/** With a tag that the text does not hold: a name may hold anything. */
function dollarQuoted(text: string): string {
    let tag = "$mark$";
    while (text.includes(tag)) tag = `${tag.slice(0, -1)}_$`;
    return `${tag}${text}${tag}`;
}

/** Two definitions as a line diff, the way people read one. */
export function definitionDiff(was: string, will: string): string {
    return createTwoFilesPatch("in the database", "declared", `${was}\n`, `${will}\n`, "", "", {
        context: 2,
    })
        .split("\n")
        .slice(1)
        .filter((text) => !text.startsWith("\\"))
        .join("\n")
        .trimEnd();
}

function refusalError(reason: AggregateRefusal, name: QualifiedName): TimescaleError {
    const object = displayName(name);
    switch (reason.what) {
        case "query":
            return new TimescaleError(`the query of continuous aggregate ${object} has changed`, {
                code: "query_changed",
                detail: `TimescaleDB can only drop and create it again, and history that raw data no longer has would be gone\n${definitionDiff(reason.was, reason.will)}`,
                hint: "put the query back, or declare the new one under another name beside this one and remove this one when it is no longer read",
                object,
            });
        case "adopt":
            return new TimescaleError(
                `a continuous aggregate ${object} with another query exists already`,
                {
                    code: "exists_and_differs",
                    detail: definitionDiff(reason.was, reason.will),
                    hint: "declare the query that it has, or choose another name",
                    object,
                },
            );
        case "other":
            return new TimescaleError(`${object} exists already, and is a ${reason.relation}`, {
                code: "another_relation",
                detail: `it belongs to ${reason.owner}; a continuous aggregate cannot take its place`,
                hint: "choose another name, or rename or drop what stands there",
                object,
            });
        case "orphan":
            return new TimescaleError(`the view of continuous aggregate ${object} is gone`, {
                code: "orphan",
                detail: "TimescaleDB's catalog and jobs still know it: its view was renamed with ALTER TABLE or dropped behind TimescaleDB's back",
                hint: `rename the view back with ALTER TABLE … RENAME TO ${escapeIdentifier(name.name)}; if it is gone, run CREATE VIEW ${quoteQualified(name)} AS SELECT 1 AS x and then DROP MATERIALIZED VIEW ${quoteQualified(name)}`,
                object,
            });
        case "hijacked":
            return new TimescaleError(`the view of continuous aggregate ${object} was replaced`, {
                code: "hijacked",
                detail: "its view is not the one that TimescaleDB made: someone ran CREATE OR REPLACE VIEW over it",
                hint: restoreView(reason, name),
                object,
            });
        case "owner":
            return new TimescaleError(`${object} belongs to ${reason.was}`, {
                code: "another_owner",
                detail: `the program connects as ${reason.will}, and only an owner can change it`,
                hint: `run ALTER MATERIALIZED VIEW ${quoteQualified(name)} OWNER TO ${escapeIdentifier(reason.will)} as a superuser`,
                object,
            });
        case "window":
            return new TimescaleError(reason.message, {
                code: "refresh_window",
                detail: reason.detail,
                hint: reason.hint,
                object,
            });
    }
}

/** TimescaleDB cannot switch a replaced view; one that reads the buckets alone it can. */
function restoreView(
    {
        materialization,
        materializationId,
        materializedOnly,
    }: AggregateRefusal & { readonly what: "hijacked" },
    name: QualifiedName,
): string {
    const replace = `CREATE OR REPLACE VIEW ${quoteQualified(name)} AS SELECT * FROM ${quoteQualified(materialization)}`;
    return materializedOnly
        ? `run ${replace}`
        : `run ${replace}, and as a superuser UPDATE _timescaledb_catalog.continuous_agg SET materialized_only = true WHERE mat_hypertable_id = ${materializationId}; the next deployment makes it real-time again. Never switch materialized_only before that: it ends the server`;
}
