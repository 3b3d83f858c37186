/**
 * Passwords of logins that this run of the engine has been told of. While one is being changed, the
 * state still has the old one and the program the new one, and the server takes one of the two: a
 * comparison, and a deletion with what the state remembers, go through with whichever works.
 *
 * They are kept in this process's memory alone. What brings an object to its declaration takes the
 * declared login and no other: what comes into the state has to work.
 */
import type { Connection } from "../core/connection/connection";
import { TimescaleError } from "../core/errors";

/** By server and user: a role has one password in all databases. */
const passwords = new Map<string, Set<string>>();

function keyOf({ host, port, user }: Connection): string {
    return JSON.stringify([host, port, user]);
}

/** @param connection of any shape, or unknown yet: what is no login is passed over */
export function notePassword(connection: unknown): void {
    if (typeof connection !== "object" || connection === null) return;
    const login = connection as Connection;
    if (typeof login.password !== "string") return;
    const key = keyOf(login);
    passwords.set(key, (passwords.get(key) ?? new Set()).add(login.password));
}

export function isRefusedPassword(error: unknown): boolean {
    return error instanceof TimescaleError && error.code === "28P01";
}

/** @throws TimescaleError what the server has against the given password, when it takes none of them */
export async function withAnyPassword<T>(
    connection: Connection,
    work: (connection: Connection) => Promise<T>,
): Promise<T> {
    try {
        return await work(connection);
    } catch (error) {
        if (!isRefusedPassword(error)) throw error;
        const others = [...(passwords.get(keyOf(connection)) ?? [])];
        // The last one that was heard of is the likeliest.
        for (const password of others.reverse()) {
            if (password === connection.password) continue;
            try {
                return await work({ ...connection, password });
            } catch (other) {
                if (!isRefusedPassword(other)) throw other;
            }
        }
        throw error;
    }
}
