/** Connections, and the transactions on them: an operation has one to itself. */
import { backOff } from "exponential-backoff";
import { Client, Pool, type QueryResultRow } from "pg";

import { TimescaleError } from "../errors";
import { escapeIdentifier, escapeLiteral } from "../identifier";
import { connectError } from "./connectErrors";
import type { Connection } from "./connection";
import { clientConfig } from "./tls";

/** The little of pg that the core uses; a pg.Client is one. */
export interface Queryable {
    // The row type is the caller's word, as it is in pg itself.
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
    query<Row extends QueryResultRow>(
        text: string,
        values?: unknown[],
    ): Promise<{ rows: Row[]; rowCount: number | null }>;
}

export interface Session {
    readonly client: Client;
    readonly connection: Connection;
}

export interface ConnectOptions {
    /** How long to go on trying while the server is starting, in milliseconds. Default 0: one attempt. */
    readonly patience?: number;
    /** Told once when the first attempt found the server not ready. */
    readonly onWait?: (reason: string) => void;
    /**
     * Settings for the session's start, such as `-c lock_timeout=2000`, where no SET may come first.
     * Poolers refuse them. Of withSession alone.
     */
    readonly startup?: string;
}

/**
 * Runs `work` on a connection of its own and closes it.
 *
 * @throws TimescaleError in the user's terms when the server cannot be reached or refuses the login
 */
export async function withSession<T>(
    connection: Connection,
    work: (session: Session) => Promise<T>,
    options: ConnectOptions = {},
): Promise<T> {
    const client = await connectWith(
        () => connect(connection, options.startup),
        connection,
        options,
    );
    try {
        return await work({ client, connection });
    } finally {
        // A server that went away in the middle has already been reported by the work itself.
        await client.end().then(undefined, () => undefined);
    }
}

async function connect(connection: Connection, startup: string | undefined): Promise<Client> {
    const config = clientConfig(connection);
    const client = new Client(startup === undefined ? config : { ...config, options: startup });
    outliveErrors(client);
    await client.connect();
    return client;
}

/** Without a listener a connection lost between two queries would end the process. */
function outliveErrors(client: Client): void {
    // The next query on it fails, and is what tells.
    client.on("error", () => undefined);
}

/**
 * Connections of one login that are kept for a while after their use, and used again.
 *
 * @param maximum how many there may be at a time
 * @param idleTimeout how long one is kept without use, in milliseconds
 */
export function createPool(connection: Connection, maximum: number, idleTimeout: number): Pool {
    // Not among the pool's own settings: its time-out for connecting would come first, without the
    // reason, and the password would be in them.
    const config = clientConfig(connection);
    const pool = new Pool({
        max: maximum,
        idleTimeoutMillis: idleTimeout,
        // What is kept for the next operation keeps no process alive.
        allowExitOnIdle: true,
        Client: class extends Client {
            constructor() {
                super(config);
                outliveErrors(this);
            }
        },
    });
    // A connection that the server ended while nobody used it has left the pool, and is not missed.
    pool.on("error", () => undefined);
    return pool;
}

/**
 * Connects by `open`, and goes on trying while the server is starting.
 *
 * @throws TimescaleError in the user's terms when the server cannot be reached or refuses the login
 */
export async function connectWith<T>(
    open: () => Promise<T>,
    connection: Connection,
    { patience = 0, onWait }: ConnectOptions,
): Promise<T> {
    const deadline = Date.now() + patience;
    let told = false;
    const attempt = (): Promise<T> =>
        open().then(undefined, (error: unknown) => {
            throw connectError(error, connection);
        });
    return backOff(attempt, {
        numOfAttempts: Number.MAX_SAFE_INTEGER,
        startingDelay: 250,
        maxDelay: 2000,
        retry: (error: unknown) => {
            if (!isNotYetReady(error) || Date.now() > deadline) return false;
            if (!told) onWait?.(error instanceof Error ? error.message : String(error));
            told = true;
            return true;
        },
    });
}

/** Whether a server that is being started says this on its way up. */
function isNotYetReady(error: unknown): boolean {
    return (
        error instanceof TimescaleError &&
        ["connection_refused", "connection_lost", "57P03"].includes(error.code ?? "")
    );
}

/** Sessions in which something went wrong, or that may still hold what they were to give back. */
const spoiled = new WeakSet<Client>();

/** Whether another operation finds the session as a new one: no transaction, lock or failure is left. */
export function isClean({ client }: Session): boolean {
    return !spoiled.has(client) && client.getTransactionStatus() === "I";
}

export interface TransactionOptions {
    readonly readOnly?: boolean;
    /** Schemas that unqualified names are looked up in. */
    readonly searchPath: readonly string[];
    /** Milliseconds; default 2000. Writers that queue behind a statement never wait longer. */
    readonly lockTimeout?: number;
    readonly rollback?: boolean;
    /** Whether every statement sees the rows as the first one does. Default: as they are then. */
    readonly oneSnapshot?: boolean;
}

