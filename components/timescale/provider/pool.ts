/**
 * The provider's connections. The engine asks for operation after operation, and a server's answers
 * from its catalog cost a new connection several times what they cost one that has asked before: so
 * a connection is kept for a moment, and the next operation of the same login uses it.
 *
 * An operation has its connection to itself, and finds it as a new one: settings end with their
 * transaction, and after a failure of any kind the connection is closed.
 */
import type { Pool, PoolClient } from "pg";

import type { Connection } from "../core/connection/connection";
import {
    type ConnectOptions,
    connectWith,
    createPool,
    isClean,
    type Session,
} from "../core/connection/session";
import { limited, maximum } from "./limit";

/** Long enough for the pauses between operations; a server that is shut down or replaced is not kept busy. */
const idleTimeout = 2000;

interface Login {
    readonly server: string;
    readonly pool: Pool;
}

/** By all that a connection is made with: another password is another login. */
const logins = new Map<string, Login>();

/** Connections that some operation has used. */
const used = new WeakSet<PoolClient>();

/**
 * Runs `work` on a connection of its own, in line behind other work on the same server when that has
 * all its connections in use. `work` begins anew on another connection when the first statement finds that
 * the server has ended this one in the meantime.
 *
 * @throws TimescaleError in the user's terms when the server cannot be reached or refuses the login
 */
export async function withPooledSession<T>(
    connection: Connection,
    work: (session: Session) => Promise<T>,
    options: ConnectOptions = {},
): Promise<T> {
    return limited(serverOf(connection), async () => {
        for (;;) {
            const client = await connectWith(() => checkOut(connection), connection, options);
            const done = await useOnce(client, { client, connection }, work);
            if (done !== "stale") return done.result;
        }
    });
}

/** "stale": the connection was kept from before, and the server has answered nothing on it. */
async function useOnce<T>(
    client: PoolClient,
    session: Session,
    work: (session: Session) => Promise<T>,
): Promise<{ readonly result: T } | "stale"> {
    const stale = used.has(client);
    used.add(client);
    let answered = false;
    const onAnswer = (): void => {
        answered = true;
    };
    client.once("drain", onAnswer);
    let reusable = false;
    try {
        const result = await work(session);
        reusable = isClean(session);
        return { result };
    } catch (error) {
        // Nothing was answered, so nothing was decided: whatever it was, a new connection tells.
        if (stale && !answered) return "stale";
        throw error;
    } finally {
        client.off("drain", onAnswer);
        client.release(!reusable);
    }
}

/** A kept connection, else a new one. The server never has more of them than may be in use at a time. */
async function checkOut(connection: Connection): Promise<PoolClient> {
    const server = serverOf(connection);
    for (;;) {
        // Looked up and asked without a pause, or others might take what was found.
        const { pool } = loginOf(connection);
        const onServer = [...logins.values()].filter((login) => login.server === server);
        const open = onServer.reduce((sum, login) => sum + login.pool.totalCount, 0);
        const other = onServer.find((login) => hasIdle(login.pool));
        if (hasIdle(pool) || open < maximum || other === undefined) return pool.connect();
        // Another login's connection that nobody uses gives its place.
        await other.pool.connect().then(
            (client) => client.release(true),
            // It has ended by itself, and there was no other.
            () => undefined,
        );
    }
}

/** Whether there is a kept connection that nobody has asked for. */
function hasIdle(pool: Pool): boolean {
    return pool.idleCount > pool.waitingCount;
}

function loginOf(connection: Connection): Login {
    const { host, port, database, user, password, sslMode, sslRootCert = null } = connection;
    const key = JSON.stringify([host, port, database, user, password, sslMode, sslRootCert]);
    const known = logins.get(key);
    if (known !== undefined) return known;
    for (const [other, { pool }] of logins) if (pool.totalCount === 0) logins.delete(other);
    const login = {
        server: serverOf(connection),
        pool: createPool(connection, maximum, idleTimeout),
    };
    logins.set(key, login);
    return login;
}

function serverOf({ host, port }: Connection): string {
    return `${host}:${port}`;
}
