/**
 * Queries in the server's own words.
 *
 * A temporary view over the query is created, read back and rolled back: it takes AccessShare on
 * the sources only. The text is the same, byte for byte, as the one that the catalog has for an
 * aggregate made from the same query, whatever the case, spacing, quoting and spelling.
 */
import { statementBody } from "./query";
import type { Queryable } from "./session";
import { readSql } from "./sqlFile";

export interface NormalisedQuery {
    readonly definition: string;
    /** Functions that are not immutable, as `name(argument types)`. */
    readonly mutableFunctions: readonly string[];
    readonly validation: CaggValidation | null;
}

/** Source: _timescaledb_functions.cagg_validate_query */
export interface CaggValidation {
    readonly isValid: boolean;
    readonly message: string | null;
    readonly detail: string | null;
    readonly hint: string | null;
}

/** The name cannot clash: the schema is the session's own, and the view never outlives the transaction. */
const view = "pulumi_timescale_desired";

/**
 * @param client in a read-write transaction that the caller rolls back
 * @throws DatabaseError for a query that the server does not take
 */
export async function normalise(client: Queryable, query: string): Promise<NormalisedQuery> {
    const body = statementBody(query);
    await extended(client, `CREATE TEMPORARY VIEW ${view} AS\n${body}\n`);
    const { rows } = await client.query<{ definition: string; mutableFunctions: string[] }>(
        readSql("catalog/normalised_query.sql"),
        [`pg_temp.${view}`],
    );
    const row = rows[0];
    return {
        definition: row?.definition ?? "",
        mutableFunctions: row?.mutableFunctions ?? [],
        validation: await validation(client, body),
    };
}

async function validation(client: Queryable, body: string): Promise<CaggValidation | null> {
    const { rows } = await client.query<{
        is_valid: boolean;
        error_message: string | null;
        error_detail: string | null;
        error_hint: string | null;
    }>("SELECT * FROM _timescaledb_functions.cagg_validate_query($1)", [body]);
    const row = rows[0];
    if (row === undefined) return null;
    return {
        isValid: row.is_valid,
        message: row.error_message,
        detail: row.error_detail,
        hint: row.error_hint,
    };
}

/** Runs one statement by the extended protocol, which refuses a second one in the text. */
export function extended(client: Queryable, text: string): Promise<unknown> {
    const query: { text: string; queryMode: "extended" } = { text, queryMode: "extended" };
    return (client as unknown as { query(config: object): Promise<unknown> }).query(query);
}
