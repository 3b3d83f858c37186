/** The server's errors, kept whole and given the name of the statement and the object. */
import { DatabaseError } from "pg";

import { TimescaleError } from "../errors";

const goesOn = "run the same command again: it goes on where this one stopped";

/** What the server says with a SQLSTATE that people cannot act on without help. */
const hints: Readonly<Record<string, string>> = {
    "42501": "grant the missing privilege to the login in the message, or connect as the owner",
    "28000": "the owner of a policy needs LOGIN, because TimescaleDB runs its jobs as that role",
    "25006": "connect to the writable primary; this session or server only reads",
    "22003":
        "a value outgrew its type: cast to a wider one before aggregating, such as sum(x::bigint * x)",
    "53400":
        "the refresh would decompress too much: decompress the chunks first, or narrow the window",
    "57P01": goesOn,
    "57P02": goesOn,
    "57P03": goesOn,
    "57014": `if nobody cancelled it, raise statement_timeout of the login; ${goesOn}`,
    "42P07": "give the object another name, or set adopt: true if it is the one that is meant",
};

/** Races that go away by themselves: lock time-outs, deadlocks, chunks dropped meanwhile. */
export function isTransient(error: unknown): boolean {
    if (!(error instanceof Error)) return false;
    const code = "code" in error ? error.code : undefined;
    if (code === "55P03" || code === "40P01" || code === "40001") return true;
    if (code === "42P01") return /_hyper_\d/.test(error.message);
    if (code === "XX000") {
        // The second is what a refresh meets when a policy compresses the chunk that it reads.
        return /could not open relation with OID|tuple concurrently (?:updated|deleted)/.test(
            error.message,
        );
    }
    return code === "23505" && error.message.includes("pg_type_typname_nsp_index");
}

export function serverError(
    error: unknown,
    { statement, object }: { readonly statement: string; readonly object: string },
): TimescaleError {
    if (error instanceof TimescaleError) return error;
    if (error instanceof DatabaseError) {
        return new TimescaleError(error.message, {
            code: error.code,
            detail: [error.detail, error.where].filter(Boolean).join("; ") || undefined,
            hint: error.hint ?? hints[error.code ?? ""],
            statement,
            object,
            cause: error,
        });
    }
    const message = error instanceof Error ? error.message : String(error);
    return new TimescaleError(`the connection broke while working on ${object}`, {
        code: "connection_lost",
        detail: message,
        hint: goesOn,
        statement,
        object,
        cause: error,
    });
}
