/**
 * Errors in PostgreSQL's own shape: a short lowercase message in the user's terms, a detail with
 * the rule and the values, a hint with what to do.
 */
export interface TimescaleErrorFields {
    /** Stable code: a SQLSTATE from the server, or one of this project's words such as `invalid_interval`. */
    readonly code?: string | undefined;
    readonly detail?: string | undefined;
    readonly hint?: string | undefined;
    /** Name of the statement that failed, such as `add_refresh_policy`. */
    readonly statement?: string | undefined;
    /** Qualified name of the object that was worked on. */
    readonly object?: string | undefined;
    readonly cause?: unknown;
}

export class TimescaleError extends Error {
    readonly code: string | undefined;
    readonly detail: string | undefined;
    readonly hint: string | undefined;
    readonly statement: string | undefined;
    readonly object: string | undefined;

    constructor(message: string, fields: TimescaleErrorFields = {}) {
        super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
        this.name = "TimescaleError";
        this.code = fields.code;
        this.detail = fields.detail;
        this.hint = fields.hint;
        this.statement = fields.statement;
        this.object = fields.object;
    }
}

/** The message with its code, detail and hint on lines of their own, as psql prints them. */
export function explain(error: TimescaleError): string {
    const where = [error.statement && `in ${error.statement}`, error.code]
        .filter(Boolean)
        .join(", ");
    return [
        where === "" ? error.message : `${error.message} (${where})`,
        error.detail && `  detail: ${error.detail}`,
        error.hint && `  hint:   ${error.hint}`,
    ]
        .filter(Boolean)
        .join("\n");
}
