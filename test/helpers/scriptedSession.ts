/** A session whose server answers as a test tells it to, for what needs no real one. */
import { DatabaseError } from "pg";

import type { Session } from "../../components/timescale/core/connection/session";
import { connection } from "./builders";

export type Row = Readonly<Record<string, unknown>>;

export interface ScriptedSession {
    readonly session: Session;
    /** Every statement, with its parameters behind it. */
    readonly sent: string[];
}

/** `answer` returns the rows of a statement, or throws what a server would. */
export function scriptedSession(
    answer: (sql: string) => readonly Row[] | undefined = () => undefined,
): ScriptedSession {
    const sent: string[] = [];
    const client = {
        query: (statement: string | { readonly text: string }, values?: readonly unknown[]) => {
            const sql = typeof statement === "string" ? statement : statement.text;
            sent.push(values === undefined ? sql : `${sql} ${JSON.stringify(values)}`);
            return Promise.resolve().then(() => ({ rows: answer(sql) ?? [], rowCount: 0 }));
        },
    };
    return { session: { client, connection } as unknown as Session, sent };
}

export function databaseError(
    code: string,
    message: string,
    fields: Partial<DatabaseError> = {},
): DatabaseError {
    return Object.assign(new DatabaseError(message, message.length, "error"), { code, ...fields });
}
