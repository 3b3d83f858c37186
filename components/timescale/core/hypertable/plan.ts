/** From changes to the statements that make them, and to the lines and refusals that preview shows. */
import { TimescaleError } from "../errors";
import {
    displayName,
    escapeIdentifier,
    escapeLiteral,
    type QualifiedName,
    quoteQualified,
} from "../identifier";
import type { ChangeLine, Plan, Statement } from "../plan";
import { policyLines, policyRefusals, policyStatements } from "../policyDiff";
import {
    chunkIntervalStatement,
    commentStatement,
    grantStatements,
    orderByTerm,
    parseOrderTerm,
    renameStatements,
} from "../tableStatements";
import {
    describeRefusal,
    type DesiredIndex,
    type HypertableChange,
    type HypertableDiff,
    type HypertableRefusal,
} from "./diff";
import type { Column, DesiredHypertable } from "./spec";

export function planHypertable(
    { changes, notes }: HypertableDiff,
    desired: DesiredHypertable,
): Plan {
    return {
        lines: changes.flatMap((change) => line(change, desired)),
        statements: changes.flatMap((change) => statements(change, desired)),
        fill: false,
        refusals: refusals(changes, desired),
        notes,
    };
}

function refusals(changes: readonly HypertableChange[], name: QualifiedName): TimescaleError[] {
    const reasons = changes.flatMap((change) => (change.kind === "refuse" ? [change.reason] : []));
    // "exists and differs" lists every structural difference already.
    const listed = reasons.some(({ what }) => what === "adopt")
        ? ["columnType", "timeColumn", "primaryKey"]
        : [];
    return [
        ...reasons
            .filter(({ what }) => !listed.includes(what))
            .map((reason) => refusalError(reason, name)),
        ...changes.flatMap((change) =>
            change.kind === "jobOwner" ? policyRefusals(change, name) : [],
        ),
    ];
}

