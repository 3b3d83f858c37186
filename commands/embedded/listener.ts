/**
 * The loopback port: what a client says before its session begins is answered here, the session
 * itself is carried by pglite-socket's handler, which cuts the bytes into messages.
 */
import net from "node:net";

import { PGLiteSocketHandler, type PGLiteSocketHandlerOptions } from "@electric-sql/pglite-socket";

import { BackendRefusal } from "./backend";
import type { Login } from "./login";
import { introduction, type OwnState } from "./ownership";
import type { Turns } from "./turns";
import {
    type ErrorFields,
    errorResponse,
    negotiateProtocolVersion,
    readFirstPacket,
    type StartupParameters,
    welcome,
} from "./wire";

export interface Listener {
    readonly port: number;
    /** Lets clients in from now on; those that came earlier have waited. */
    serve(turns: Turns, database: string): void;
    /** Ends every client with `reason` and stops listening. */
    close(reason: string): Promise<void>;
}

export const loopback = "127.0.0.1";

const hangUpMilliseconds = 1000;

interface Service {
    readonly turns: Turns;
    readonly database: string;
}

/**
 * Takes the port. Throws Node's error (`EADDRINUSE`, `EACCES`) when it cannot be had.
 *
 * @param id what an identify request is answered with, however busy the database is
 */
export async function listen(port: number, id: string): Promise<Listener> {
    let open: (service: Service) => void = () => undefined;
    let state: OwnState = "opening";
    const service = new Promise<Service>((resolve) => (open = resolve));
    const sockets = new Set<net.Socket>();
    let nextProcessId = 1;

    const server = net.createServer((socket) => {
        sockets.add(socket);
        socket.on("close", () => sockets.delete(socket));
        // A reset connection is followed by `close`, which is where its session ends.
        socket.on("error", () => socket.destroy());
        void greet(socket, () => introduction(id, state)).then(async (parameters) => {
            if (parameters !== undefined) await admit(socket, parameters, await service);
        });
    });

    const admit = async (socket: net.Socket, parameters: StartupParameters, to: Service) => {
        const refusal = refuseDatabase(parameters, to.database);
        if (refusal !== undefined) {
            hangUp(socket, refusal);
            return;
        }
        // The handler asks its queue for three things only; the library's own queue lets messages
        // of another client in between Parse and Sync, and takes ROLLBACK TO for the end of a
        // transaction.
        const queryQueue = {
            enqueue: (client: number, message: Uint8Array) => to.turns.send(client, message),
            clearQueueForHandler: () => undefined,
            clearTransactionIfNeeded: (client: number) => to.turns.leave(client),
        } as unknown as PGLiteSocketHandlerOptions["queryQueue"];
        const handler = new PGLiteSocketHandler({ queryQueue, closeOnDetach: true });
        const gone = () => void to.turns.leave(handler.handlerId);
        socket.once("close", gone);
        try {
            const { settings, confirmed } = await to.turns.enter(
                handler.handlerId,
                readLogin(parameters),
            );
            if (socket.destroyed) return;
            confirmed.catch((error: unknown) => hangUp(socket, loginError(error)));
            socket.write(welcome(settings, nextProcessId++));
            socket.off("close", gone);
            await handler.attach(socket);
            // Detaching removes every listener, also the one that keeps track of open sockets.
            handler.addEventListener("close", () => sockets.delete(socket));
            handler.addEventListener("error", () => sockets.delete(socket));
            socket.resume();
        } catch (error) {
            await to.turns.leave(handler.handlerId);
            hangUp(socket, loginError(error));
        }
    };

    await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, loopback, resolve);
    });

    return {
        port: (server.address() as net.AddressInfo).port,
        serve: (turns, database) => {
            state = "ready";
            open({ turns, database });
        },
        close: async (reason) => {
            const closed = new Promise((resolve) => server.close(resolve));
            for (const socket of sockets) {
                hangUp(socket, { severity: "FATAL", code: "57P01", message: reason });
            }
            await closed;
        },
    };
}

/** Everything up to the startup packet; `undefined` when no session follows. */
async function greet(
    socket: net.Socket,
    introduce: () => string,
): Promise<StartupParameters | undefined> {
    let buffer: Buffer = Buffer.alloc(0);
    for (;;) {
        const first = readFirstPacket(buffer);
        if (first === undefined) {
            const more = await readMore(socket);
            if (more === undefined) return undefined;
            buffer = Buffer.concat([buffer, more]);
            continue;
        }
        buffer = buffer.subarray(first.length);
        const { packet } = first;
        switch (packet.kind) {
            case "encryption":
                socket.write("N");
                break;
            case "identify":
                socket.end(introduce());
                return undefined;
            // A statement in WASM cannot be interrupted; a cancel request gets no answer by protocol.
            case "cancel":
                socket.end();
                return undefined;
            case "unsupported":
                hangUp(socket, {
                    severity: "FATAL",
                    code: "0A000",
                    message: "unsupported startup packet",
                    detail: packet.detail,
                });
                return undefined;
            case "startup":
                if (packet.minor > 0) socket.write(negotiateProtocolVersion());
                if (buffer.length > 0) socket.unshift(buffer);
                return packet.parameters;
        }
    }
}

/** The next bytes, the socket paused after them; `undefined` at its end. */
function readMore(socket: net.Socket): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
        const finish = (bytes?: Buffer) => {
            socket.pause();
            socket.off("data", finish);
            socket.off("close", ended);
            resolve(bytes);
        };
        const ended = () => finish();
        socket.on("data", finish);
        socket.on("close", ended);
        socket.resume();
    });
}

function refuseDatabase(
    { database, user = "" }: StartupParameters,
    served: string,
): ErrorFields | undefined {
    const wanted = database ?? user;
    if (wanted === served) return undefined;
    return {
        severity: "FATAL",
        code: "3D000",
        message: `database "${wanted}" does not exist`,
        detail: `the embedded server serves one database, "${served}"`,
    };
}

function readLogin(parameters: StartupParameters): Login {
    const { user = "", database: _database, options = "", ...settings } = parameters;
    return { user, settings: { ...readOptions(options), ...withoutProtocolOptions(settings) } };
}

/** Settings in the form `-c name=value` or `--name=value`; a space in a value is written `\ `. */
function readOptions(options: string): Record<string, string> {
    const words = options.match(/(?:\\.|[^\s\\])+/g) ?? [];
    const settings: Record<string, string> = {};
    for (const word of words.map((word) => word.replace(/\\(.)/g, "$1"))) {
        const [, name, value] = /^(?:-c|--)?([\w.-]+)=(.*)$/s.exec(word) ?? [];
        if (name !== undefined && value !== undefined) settings[name.replace(/-/g, "_")] = value;
    }
    return settings;
}

function withoutProtocolOptions(settings: StartupParameters): StartupParameters {
    return Object.fromEntries(
        Object.entries(settings).filter(
            ([name]) => name !== "replication" && !name.startsWith("_pq_."),
        ),
    );
}

function loginError(error: unknown): ErrorFields {
    const { message } = error as Error;
    if (!(error instanceof BackendRefusal)) return { severity: "FATAL", code: "XX000", message };
    const unknownRole = error.code === "22023" && /^role .* does not exist$/.test(message);
    return { severity: "FATAL", code: unknownRole ? "28000" : error.code, message };
}

function hangUp(socket: net.Socket, error: ErrorFields): void {
    if (!socket.writable) return void socket.destroy();
    socket.end(errorResponse(error));
    // A client that never closes its side would keep the server from ending.
    setTimeout(() => socket.destroy(), hangUpMilliseconds).unref();
}
