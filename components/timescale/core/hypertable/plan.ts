/** From changes to the statements that make them, and to the lines and refusals that preview shows. */
import { TimescaleError } from "../errors";
import {
    displayName,
    escapeIdentifier,
    escapeLiteral,
    type QualifiedName,
    quoteQualified,
} from "../identifier";
import { nameLine, nameTakenDetail, ownerLine, ownerRefusal } from "../plan/objectChanges";
import { type ChangeLine, type Plan, type Statement, transactionFirst } from "../plan/plan";
import { orderOf } from "../policies/compressionDiff";
import { policyLines } from "../policies/lines";
import { ownerStatements, policyRefusals, policyStatements } from "../policies/statements";
import { renameColumnLines, renameColumnStatements } from "../relation/columns";
import { grantLines } from "../relation/grants";
import { indexLines, type IndexPlace, indexStatements } from "../relation/indexes";
import {
    chunkIntervalStatement,
    commentStatement,
    compressionStatement,
    grantStatements,
    ownerStatement,
    renameStatements,
    roleStatements,
} from "../relation/tableStatements";
import {
    describeRefusal,
    type HypertableChange,
    type HypertableDiff,
    type HypertableRefusal,
} from "./diff";
import { type HypertableFacts, hypertableHazards } from "./hazards";
import type { Column, DesiredHypertable } from "./spec";

export interface HypertablePlanOptions {
    /** Who is logged in, where the table is to be somebody else's. Default: its owner. */
    readonly login?: string;
    /** Whether it holds chunks, which an index is then built on one by one. Default false. */
    readonly perChunk?: boolean;
    /** The name under which it stands, where that is not the declared one. */
    readonly standing?: QualifiedName;
    /** What hazards are told with. Default: nothing was inspected for them. */
    readonly facts?: HypertableFacts;
}

export function planHypertable(
    { changes, notes }: HypertableDiff,
    desired: DesiredHypertable,
    { login, perChunk = false, standing, facts = {} }: HypertablePlanOptions = {},
): Plan {
    const object = displayName(desired);
    const made = changes.some(({ kind }) => kind === "create");
    const stood = standing ?? (made ? null : desired);
    const place: IndexPlace = { relation: desired, schema: desired.schema, perChunk };
    const statements = changes.flatMap((change) => statementsOf(change, desired, place));
    const rename = changes.find((change) => change.kind === "rename");
    // What the login does as itself comes before it takes the owner's role.
    const asLogin = [
        ...changes.flatMap((change) =>
            change.kind === "owner"
                ? [ownerStatement("TABLE", rename?.was ?? desired, change.will)]
                : [],
        ),
        ...ownerStatements(changes),
    ];
    return {
        lines: changes.flatMap((change) => line(change, desired)),
        statements:
            statements.length + asLogin.length === 0
                ? []
                : transactionFirst([
                      ...asLogin,
                      ...roleStatements(desired.owner, login),
                      ...statements,
                  ]),
        fill: false,
        places: {
            kind: "hypertable",
            object,
            standing: stood === null ? null : displayName(stood),
        },
        refusals: refusals(changes, desired),
        notes,
        hazards: hypertableHazards(changes, object, { perChunk }, facts),
    };
}

function refusals(changes: readonly HypertableChange[], name: QualifiedName): TimescaleError[] {
    const reasons = changes.flatMap((change) => (change.kind === "refuse" ? [change.reason] : []));
    // "exists and differs" lists every structural difference already.
    const listed = reasons.some(({ what }) => what === "adopt") ? ["columnType", "timeColumn"] : [];
    return [
        ...reasons
            .filter(({ what }) => !listed.includes(what))
            .map((reason) => refusalError(reason, name)),
        ...policyRefusals(changes, name),
    ];
}

function line(change: HypertableChange, desired: DesiredHypertable): ChangeLine[] {
    switch (change.kind) {
        case "compression":
        case "addPolicy":
        case "alterPolicy":
        case "removePolicy":
        case "deleteJob":
        case "replaceJob":
        case "jobOwner":
        case "compressedChunks":
            return policyLines(change);
        case "createIndex":
        case "dropIndex":
        case "renameIndex":
            return indexLines(change);
        case "create":
            return [{ code: "create", property: "create the hypertable" }];
        case "rename":
            return [nameLine(change.was, desired)];
        case "owner":
            return [ownerLine(change)];
        // What they stand around says what changes.
        case "suspendCompression":
        case "resumeCompression":
        case "refuse":
            return [];
        case "primaryKey":
            return [
                {
                    code: "primary_key",
                    property: "primaryKey",
                    was: change.was.join(", ") || "none",
                    will: change.will.join(", ") || "none",
                },
            ];
        case "renameColumns":
            return renameColumnLines(change.columns);
        case "addColumn":
            return [
                {
                    code: "column_missing",
                    property: `columns.${change.column.name}`,
                    was: "none",
                    will: change.column.type,
                },
            ];
        case "dropColumn":
            return [
                {
                    code: "column_dropped",
                    property: `columns.${change.name}`,
                    was: "kept",
                    will:
                        desired.backup === undefined
                            ? "dropped with its data"
                            : `dropped with its data, after a backup in ${desired.backup}`,
                },
            ];
        case "default":
            return [
                {
                    code: "column_default",
                    property: `columns.${change.column}.default`,
                    was: change.was ?? "none",
                    will: change.will ?? "none",
                },
            ];
        case "nullable":
            return [
                {
                    code: "column_nullable",
                    property: `columns.${change.column}.nullable`,
                    was: String(!change.will),
                    will: String(change.will),
                },
            ];
        case "columnComment":
            return [
                {
                    code: "column_comment",
                    property: `columns.${change.column}.comment`,
                    was: change.was ?? "none",
                    will: change.will ?? "none",
                },
            ];
        case "chunkTimeInterval":
            return [
                {
                    code: "chunk_time_interval",
                    property: "chunkTimeInterval",
                    was: change.was,
                    will: change.will,
                },
            ];
        case "comment":
            return [
                {
                    code: "comment",
                    property: "comment",
                    was: change.was ?? "none",
                    will: change.will ?? "none",
                },
            ];
        case "grants":
            return grantLines(change.difference);
    }
}

