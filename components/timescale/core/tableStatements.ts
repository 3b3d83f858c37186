/** Statements on a relation that hypertables and aggregates share: grants, comments, compression. */
import type { GrantDifference } from "./grants";
import { escapeIdentifier, escapeLiteral, type QualifiedName, quoteQualified } from "./identifier";
import type { Statement } from "./plan";

export function grantStatements(relation: QualifiedName, difference: GrantDifference): Statement[] {
    const { role, missing, unexpected } = difference;
    const grantee = role === "public" ? "PUBLIC" : escapeIdentifier(role);
    const on = `ON ${quoteQualified(relation)}`;
    return [
        ...(unexpected.length === 0
            ? []
            : [{ name: "revoke", sql: `REVOKE ${unexpected.join(", ")} ${on} FROM ${grantee}` }]),
        ...(missing.length === 0
            ? []
            : [{ name: "grant", sql: `GRANT ${missing.join(", ")} ${on} TO ${grantee}` }]),
    ];
}

/** TimescaleDB knows an aggregate's comment as one ON VIEW. */
export function commentStatement(
    kind: "VIEW" | "TABLE",
    relation: QualifiedName,
    comment: string | null,
): Statement {
    const text = comment === null ? "NULL" : escapeLiteral(comment);
    return { name: "comment", sql: `COMMENT ON ${kind} ${quoteQualified(relation)} IS ${text}` };
}

export function chunkIntervalStatement(relation: QualifiedName, interval: string): Statement {
    return {
        name: "set_chunk_time_interval",
        sql: "SELECT set_chunk_time_interval($1::regclass, $2::interval)",
        values: [quoteQualified(relation), interval],
    };
}

/** `ALTER … SET (timescaledb.compress …)`; omitted settings keep the value they have. */
export function compressionStatement(
    kind: "MATERIALIZED VIEW" | "TABLE",
    relation: QualifiedName,
    settings: {
        readonly segmentBy?: readonly string[];
        readonly orderBy?: readonly string[];
    } | null,
): Statement {
    const options =
        settings === null
            ? ["timescaledb.compress = false"]
            : [
                  "timescaledb.compress = true",
                  ...(settings.segmentBy === undefined
                      ? []
                      : [
                            `timescaledb.compress_segmentby = ${escapeLiteral(settings.segmentBy.map(escapeIdentifier).join(", "))}`,
                        ]),
                  ...(settings.orderBy === undefined
                      ? []
                      : [
                            `timescaledb.compress_orderby = ${escapeLiteral(settings.orderBy.map(orderByTerm).join(", "))}`,
                        ]),
              ];
    return {
        name: settings === null ? "disable_compression" : "enable_compression",
        sql: `ALTER ${kind} ${quoteQualified(relation)} SET (${options.join(", ")})`,
    };
}

/** In place: policies, grants, indexes and dependants follow. */
export function renameStatements(
    kind: "MATERIALIZED VIEW" | "TABLE",
    was: QualifiedName,
    will: QualifiedName,
): Statement[] {
    const moved = { schema: will.schema, name: was.name };
    return [
        ...(was.schema === will.schema
            ? []
            : [
                  {
                      name: "set_schema",
                      sql: `ALTER ${kind} ${quoteQualified(was)} SET SCHEMA ${escapeIdentifier(will.schema)}`,
                  },
              ]),
        ...(was.name === will.name
            ? []
            : [
                  {
                      name: "rename",
                      sql: `ALTER ${kind} ${quoteQualified(moved)} RENAME TO ${escapeIdentifier(will.name)}`,
                  },
              ]),
    ];
}

export interface OrderTerm {
    readonly column: string;
    readonly descending: boolean;
    readonly nullsFirst: boolean;
}

/** Reads `column [ASC|DESC] [NULLS FIRST|LAST]`; a quoted column keeps its case. */
export function parseOrderTerm(term: string): OrderTerm {
    const match =
        /^\s*(?:"((?:[^"]|"")+)"|(.+?))(?:\s+(asc|desc))?(?:\s+nulls\s+(first|last))?\s*$/i.exec(
            term,
        );
    const descending = match?.[3]?.toLowerCase() === "desc";
    const nulls = match?.[4]?.toLowerCase();
    return {
        column: match?.[1]?.replace(/""/g, '"') ?? match?.[2] ?? term,
        descending,
        nullsFirst: nulls === undefined ? descending : nulls === "first",
    };
}

export function orderByTerm(term: string): string {
    const { column, descending, nullsFirst } = parseOrderTerm(term);
    return `${escapeIdentifier(column)} ${descending ? "DESC" : "ASC"} NULLS ${nullsFirst ? "FIRST" : "LAST"}`;
}
