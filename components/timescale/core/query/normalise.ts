/**
 * Queries in the server's own words.
 *
 * A temporary view over the query is created, read back and rolled back: it takes AccessShare on
 * the sources only. The text is the same, byte for byte, as the one that the catalog has for an
 * aggregate made from the same query, whatever the case, spacing, quoting and spelling.
 */
import { DatabaseError } from "pg";

import type { Queryable } from "../connection/session";
import { escapeIdentifier } from "../identifier";
import { readSql } from "../sqlFile";
import { statementBody } from "./query";

export interface NormalisedQuery {
    readonly definition: string;
    /** Columns of its output, with types as the server prints them. */
    readonly columns: readonly { readonly name: string; readonly type: string }[];
    /** Functions that are not immutable, as `name(argument types)`. */
    readonly mutableFunctions: readonly string[];
    /** The stored tree, where integers are multiplied in it; see `rules/products.ts`. */
    readonly products: string | null;
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
    const view = await viewOver(client, body);
    return { ...view, validation: await validation(client, body) };
}

/**
 * The query in the server's words with its columns named as given; null where their number differs.
 * A query that differs in names alone is the same under the same names.
 *
 * @param client in a read-write transaction that the caller rolls back
 */
export async function normaliseUnder(
    client: Queryable,
    query: string,
    columns: readonly string[],
): Promise<string | null> {
    await client.query("SAVEPOINT under_names");
    try {
        const { definition } = await viewOver(client, statementBody(query), columns);
        return definition;
    } catch (error) {
        // More names than columns.
        if (error instanceof DatabaseError && error.code === "42601") return null;
        throw error;
    } finally {
        await client.query("ROLLBACK TO SAVEPOINT under_names");
    }
}

/**
 * Any SELECT in the server's words, its columns named as given.
 *
 * @param client in a read-write transaction that the caller rolls back
 */
export async function viewOver(
    client: Queryable,
    body: string,
    columns: readonly string[] = [],
): Promise<Omit<NormalisedQuery, "validation">> {
    const named = columns.length > 0;
    const name = named ? `${view}_renamed` : view;
    const names = named ? ` (${columns.map((column) => escapeIdentifier(column)).join(", ")})` : "";
    await extended(client, `CREATE TEMPORARY VIEW ${name}${names} AS\n${body}\n`);
    const { rows } = await client.query<
        Omit<NormalisedQuery, "validation"> & Record<string, unknown>
    >(readSql("catalog/normalised_query.sql"), [`pg_temp.${name}`]);
    const row = rows[0];
    return {
        definition: row?.definition ?? "",
        columns: row?.columns ?? [],
        mutableFunctions: row?.mutableFunctions ?? [],
        products: row?.products ?? null,
    };
}

export async function validation(client: Queryable, body: string): Promise<CaggValidation | null> {
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
