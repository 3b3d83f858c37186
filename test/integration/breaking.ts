/** A connection that breaks in the middle of a change, as a kill -9 of the deployment breaks it. */
import type { Session } from "../../components/timescale/core/session";

export interface Breaking {
    readonly session: Session;
    /** How many statements have been run. */
    readonly ran: () => number;
}

/** A session whose connection breaks when a number of statements has been run on it. */
export function breakingAfter(session: Session, count: number): Breaking {
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
