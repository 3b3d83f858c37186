/**
 * Who may talk to the one database session when.
 *
 * Several clients share the session, so what PostgreSQL does per connection is done here per turn.
 * A client's messages up to Sync, Flush or a simple query run as one piece, and it keeps its turn
 * until the server says that it is idle: neither an extended query nor a transaction can be cut in
 * two by another client. A turn starts with the client's own role and startup settings. What a
 * client leaves open when it goes is rolled back, and when the last one goes the session is reset.
 *
 * Still shared by all who are connected: settings changed by SET, advisory locks, temporary tables
 * and named prepared statements.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { escapeIdentifier, escapeLiteral } from "pg";

import { type Backend, BackendEnded, BackendRefusal } from "./backend";
import { defaultSettings, resetStatements } from "./session";
import {
    errorResponse,
    message,
    messageType,
    readyStatus,
    simpleQuery,
    statementText,
    sync,
    type TransactionStatus,
    withStatementText,
} from "./wire";

/** A client's role and the settings it asked for when it connected. */
export interface Login {
    readonly user: string;
    readonly settings: Readonly<Record<string, string>>;
}

export interface Entrance {
    /** What PostgreSQL reports to a new client. */
    readonly settings: readonly (readonly [string, string])[];
    /** Rejects when the server, which was busy with another client, refuses the login later. */
    readonly confirmed: Promise<unknown>;
}

export interface Turns {
    /** Lets a client in, before its first turn when that is long in coming; rejects a refusal. */
    enter(client: number, login: Login): Promise<Entrance>;
    /** One protocol message of a client; the answer is empty until its piece is complete. */
    send(client: number, bytes: Uint8Array): Promise<Uint8Array>;
    /** Forgets a client and rolls back what it left open. */
    leave(client: number): Promise<void>;
}

interface Member {
    readonly login: Login;
    piece: Uint8Array[];
}

interface Unit {
    readonly client: number;
    readonly login: Login;
    readonly run: () => Promise<Uint8Array>;
    readonly resolve: (answer: Uint8Array) => void;
    readonly reject: (error: unknown) => void;
}

const nothing = new Uint8Array(0);

/** Handlers number their clients from 1. */
const nobody = 0;

const superuser: Login = { user: "postgres", settings: defaultSettings };

const reportedSettings = [
    "server_version",
    "server_encoding",
    "client_encoding",
    "application_name",
    "is_superuser",
    "session_authorization",
    "DateStyle",
    "IntervalStyle",
    "TimeZone",
    "integer_datetimes",
    "standard_conforming_strings",
    "in_hot_standby",
    "default_transaction_read_only",
];

/** Clients give up after some seconds of silence, and another one's statement may take longer. */
const entranceMilliseconds = 2000;

