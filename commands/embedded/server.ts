/**
 * The embedded target's server: TimescaleDB as WASM, in a process of its own so that a statement
 * never blocks the caller, on a loopback port that any PostgreSQL client reaches.
 */
import { fork } from "node:child_process";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { Connection } from "../../components/timescale/core/connection/connection";
import { TimescaleError, type TimescaleErrorFields } from "../../components/timescale/core/errors";
import { databaseIn } from "./folderCheck";
import type { JobEvent } from "./jobs/events";
import { askOwner, readOwner } from "./ownership";

/** Where the data lives unless told otherwise, seen from the project's folder. */
export const embeddedDirectory = ".observatory/embedded/data";

export const embeddedPort = 54329;

export const embeddedDatabase = "llm_observatory";

export interface EmbeddedOptions {
    /** Data folder, created when it is missing; `undefined` keeps everything in memory. */
    readonly directory: string | undefined;
    /** TCP port on 127.0.0.1; 0 takes any free one. */
    readonly port: number;
    /** Told what is being waited for. */
    readonly report: (text: string) => void;
    /** The one database. @default - the one that the folder was made for; "llm_observatory" in a new one */
    readonly database?: string;
    /** Runs due TimescaleDB jobs, and is told of each run. @default - no job runs by itself */
    readonly onJob?: ((event: JobEvent) => void) | undefined;
}

export interface EmbeddedServer {
    readonly host: "127.0.0.1";
    readonly port: number;
    readonly database: string;
    /** Process that has the data open. */
    readonly pid: number;
    /** False when another process serves the folder: then `close` leaves it alone. */
    readonly owned: boolean;
    /** Resolves when an owned server has ended, with the reason unless it was asked to. */
    readonly ended: Promise<TimescaleError | undefined>;
    /** Closes the database and waits until its process has gone. */
    close(): Promise<void>;
}

export interface ChildOptions {
    readonly directory: string | undefined;
    readonly port: number;
    readonly database: string;
    readonly jobs: boolean;
}

export type ChildMessage =
    | { readonly kind: "job"; readonly event: JobEvent }
    | { readonly kind: "report"; readonly text: string }
    | { readonly kind: "locked" }
    | { readonly kind: "ready"; readonly port: number }
    | {
          readonly kind: "failed";
          readonly error: TimescaleErrorFields & { readonly message: string };
      };

/** How long the lock of a folder may stay taken before that is an error. */
const lockMilliseconds = 30_000;

/**
 * Serves an embedded database, or attaches to the process that already does.
 *
 * The server ends with this process, however this process ends; its data is whole even when it was
 * killed. Roles exist and their grants count; passwords are not checked.
 *
 * Throws `TimescaleError` with the codes `port_unavailable`, `data_folder_in_use`,
 * `invalid_data_folder`, `embedded_not_opened` and `embedded_crashed`.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
    const { port, report, onJob } = options;
    const directory = options.directory === undefined ? undefined : path.resolve(options.directory);
    const database = options.database ?? databaseIn(directory) ?? embeddedDatabase;
    const deadline = Date.now() + lockMilliseconds;
    let told = false;
    for (;;) {
        const attached = directory === undefined ? "gone" : await attach(directory, database);
        if (typeof attached === "object") return attached;
        if (attached === "gone") {
            const started = await start(
                { directory, port, database, jobs: onJob !== undefined },
                { report, onJob },
            );
            if (started !== "locked") return started;
        }
        if (Date.now() > deadline) {
            throw new TimescaleError("the embedded database stays locked", {
                code: "data_folder_in_use",
                detail: `another process has held ${directory}.lock for ${lockMilliseconds / 1000} seconds without serving the data`,
                hint: "end that process; if there is none, delete the lock",
            });
        }
        if (!told) report("waiting for another process to open or leave the embedded database");
        told = true;
        await sleep(250);
    }
}

/** How a client reaches the server as one of its roles. */
export function embeddedConnection(
    { host, port, database }: Pick<EmbeddedServer, "host" | "port" | "database">,
    user: string,
): Connection {
    return { host, port, database, user, password: "not-checked", sslMode: "disable" };
}

/** A silent owner counts as gone here: the process that is started then says what is wrong. */
async function attach(
    directory: string,
    database: string,
): Promise<EmbeddedServer | "opening" | "gone"> {
    const owner = readOwner(directory);
    if (owner === undefined) return "gone";
    const state = await askOwner(owner);
    if (state !== "ready") return state === "opening" ? "opening" : "gone";
    if (owner.database !== database) {
        throw new TimescaleError(`the embedded server has no database "${database}"`, {
            code: "data_folder_in_use",
            detail: `process ${owner.pid} serves "${owner.database}" from ${directory}`,
            hint: `name the database "${owner.database}", or use another folder`,
        });
    }
    return {
        host: "127.0.0.1",
        port: owner.port,
        database,
        pid: owner.pid,
        owned: false,
        ended: new Promise(() => undefined),
        close: () => Promise.resolve(),
    };
}

async function start(
    options: ChildOptions,
    { report, onJob }: Pick<EmbeddedOptions, "report" | "onJob">,
): Promise<EmbeddedServer | "locked"> {
    const child = fork(path.join(__dirname, "child.ts"), [JSON.stringify(options)], {
        execArgv: ["--require", require.resolve("tsx/cjs")],
        // Out of the terminal's process group: Ctrl-C is for the caller, who closes when it is done.
        detached: true,
        stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let closing = false;
    let failure: TimescaleError | undefined;
    let stderr = "";
    child.stderr?.on("data", (bytes: Buffer) => (stderr = (stderr + String(bytes)).slice(-2000)));

    const ended = new Promise<TimescaleError | undefined>((resolve) => {
        child.once("exit", (code, signal) => {
            resolve(closing ? undefined : (failure ?? exitError(signal ?? code, stderr)));
        });
        child.once("error", (error) =>
            resolve(new TimescaleError(error.message, { cause: error })),
        );
    });

    const ready = await new Promise<number | "locked" | undefined>((resolve) => {
        child.on("message", (message: ChildMessage) => {
            switch (message.kind) {
                case "report": {
                    report(message.text);
                    return;
                }
                case "job": {
                    onJob?.(message.event);
                    return;
                }
                case "locked": {
                    resolve("locked");
                    return;
                }
                case "ready": {
                    resolve(message.port);
                    return;
                }
                case "failed": {
                    const { message: text, ...fields } = message.error;
                    failure = new TimescaleError(text, fields);
                }
            }
        });
        void ended.then(() => resolve(undefined));
    });
    if (ready === undefined) throw (await ended) ?? exitError(null, stderr);
    if (ready === "locked") return ready;

    return {
        host: "127.0.0.1",
        port: ready,
        database: options.database,
        pid: child.pid as number,
        owned: true,
        ended,
        close: async () => {
            closing = true;
            // Not by closing the channel: what it says while it ends has to arrive.
            if (child.connected) child.send("close");
            await ended;
        },
    };
}

function exitError(status: number | NodeJS.Signals | null, stderr: string): TimescaleError {
    return new TimescaleError("the embedded server ended unexpectedly", {
        code: "embedded_crashed",
        detail: [`its process ended with ${status ?? "no status"}`, stderr.trim()]
            .filter(Boolean)
            .join("\n"),
        hint: "start it again; what was committed is still there",
    });
}
