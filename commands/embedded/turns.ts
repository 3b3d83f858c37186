/**
 * Who may talk to the one database session when.
 *
 * Several clients share the session, so what PostgreSQL does per connection is done here per turn.
 * A client's messages up to Sync, Flush or a simple query run as one piece, and it keeps its turn
 * until the server says that it is idle: neither an extended query nor a transaction can be cut in
 * two by another client. A turn starts with the client's own role and startup settings. What a
 * client leaves open when it goes is rolled back, and when the last one goes the session is reset. What
 * a statement that fails has done to the search path is undone.
 *
 * Still shared by all who are connected: settings changed by SET, advisory locks, temporary tables
 * and what PREPARE made.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { escapeLiteral } from "pg";

import { type Backend, BackendEnded, BackendRefusal, type Row } from "./backend";
import { guardCopy } from "./copyGuard";
import { changeOfLogin, type Login, superuser } from "./login";
import { PreparedStatements } from "./prepared";
import { keepSearchPath } from "./searchPath";
import { defaultSettings, resetStatements } from "./session";
import {
    errorResponse,
    message,
    messageType,
    readyStatus,
    simpleQuery,
    sync,
    type TransactionStatus,
} from "./wire";

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
    /**
     * Work of the server itself, in one turn: no client comes in between, and what clients do is not
     * seen. It waits until no client is in a transaction; the session is the superuser's.
     */
    own(work: (session: OwnSession) => Promise<void>): Promise<void>;
    /** The client whose transaction everybody waits for. */
    holder(): Login | undefined;
}

/** What work of the server itself has of the session. */
export interface OwnSession {
    query(sql: string, parameters?: readonly unknown[]): Promise<readonly Row[]>;
    /** Goes on as another role, with settings of its own. */
    become(login: Login): Promise<void>;
}

interface Member {
    readonly login: Login;
    readonly prepared: PreparedStatements;
    piece: Uint8Array[];
}

interface Unit {
    readonly client: number;
    readonly login: Login;
    /** Told whether another client's turn was in between. */
    readonly run: (interrupted: boolean) => Promise<Uint8Array>;
    readonly resolve: (answer: Uint8Array) => void;
    readonly reject: (error: unknown) => void;
}

const nothing = new Uint8Array(0);

/** Handlers number their clients from 1. */
const nobody = 0;

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
    const paths = keepSearchPath(backend);
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
        run: Unit["run"],
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
                const interrupted = previous.client !== client;
                if (interrupted) await become(client, login);
                const answer = await run(interrupted);
                holder = keepsTurn(readyStatus(answer)) ? client : undefined;
                resolve(answer);
            } catch (error) {
                reject(error);
            }
        }
    }

    async function become(client: number, login: Login): Promise<void> {
        const change = changeOfLogin(previous.login, login);
        if (change !== "") await backend.query(change);
        previous = { client, login };
    }

    async function resetSession(): Promise<Uint8Array> {
        for (const statement of resetStatements) await backend.query(statement);
        return await backend.execute(sync());
    }

    async function ownTurn(work: (session: OwnSession) => Promise<void>): Promise<Uint8Array> {
        await paths.around(async () => {
            try {
                await work({
                    query: (sql, parameters) => backend.query(sql, parameters),
                    become: (login) => become(nobody, login),
                });
            } finally {
                await become(nobody, superuser);
            }
        });
        return await backend.execute(sync());
    }

    return {
        own: async (work) => {
            await add(nobody, superuser, () => ownTurn(work));
        },

        holder: () => (holder === undefined ? undefined : members.get(holder)?.login),

        enter: async (client, { user, settings: asked }) => {
            const login = { user, settings: { ...defaultSettings, ...asked } };
            members.set(client, { login, prepared: new PreparedStatements(client), piece: [] });
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
                    const last = member.prepared.translate(guardCopy(bytes));
                    const piece = Buffer.concat([...member.piece, last]);
                    member.piece = [];
                    const lost = member.prepared.endPiece();
                    try {
                        return await add(client, member.login, async (interrupted) => {
                            if (interrupted && lost !== undefined) {
                                await backend.execute(Buffer.concat([lost, sync()]));
                            }
                            return await paths.execute(piece, holder === undefined);
                        });
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
                    member.piece.push(member.prepared.translate(guardCopy(bytes)));
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
                const forget = member.prepared.closeAll();
                if (members.size === 0) await add(nobody, superuser, resetSession);
                else if (forget.length > 0) {
                    const messages = Buffer.concat([forget, sync()]);
                    await add(nobody, superuser, () => backend.execute(messages));
                }
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
    return rows.map(({ name, setting }) => [String(name), String(setting)] as const);
}

function refusal(error: BackendRefusal): Uint8Array {
    const { code, message: text } = error;
    return Buffer.concat([
        errorResponse({ severity: "ERROR", code, message: text }),
        message("Z", "I"),
    ]);
}
