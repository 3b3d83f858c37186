/**
 * A TCP link between the engine's side and a database, which a test can cut or hold at a chosen
 * statement: a server that is gone, and a fill that is under way, without a server to stop.
 */
import { once } from "node:events";
import net from "node:net";

import type { Connection } from "../../components/timescale/core/connection/connection";

export interface Link {
    /** The same login, through the link. */
    readonly through: (connection: Connection) => Connection;
    /** Ends all connections; new ones are refused until `restore`. */
    readonly cut: () => Promise<void>;
    readonly restore: () => Promise<void>;
    /** Leads new connections to another server, as the endpoint of a cluster does after a failover. */
    readonly leadTo: (target: Connection) => void;
    /**
     * Lets what clients send go on to the server until it has matched for the `nth` time: that
     * statement, and all that its client sends after it, stays here. Resolves when that has
     * happened, and fails when `running` ends before.
     */
    readonly hold: (pattern: RegExp, nth: number, running: Promise<unknown>) => Promise<void>;
    /** Holds no new client any more. */
    readonly release: () => void;
    /** The same, and sends on what it has held. */
    readonly resume: () => void;
    /** Collects from now on what clients send that matches, held or not. */
    readonly record: (pattern: RegExp) => readonly string[];
    readonly close: () => Promise<void>;
}

/** Why the link is of no use for this connection; undefined when it is. */
export function whyNoLink({ sslMode }: Connection): string | undefined {
    return sslMode === "disable"
        ? undefined
        : "the server is reached over TLS, and what a test holds back has to be readable";
}

interface Hold {
    readonly pattern: RegExp;
    remaining: number;
    readonly reached: () => void;
}

/** Opens a link to the server of this connection. */
export async function openLink(first: Connection): Promise<Link> {
    let target = first;
    const sockets = new Set<net.Socket>();
    const recorded: { readonly pattern: RegExp; readonly found: string[] }[] = [];
    let sendOn: (() => void)[] = [];
    let hold: Hold | undefined;
    const server = net.createServer((client) => {
        const upstream = net.connect(target.port, target.host);
        let held = false;
        for (const [one, other] of [
            [client, upstream],
            [upstream, client],
        ] as const) {
            sockets.add(one);
            // Resets are what a test of a lost connection is about.
            one.on("error", () => other.destroy());
            one.on("close", () => {
                sockets.delete(one);
                other.destroy();
            });
        }
        upstream.on("data", (bytes) => client.write(bytes));
        client.on("data", (bytes: Buffer) => {
            for (const { pattern, found } of recorded) {
                found.push(...(pattern.exec(String(bytes)) ?? []));
            }
            const pass = (): void => {
                upstream.write(bytes);
            };
            if (held) {
                sendOn.push(pass);
                return;
            }
            if (hold?.pattern.test(String(bytes)) === true && --hold.remaining === 0) {
                held = true;
                sendOn = [() => (held = false), pass];
                hold.reached();
                return;
            }
            pass();
        });
    });
    const listen = async (port: number): Promise<void> => {
        server.listen(port, "127.0.0.1");
        await once(server, "listening");
    };
    const cut = async (): Promise<void> => {
        hold = undefined;
        if (!server.listening) return;
        const closed = once(server, "close");
        server.close();
        for (const socket of sockets) socket.destroy();
        await closed;
    };
    await listen(0);
    const { port } = server.address() as net.AddressInfo;
    return {
        through: (connection) => ({ ...connection, host: "127.0.0.1", port }),
        cut,
        restore: () => listen(port),
        leadTo: (another) => {
            target = another;
        },
        hold: (pattern, nth, running) => {
            const reached = new Promise<void>((resolve) => {
                hold = { pattern, remaining: nth, reached: resolve };
            });
            const ended = running.then(() => {
                throw new Error(`it ended before ${pattern} was sent ${nth} times`);
            });
            return Promise.race([reached, ended]);
        },
        release: () => {
            hold = undefined;
        },
        resume: () => {
            hold = undefined;
            for (const act of sendOn) act();
        },
        record: (pattern) => {
            const found: string[] = [];
            recorded.push({ pattern, found });
            return found;
        },
        close: cut,
    };
}
