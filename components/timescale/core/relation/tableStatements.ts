/** Statements on a relation that hypertables and aggregates share: grants, comments, compression. */
import { escapeIdentifier, escapeLiteral, type QualifiedName, quoteQualified } from "../identifier";
import type { Statement } from "../plan/plan";
import type { GrantDifference } from "./grants";

export function grantStatements(relation: QualifiedName, difference: GrantDifference): Statement[] {
    return privilegeStatements(`ON ${quoteQualified(relation)}`, difference);
}

/** @param on the object as GRANT and REVOKE take it, such as `ON FUNCTION f(int)` */
export function privilegeStatements(on: string, difference: GrantDifference): Statement[] {
    const { role, missing, unexpected, grantOptions = [], columns = [] } = difference;
    const grantee = role === "public" ? "PUBLIC" : escapeIdentifier(role);
    const some = (list: readonly unknown[], name: "grant" | "revoke", sql: string): Statement[] =>
        list.length === 0 ? [] : [{ name, sql }];
    return [
        // What a role passed on depends on its right to do so; no object is dropped by it.
        ...some(
            grantOptions,
            "revoke",
            `REVOKE GRANT OPTION FOR ${grantOptions.join(", ")} ${on} FROM ${grantee} CASCADE`,
        ),
        ...columns.map(({ column, privilege }) => ({
            name: "revoke",
            sql: `REVOKE ${privilege} (${escapeIdentifier(column)}) ${on} FROM ${grantee} CASCADE`,
        })),
        ...some(unexpected, "revoke", `REVOKE ${unexpected.join(", ")} ${on} FROM ${grantee}`),
        ...some(missing, "grant", `GRANT ${missing.join(", ")} ${on} TO ${grantee}`),
    ];
}

/** PostgreSQL keeps an empty comment as none. */
export function declaredComment(text: string | null | undefined): string | null {
    return text === undefined || text === "" ? null : text;
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
        readonly compressChunkTimeInterval?: string;
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
                  ...(settings.compressChunkTimeInterval === undefined
                      ? []
                      : [
                            `timescaledb.compress_chunk_time_interval = ${escapeLiteral(settings.compressChunkTimeInterval)}`,
                        ]),
              ];
    return {
        name: settings === null ? "disable_compression" : "enable_compression",
        sql: `ALTER ${kind} ${quoteQualified(relation)} SET (${options.join(", ")})`,
    };
}

/** Only a superuser can: chunks lie in a schema where nobody else may create. */
export function ownerStatement(
    kind: "MATERIALIZED VIEW" | "TABLE" | "VIEW",
    relation: QualifiedName,
    owner: string,
): Statement {
    return {
        name: "alter_owner",
        sql: `ALTER ${kind} ${quoteQualified(relation)} OWNER TO ${escapeIdentifier(owner)}`,
    };
}

/** Everything that follows in the transaction is done, and owned, by `owner`. */
export function roleStatements(owner: string | undefined, login: string | undefined): Statement[] {
    if (owner === undefined || login === undefined || owner === login) return [];
    return [{ name: "set_role", sql: `SET LOCAL ROLE ${escapeIdentifier(owner)}` }];
}

/** In place: policies, grants, indexes and dependants follow. */
export function renameStatements(
    kind: "MATERIALIZED VIEW" | "TABLE" | "VIEW",
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