/**
 * Settings that decide how the server reads a text and prints a definition. A role or a database may
 * have others, and then one text would mean two things, and one definition be two texts.
 */
const words = {
    TimeZone: "UTC",
    DateStyle: "ISO, MDY",
    IntervalStyle: "postgres",
    extra_float_digits: "1",
    quote_all_identifiers: "off",
    standard_conforming_strings: "on",
} as const;

/** Statements that set them, with the schemas that names are looked up in and the patience for locks. */
function settingStatements(
    extent: "LOCAL" | "SESSION",
    searchPath: readonly string[],
    lockTimeout: number,
): string {
    const path = searchPath.map((schema) => escapeIdentifier(schema)).join(", ");
    return [
        `SET ${extent} search_path TO ${path}`,
        `SET ${extent} lock_timeout TO ${lockTimeout}`,
        ...Object.entries(words).map(([name, value]) => `SET ${extent} ${name} TO '${value}'`),
    ].join("; ");
}

const set = ["search_path", "lock_timeout", ...Object.keys(words)];

/**
 * Runs `work` with those settings for the session, which then gets back what it had: RESET would give
 * it the server's own, which are not those that the embedded server's one session was given.
 */
export async function withSettings<T>(
    client: Client,
    searchPath: readonly string[],
    lockTimeout: number,
    work: () => Promise<T>,
): Promise<T> {
    const list = set.map((name) => `current_setting(${escapeLiteral(name)})`);
    const { rows } = await client.query<{ had: string[] }>(
        `SELECT ARRAY[${list.join(", ")}] AS had`,
    );
    await client.query(settingStatements("SESSION", searchPath, lockTimeout));
    try {
        return await work();
    } finally {
        const back = set.map(
            (name, at) =>
                `set_config(${escapeLiteral(name)}, ${escapeLiteral(rows[0]?.had[at] ?? "")}, false)`,
        );
        // A connection that broke has nothing to give back.
        await client.query(`SELECT ${back.join(", ")}`).then(undefined, () => undefined);
    }
}

/** Runs `work` in one transaction with those settings, so that texts of two runs can be compared. */
export async function inTransaction<T>(
    { client }: Session,
    options: TransactionOptions,
    work: (client: Client) => Promise<T>,
): Promise<T> {
    const settings = settingStatements("LOCAL", options.searchPath, options.lockTimeout ?? 2000);
    const modes = [
        options.oneSnapshot === true ? " ISOLATION LEVEL REPEATABLE READ" : "",
        options.readOnly === true ? " READ ONLY" : "",
    ];
    await client.query(`BEGIN${modes.join("")}; ${settings}`);
    let result: T;
    try {
        result = await work(client);
    } catch (error) {
        spoiled.add(client);
        // The first error is the one to report; a dead connection has rolled back by itself.
        await client.query("ROLLBACK").then(undefined, () => undefined);
        throw error;
    }
    await client.query(options.rollback === true ? "ROLLBACK" : "COMMIT");
    return result;
}

/**
 * Runs `work` while this session alone holds the object's advisory lock; another deployment that
 * works on the same object is waited for.
 *
 * @throws TimescaleError when it is still held after `patience` milliseconds
 */
export async function withObjectLock<T>(
    session: Session,
    object: string,
    onWait: (reason: string) => void,
    work: () => Promise<T>,
    patience = 600_000,
): Promise<T> {
    const key = `hashtextextended(${escapeLiteral(`pulumi-timescale ${object}`)}, 0)`;
    const deadline = Date.now() + patience;
    let told = false;
    for (;;) {
        const { rows } = await session.client.query<{ locked: boolean }>(
            `SELECT pg_try_advisory_lock(${key}) AS locked`,
        );
        if (rows[0]?.locked === true) break;
        if (Date.now() > deadline) {
            throw new TimescaleError(
                `another deployment has been working on ${object} for too long`,
                {
                    code: "lock_held",
                    detail: `its advisory lock was not free within ${patience / 1000} seconds`,
                    hint: "wait for the other deployment to end, or find it with: SELECT pid, application_name, state FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype = 'advisory'",
                    object,
                },
            );
        }
        if (!told) onWait("waiting for another deployment of this object");
        told = true;
        await new Promise((resolve) => setTimeout(resolve, 500));
    }
    try {
        return await work();
    } finally {
        // The lock goes with the session in any case; the embedded server's session lives on.
        await session.client
            .query<{ unlocked: boolean }>(`SELECT pg_advisory_unlock(${key}) AS unlocked`)
            .then(
                ({ rows }) => rows[0]?.unlocked === true,
                () => false,
            )
            .then((unlocked) => {
                if (!unlocked) spoiled.add(session.client);
            });
    }
}
