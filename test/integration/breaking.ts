/** A connection that breaks in the middle of a change, as a kill -9 of the deployment breaks it. */
import type { Session } from "../../components/timescale/core/connection/session";

export interface Breaking {
    readonly session: Session;
    /** How many statements have been run. */
    readonly ran: () => number;
}

const reading =
    /^\s*(?:SELECT|WITH|SHOW|SET|RESET|BEGIN|START|ROLLBACK|SAVEPOINT|RELEASE)\b|\bTEMPORARY\b|pulumi_timescale_(?:history|reader)/i;
const changing = /\b(?:alter_job|drop_chunks|create_hypertable|set_\w+|\w+_policy)\s*\(/i;

/** Whether a cut behind the statement can leave another database than one before it. */
export function changes(statement: string): boolean {
    return !reading.test(statement) || changing.test(statement);
}

type Query = string | { readonly text?: string; readonly submit?: unknown };

/**
 * A session whose connection breaks when a number of statements has been run on it.
 *
 * @param counts - which statements count
 */
export function breakingAfter(
    session: Session,
    count: number,
    counts: (statement: string) => boolean = () => true,
): Breaking {
    let ran = 0;
    const ranOne = (real: object, query: Query): void => {
        if (!counts(typeof query === "string" ? query : (query.text ?? "COPY"))) return;
        ran += 1;
        if (ran === count) {
            (real as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
        }
    };
    const client = new Proxy(session.client, {
        get(real, property) {
            const value = Reflect.get(real, property, real) as unknown;
            if (property !== "query") return typeof value === "function" ? value.bind(real) : value;
            const run = value as (...args: unknown[]) => unknown;
            return (...args: unknown[]): unknown => {
                const [query] = args as [Query];
                const result = run.apply(real, args);
                // A stream is there at once, and what it streams follows.
                if (typeof query === "object" && "submit" in query) {
                    ranOne(real, query);
                    return result;
                }
                return Promise.resolve(result).then((rows) => {
                    ranOne(real, query);
                    return rows;
                });
            };
        },
    });
    return { session: { client, connection: session.connection }, ran: () => ran };
}