function line(change: HypertableChange, desired: QualifiedName): ChangeLine[] {
    switch (change.kind) {
        case "compression":
        case "addPolicy":
        case "alterPolicy":
        case "removePolicy":
        case "deleteJob":
        case "jobOwner":
            return policyLines(change);
        case "create":
            return [{ property: "create the hypertable" }];
        case "rename":
            return [{ property: "name", was: displayName(change.was), will: displayName(desired) }];
        case "refuse":
            return [];
        case "addColumn":
            return [
                {
                    property: `columns.${change.column.name}`,
                    was: "none",
                    will: change.column.type,
                },
            ];
        case "dropColumn":
            return [
                { property: `columns.${change.name}`, was: "kept", will: "dropped with its data" },
            ];
        case "default":
            return [
                {
                    property: `columns.${change.column}.default`,
                    was: change.was ?? "none",
                    will: change.will ?? "none",
                },
            ];
        case "nullable":
            return [
                {
                    property: `columns.${change.column}.nullable`,
                    was: String(!change.will),
                    will: String(change.will),
                },
            ];
        case "columnComment":
            return [
                {
                    property: `columns.${change.column}.comment`,
                    was: change.was ?? "none",
                    will: change.will ?? "none",
                },
            ];
        case "createIndex":
            return [
                {
                    property: `indexes.${change.index.name}`,
                    was: "none",
                    will: `${change.index.method} (${change.index.columns.join(", ")})`,
                },
            ];
        case "dropIndex":
            return [{ property: `indexes.${change.name}`, was: change.why, will: "dropped" }];
        case "renameIndex":
            return [{ property: `indexes.${change.will}`, was: change.was, will: change.will }];
        case "chunkTimeInterval":
            return [{ property: "chunkTimeInterval", was: change.was, will: change.will }];
        case "comment":
            return [
                { property: "comment", was: change.was ?? "none", will: change.will ?? "none" },
            ];
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

function statements(change: HypertableChange, desired: DesiredHypertable): Statement[] {
    const table = `ALTER TABLE ${quoteQualified(desired)}`;
    const alterColumn = (column: string): string =>
        `${table} ALTER COLUMN ${escapeIdentifier(column)}`;
    switch (change.kind) {
        case "compression":
        case "addPolicy":
        case "alterPolicy":
        case "removePolicy":
        case "deleteJob":
        case "jobOwner":
            return policyStatements(change, desired, "TABLE");
        case "create":
            return createStatements(desired);
        case "rename":
            return renameStatements("TABLE", change.was, desired);
        case "refuse":
            return [];
        case "addColumn":
            return [
                {
                    name: "add_column",
                    sql: `${table} ADD COLUMN ${columnDefinition(change.column)}`,
                },
            ];
        case "dropColumn":
            return [
                {
                    name: "drop_column",
                    sql: `${table} DROP COLUMN ${escapeIdentifier(change.name)}`,
                },
            ];
        case "default":
            return [
                {
                    name: "alter_default",
                    sql: `${alterColumn(change.column)} ${change.will === null ? "DROP DEFAULT" : `SET DEFAULT ${change.will}`}`,
                },
            ];
        case "nullable":
            return [
                {
                    name: "alter_nullable",
                    sql: `${alterColumn(change.column)} ${change.will ? "DROP" : "SET"} NOT NULL`,
                },
            ];
        case "columnComment":
            return [
                {
                    name: "comment_column",
                    sql: `COMMENT ON COLUMN ${quoteQualified(desired)}.${escapeIdentifier(change.column)} IS ${change.will === null ? "NULL" : escapeLiteral(change.will)}`,
                },
            ];
        case "createIndex":
            return [createIndex(change.index, desired)];
        case "dropIndex":
            return [
                {
                    name: "drop_index",
                    sql: `DROP INDEX ${quoteQualified({ schema: desired.schema, name: change.name })}`,
                },
            ];
        case "renameIndex":
            return [
                {
                    name: "rename_index",
                    sql: `ALTER INDEX ${quoteQualified({ schema: desired.schema, name: change.was })} RENAME TO ${escapeIdentifier(change.will)}`,
                },
            ];
        case "chunkTimeInterval":
            return [chunkIntervalStatement(desired, change.will)];
        case "comment":
            return [commentStatement("TABLE", desired, change.will)];
        case "grants":
            return grantStatements(desired, change.difference);
    }
}

function createStatements(desired: DesiredHypertable): Statement[] {
    const lines = desired.columns.map(columnDefinition);
    if (desired.primaryKey.length > 0) {
        lines.push(
            `PRIMARY KEY (${desired.primaryKey.map((column) => escapeIdentifier(column)).join(", ")})`,
        );
    }
    return [
        {
            name: "create_table",
            sql: `CREATE TABLE ${quoteQualified(desired)} (\n    ${lines.join(",\n    ")}\n)`,
        },
        {
            name: "create_hypertable",
            sql: "SELECT create_hypertable($1::regclass, $2::name, chunk_time_interval => $3::interval, create_default_indexes => false)",
            values: [quoteQualified(desired), desired.timeColumn, desired.chunkTimeInterval],
        },
    ];
}

function columnDefinition(column: Column): string {
    return [
        escapeIdentifier(column.name),
        column.type,
        ...(column.nullable === false ? ["NOT NULL"] : []),
        ...(column.default === undefined ? [] : [`DEFAULT (${column.default})`]),
    ].join(" ");
}

function createIndex(index: DesiredIndex, table: QualifiedName): Statement {
    const columns = index.columns.map((term) =>
        index.method === "btree"
            ? orderByTerm(term)
            : escapeIdentifier(parseOrderTerm(term).column),
    );
    return {
        name: "create_index",
        sql: [
            `CREATE INDEX ${escapeIdentifier(index.name)} ON ${quoteQualified(table)}`,
            `USING ${escapeIdentifier(index.method)} (${columns.join(", ")})`,
            ...(index.where === undefined ? [] : [`WHERE ${index.where}`]),
        ].join(" "),
    };
}

function refusalError(reason: HypertableRefusal, name: QualifiedName): TimescaleError {
    const object = displayName(name);
    switch (reason.what) {
        case "other":
            return new TimescaleError(`${object} exists already, and is a ${reason.relation}`, {
                code: "another_relation",
                detail: `it belongs to ${reason.owner}; a hypertable cannot take its place`,
                hint: "choose another name, or rename, drop or convert what stands there: create_hypertable(…, migrate_data => true) converts a plain table and blocks it meanwhile",
                object,
            });
        case "owner":
            return new TimescaleError(`${object} belongs to ${reason.was}`, {
                code: "another_owner",
                detail: `the program connects as ${reason.will}, and only an owner can change it`,
                hint: `run ALTER TABLE ${quoteQualified(name)} OWNER TO ${escapeIdentifier(reason.will)} as a superuser`,
                object,
            });
        case "adopt":
            return new TimescaleError(`a hypertable ${object} exists already and differs`, {
                code: "exists_and_differs",
                detail: reason.differences.join("; "),
                hint: "declare it as it stands, choose another name, or set adopt: true to take it over",
                object,
            });
        case "columnType":
        case "timeColumn":
        case "primaryKey":
            return new TimescaleError(`${object} cannot be changed in place`, {
                code: "structure_differs",
                detail: describeRefusal(reason),
                hint: "declare what stands in the database, or build a new hypertable under another name and copy the rows",
                object,
            });
    }
}
