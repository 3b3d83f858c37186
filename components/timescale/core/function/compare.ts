/** A declared function in the server's words, and whether another one is the same. Rolls back all it makes. */
import { DatabaseError } from "pg";

import type { Queryable } from "../connection/session";
import { escapeIdentifier } from "../identifier";
import { extended } from "../query/normalise";
import { statementBody } from "../query/query";
import { createFunction, isHead, parseHead } from "./head";
import { inspectFunctions } from "./inspect";
import { lexicalForm, qualifiedNames } from "./lexical";
import type { ActualFunction } from "./routine";
import type { DesiredFunction } from "./spec";

/** Of the session alone, and gone with the transaction. */
function temporary(name: string): string {
    return `pg_temp.${escapeIdentifier(name)}`;
}

/** Runs `work`, and takes back whatever it did. */
async function undone<T>(client: Queryable, work: () => Promise<T>): Promise<T> {
    await client.query("SAVEPOINT compared");
    try {
        return await work();
    } finally {
        await client.query("ROLLBACK TO SAVEPOINT compared");
    }
}

/**
 * The function as the catalog would have it. Its body is not looked into: what it reads may be made
 * by the same deployment.
 *
 * @param client in a read-write transaction that the caller rolls back
 * @throws DatabaseError for a text that the server does not take
 */
export async function readDesired(
    client: Queryable,
    { name, head }: DesiredFunction,
    owner: string,
): Promise<ActualFunction | undefined> {
    await client.query("SET LOCAL check_function_bodies TO off");
    return undone(client, async () => {
        await extended(client, createFunction("CREATE", temporary(name), head));
        const { rows } = await client.query<{ schema: string }>(
            "SELECT pg_my_temp_schema()::regnamespace::text AS schema",
        );
        const schema = rows[0]?.schema ?? "";
        const { functions } = await inspectFunctions(client, { schema, name }, owner);
        return functions[0];
    });
}

/** @throws DatabaseError for a body with a mistake in it, and for one that reads what is not there */
export async function checkBody(client: Queryable, { name, head }: DesiredFunction): Promise<void> {
    await client.query("SET LOCAL check_function_bodies TO on");
    await undone(client, () => extended(client, createFunction("CREATE", temporary(name), head)));
}

/** Why PostgreSQL does not replace the one by the other in place; null: it does. */
export async function whyNotReplaced(
    client: Queryable,
    actual: ActualFunction,
    { name, head }: DesiredFunction,
): Promise<string | null> {
    const standing = parseHead(actual.definition);
    if (!isHead(standing)) return "it is no function";
    return undone(client, async () => {
        await extended(client, createFunction("CREATE", temporary(name), standing));
        try {
            await extended(client, createFunction("CREATE OR REPLACE", temporary(name), head));
            return null;
        } catch (error) {
            // invalid_function_definition, and wrong_object_type for a window function.
            if (error instanceof DatabaseError && ["42P13", "42809"].includes(error.code ?? ""))
                return error.message;
            throw error;
        }
    });
}

/** Whether two functions of the same arguments and result do the same. */
export async function sameBody(
    client: Queryable,
    one: ActualFunction,
    other: ActualFunction,
    schemas: readonly string[],
): Promise<boolean> {
    if (one.language !== other.language || one.atomic !== other.atomic) return false;
    if (one.atomic) return treeOf(one) === treeOf(other);
    if (one.body === other.body) return true;
    // Of other languages nobody here knows what spelling means.
    if (!/^(?:sql|plpgsql)$/.test(one.language)) return false;
    if (lexicalForm(one.body) === lexicalForm(other.body)) return true;
    if (one.language === "plpgsql") return false;
    const qualified = (it: ActualFunction): string => qualifiedNames(it.body, schemas).join();
    if (qualified(one) !== qualified(other)) return false;
    const words = await serversWords(client, one, other.name);
    return words !== null && words === (await serversWords(client, other, other.name));
}

/** What follows the head of a function that the server keeps as a tree. */
function treeOf({ definition }: ActualFunction): string {
    return /\n((?:BEGIN ATOMIC\n|RETURN )[\s\S]*)$/.exec(definition)?.[1] ?? "";
}

/** A body of SQL as the server prints it; null where it cannot take it as a tree. */
async function serversWords(
    client: Queryable,
    { arguments: list, result, body }: ActualFunction,
    name: string,
): Promise<string | null> {
    const text = [
        `CREATE FUNCTION ${temporary(name)}(${list}) RETURNS ${result} LANGUAGE sql`,
        `BEGIN ATOMIC\n${statementBody(body)}\n;\nEND`,
    ].join("\n");
    try {
        return await undone(client, async () => {
            await extended(client, text);
            const { rows } = await client.query<{ words: string }>(
                `SELECT pg_get_functiondef(oid) AS words FROM pg_proc
                 WHERE pronamespace = pg_my_temp_schema() AND proname = $1`,
                [name],
            );
            return rows[0]?.words ?? null;
        });
    } catch (error) {
        // What it reads is not there, or it is more than a tree can hold: the spelling decides.
        if (error instanceof DatabaseError) return null;
        throw error;
    }
}
