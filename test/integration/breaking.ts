/** A connection that breaks in the middle of a change, as a kill -9 of the deployment breaks it. */
import type { Session } from "../../components/timescale/core/session";

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
    const client = new Proxy(session.client, {
        get(real, property) {
            const value = Reflect.get(real, property, real) as unknown;
            if (property !== "query") return typeof value === "function" ? value.bind(real) : value;
            return async (...args: unknown[]): Promise<unknown> => {
                const result = await (value as (...args: unknown[]) => Promise<unknown>).apply(
                    real,
                    args,
                );
                const [query] = args as [string | { readonly text: string }];
                if (!counts(typeof query === "string" ? query : query.text)) return result;
                ran += 1;
                if (ran === count) {
                    (real as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy(); // prettier-ignore
                }
                return result;
            };
        },
    });
    return { session: { client, connection: session.connection }, ran: () => ran };
}