/** Makes the turns of one database session. */
export async function createTurns(backend: Backend): Promise<Turns> {
    const usualSettings = await readReportedSettings(backend);
    const members = new Map<number, Member>();
    const queue: Unit[] = [];
    let running: Unit | undefined;
    let holder: number | undefined;
    let previous: { readonly client: number | undefined; readonly login: Login } = {
        client: undefined,
        login: superuser,
    };

    const add = (
        client: number,
        login: Login,
        run: () => Promise<Uint8Array>,
        place: "last" | "first" = "last",
    ): Promise<Uint8Array> =>
        new Promise((resolve, reject) => {
            const unit = { client, login, run, resolve, reject };
            if (place === "first") queue.unshift(unit);
            else queue.push(unit);
            void advance();
        });

    const next = (): Unit | undefined => {
        const at = holder === undefined ? 0 : queue.findIndex((unit) => unit.client === holder);
        return at < 0 ? undefined : queue.splice(at, 1)[0];
    };

    async function advance(): Promise<void> {
        if (running !== undefined) return;
        for (running = next(); running !== undefined; running = next()) {
            const { client, login, run, resolve, reject } = running;
            try {
                await takeTurn(client, login);
                const answer = await run();
                holder = keepsTurn(readyStatus(answer)) ? client : undefined;
                resolve(answer);
            } catch (error) {
                reject(error);
            }
        }
    }

    async function takeTurn(client: number, login: Login): Promise<void> {
        if (previous.client === client) return;
        const change = changeOfLogin(previous.login, login);
        if (change !== "") await backend.query(change);
        previous = { client, login };
    }

    async function resetSession(): Promise<Uint8Array> {
        for (const statement of resetStatements) await backend.query(statement);
        return await backend.execute(sync());
    }

    return {
        enter: async (client, { user, settings: asked }) => {
            const login = { user, settings: { ...defaultSettings, ...asked } };
            members.set(client, { login, piece: [] });
            let settings: Entrance["settings"] = usualSettings.filter(
                ([name]) => name !== "session_authorization",
            );
            const confirmed = add(client, login, async () => {
                settings = await readReportedSettings(backend);
                return await backend.execute(sync());
            });
            await Promise.race([confirmed, sleep(entranceMilliseconds)]);
            return { settings, confirmed };
        },

        send: async (client, bytes) => {
            const member = members.get(client);
            if (member === undefined) return nothing;
            switch (messageType(bytes)) {
                case "Q":
                case "S":
                case "H": {
                    const piece = Buffer.concat([...member.piece, guardCopy(bytes)]);
                    member.piece = [];
                    try {
                        return await add(client, member.login, () => backend.execute(piece));
                    } catch (error) {
                        // The client's role was dropped after it had connected.
                        if (error instanceof BackendRefusal) return refusal(error);
                        throw error;
                    }
                }
                case "P":
                case "B":
                case "D":
                case "E":
                case "C":
                    member.piece.push(guardCopy(bytes));
                    return nothing;
                // Terminate is the socket's business; COPY data cannot be meant, see guardCopy.
                default:
                    return nothing;
            }
        },

        leave: async (client) => {
            const member = members.get(client);
            if (member === undefined) return;
            members.delete(client);
            for (const unit of queue.filter((unit) => unit.client === client)) {
                queue.splice(queue.indexOf(unit), 1);
                unit.resolve(nothing);
            }
            try {
                if (holder === client || running?.client === client) {
                    const rollback = Buffer.concat([sync(), simpleQuery("ROLLBACK")]);
                    await add(client, member.login, () => backend.execute(rollback), "first");
                }
                if (members.size === 0) await add(nobody, superuser, resetSession);
            } catch (error) {
                // With the database, what the client left open has ended too.
                if (!(error instanceof BackendEnded)) throw error;
            }
        },
    };
}

/** Everything but an idle server leaves the turn where it is; no status at all means mid-query. */
function keepsTurn(status: TransactionStatus | undefined): boolean {
    return status !== "idle";
}

async function readReportedSettings(
    backend: Backend,
): Promise<readonly (readonly [string, string])[]> {
    const names = reportedSettings.map((name) => escapeLiteral(name)).join(", ");
    const rows = await backend.query(
        `SELECT name, current_setting(name) AS setting FROM unnest(ARRAY[${names}]) AS name`,
    );
    return rows.map(({ name = "", setting = "" }) => [name, setting] as const);
}

/**
 * What turns one client's session into the other's; "" when they are alike. It runs as one implicit
 * transaction: when a setting is refused, role and settings stay as they were.
 */
function changeOfLogin(from: Login, to: Login): string {
    const names = Object.keys({ ...from.settings, ...to.settings });
    const changed = names.filter((name) => from.settings[name] !== to.settings[name]);
    const reset = changed
        .filter((name) => to.settings[name] === undefined)
        .map((name) => `RESET ${escapeIdentifier(name)}`);
    const set = changed
        .filter((name) => to.settings[name] !== undefined)
        .map((name) => [name, to.settings[name] as string].map((word) => escapeLiteral(word)))
        .map(([name, value]) => `SELECT set_config(${name}, ${value}, false)`);
    // Not RESET SESSION AUTHORIZATION: this build takes the last role for the first one.
    const role =
        from.user === to.user ? [] : [`SET SESSION AUTHORIZATION ${escapeIdentifier(to.user)}`];
    return [...reset, ...role, ...set].join("; ");
}

function refusal(error: BackendRefusal): Uint8Array {
    const { code, message: text } = error;
    return Buffer.concat([
        errorResponse({ severity: "ERROR", code, message: text }),
        message("Z", "I"),
    ]);
}

const copyFromClient = /(?:^|[;\n]|\*\/)\s*copy\s[^;]*?\bfrom\s+stdin\b/i;

/** COPY FROM STDIN ends this WASM build for good, so the server is made to refuse it instead. */
function guardCopy(bytes: Uint8Array): Uint8Array {
    const text = statementText(bytes);
    if (text === undefined || !copyFromClient.test(text)) return bytes;
    return withStatementText(
        bytes,
        `DO $$ BEGIN RAISE EXCEPTION USING
            ERRCODE = '0A000',
            MESSAGE = 'the embedded database does not support COPY FROM STDIN',
            HINT = 'Insert the rows with INSERT INTO ... SELECT ... FROM unnest(...).';
        END $$`,
    );
}