function statementsOf(
    change: HypertableChange,
    desired: DesiredHypertable,
    place: IndexPlace,
): Statement[] {
    const table = `ALTER TABLE ${quoteQualified(desired)}`;
    const alterColumn = (column: string): string =>
        `${table} ALTER COLUMN ${escapeIdentifier(column)}`;
    switch (change.kind) {
        case "compression":
        case "addPolicy":
        case "alterPolicy":
        case "removePolicy":
        case "deleteJob":
        case "replaceJob":
        case "jobOwner":
        case "compressedChunks":
            return policyStatements(change, desired, "TABLE");
        case "createIndex":
        case "dropIndex":
        case "renameIndex":
            return indexStatements(change, place);
        case "create":
            return createStatements(desired);
        case "rename":
            return renameStatements("TABLE", change.was, desired);
        // The owner changes before the login takes its role; a refusal stops before the first statement.
        case "owner":
        case "refuse":
            return [];
        case "suspendCompression":
            return [compressionStatement("TABLE", desired, null)];
        case "resumeCompression":
            return [
                compressionStatement("TABLE", desired, {
                    segmentBy: change.compression.segmentBy,
                    orderBy: orderOf(change.compression),
                    ...(change.compression.chunkTimeInterval != null && {
                        compressChunkTimeInterval: change.compression.chunkTimeInterval,
                    }),
                }),
            ];
        case "primaryKey":
            return [
                ...(change.constraint === null
                    ? []
                    : [
                          {
                              name: "drop_primary_key",
                              sql: `${table} DROP CONSTRAINT ${escapeIdentifier(change.constraint)}`,
                          },
                      ]),
                ...(change.will.length === 0
                    ? []
                    : [
                          {
                              name: "add_primary_key",
                              sql: `${table} ADD PRIMARY KEY (${change.will.map((column) => escapeIdentifier(column)).join(", ")})`,
                          },
                      ]),
            ];
        case "renameColumns":
            return renameColumnStatements("TABLE", desired, change.columns);
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
                    sql: `${table} DROP COLUMN ${escapeIdentifier(change.standing)}`,
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

function refusalError(reason: HypertableRefusal, name: QualifiedName): TimescaleError {
    const object = displayName(name);
    switch (reason.what) {
        case "other":
            return new TimescaleError(`${object} exists already, and is a ${reason.relation}`, {
                code: "another_relation",
                detail: nameTakenDetail(reason, {
                    one: "a hypertable",
                    itself: "the hypertable",
                }),
                hint: "choose another name, or rename, drop or convert what stands there: create_hypertable(…, migrate_data => true) converts a plain table and blocks it meanwhile",
                object,
            });
        case "owner":
            return ownerRefusal(reason, object, {
                alter: `ALTER TABLE ${quoteQualified(name)}`,
                login: "no superuser, and only one can give it away",
            });
        case "adopt":
            return new TimescaleError(`a hypertable ${object} exists already and differs`, {
                code: "exists_and_differs",
                detail: reason.differences.join("; "),
                hint: "declare it as it stands, choose another name, or set adopt: true to take it over",
                object,
            });
        case "compressed":
            return new TimescaleError(`${object} cannot be altered while chunks are compressed`, {
                code: "compressed_chunks",
                detail: `${describeRefusal(reason)}; this version alters neither keys nor nullability under compression, and ${reason.chunks} chunks are compressed`,
                hint: `run SELECT decompress_chunk(c, true) FROM show_chunks(${escapeLiteral(quoteQualified(name))}) c first, which takes time and space, or declare what stands`,
                object,
            });
        case "columnType":
        case "timeColumn":
            return new TimescaleError(`${object} cannot be changed in place`, {
                code: "structure_differs",
                detail: describeRefusal(reason),
                hint: "declare what stands in the database, or build a new hypertable under another name and copy the rows",
                object,
            });
    }
}
