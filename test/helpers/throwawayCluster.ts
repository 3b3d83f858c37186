/**
 * A private PostgreSQL server in a temporary folder: own port, own socket folder, own passwords,
 * never root. It is stopped and deleted with the process that started it.
 */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { Client } from "pg";

import type { Connection, SslMode } from "../../components/timescale/core/connection/connection";
import { TimescaleError } from "../../components/timescale/core/errors";
import { clientConfig } from "./clients";
import { type Guarded, startGuarded } from "./guarded";
import { type ServerBinaries, serverUser } from "./serverBinaries";

export interface Cluster {
    readonly binaries: ServerBinaries;
    /** As the superuser, to the database `postgres`. */
    readonly admin: Connection;
    readonly directory: string;
    stop(): Promise<void>;
    /** Lets this process end although the server runs; the server then ends too. */
    release(): void;
}

export interface ClusterOptions {
    /** Settings besides the usual ones, given the cluster's folder. */
    readonly settings?: (directory: string) => Readonly<Record<string, string>>;
    /** How to connect to it. @default "disable" */
    readonly sslMode?: SslMode;
    /** Lines of `pg_hba.conf`. @default - passwords over TCP */
    readonly hba?: readonly string[];
    /** Files put into the cluster's folder, readable by the server alone. */
    readonly files?: Readonly<Record<string, string>>;
    /** Takes a copy of a running server as its data, to follow it. */
    readonly standbyOf?: Connection;
}

/** `replication` is not part of `all`. */
const passwords = [
    "host all all 127.0.0.1/32 scram-sha-256",
    "host replication all 127.0.0.1/32 scram-sha-256",
    "",
];

const startMilliseconds = 60_000;

/** Creates and starts a server; throws what it logged when it does not come up. */
export async function startCluster(
    binaries: ServerBinaries,
    options: ClusterOptions = {},
): Promise<Cluster> {
    const user = serverUser();
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), "observatory-pg-"));
    const password = options.standbyOf?.password ?? randomBytes(16).toString("hex");
    fs.writeFileSync(path.join(directory, "password"), password);
    fs.writeFileSync(path.join(directory, "pgpass"), passwordFile(options.standbyOf));
    for (const [name, text] of Object.entries(options.files ?? {})) {
        fs.writeFileSync(path.join(directory, name), text);
    }
    const port = await freePort();
    fs.writeFileSync(
        path.join(directory, "settings.conf"),
        configuration(binaries, directory, port, options),
    );
    fs.writeFileSync(path.join(directory, "hba.conf"), (options.hba ?? passwords).join("\n"));
    for (const name of fs.readdirSync(directory)) {
        fs.chmodSync(path.join(directory, name), 0o600);
        if (user !== undefined) fs.chownSync(path.join(directory, name), user.uid, user.gid);
    }
    if (user !== undefined) fs.chownSync(directory, user.uid, user.gid);

    const guarded = startGuarded(startScript(options.standbyOf), stopScript, {
        user,
        args: [binaries.directory, directory],
    });
    const admin: Connection = {
        host: "127.0.0.1",
        port,
        database: "postgres",
        user: "postgres",
        password,
        sslMode: options.sslMode ?? "disable",
    };
    try {
        await waitForServer(admin, guarded, path.join(directory, "log"));
    } catch (error) {
        await guarded.stop();
        fs.rmSync(directory, { recursive: true, force: true });
        throw error;
    }
    return {
        binaries,
        admin,
        directory,
        stop: () => guarded.stop(),
        release: () => guarded.release(),
    };
}

/** A TCP port on the loopback address that nothing listens on now. */
export async function freePort(): Promise<number> {
    const server = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as net.AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
}

/** `$1` is the folder of the programs, `$2` the cluster's. A failed step ends the script. */
function startScript(standbyOf: Connection | undefined): string {
    const fill =
        standbyOf === undefined
            ? `"$1/initdb" -D "$2/data" -U postgres --pwfile="$2/password" --auth=scram-sha-256 \
                   --encoding=UTF8 --no-locale --no-sync >"$2/log" 2>&1 || exit 1`
            : `PGPASSFILE="$2/pgpass" "$1/pg_basebackup" -D "$2/data" -R -X stream --no-sync \
                   -c fast -h ${standbyOf.host} -p ${standbyOf.port} -U ${standbyOf.user} \
                   >"$2/log" 2>&1 || exit 1`;
    return `${fill}
        echo "include '../settings.conf'" >>"$2/data/postgresql.conf"
        mkdir "$2/socket"
        "$1/postgres" -D "$2/data" >>"$2/log" 2>&1 &
        server=$!`;
}

const stopScript = `
    kill -INT $server 2>/dev/null
    for i in $(seq 100); do kill -0 $server 2>/dev/null || break; sleep 0.1; done
    kill -QUIT $server 2>/dev/null
    wait $server
    rm -rf "$2"`;

function configuration(
    binaries: ServerBinaries,
    directory: string,
    port: number,
    { settings }: ClusterOptions,
): string {
    const timescaledb: Readonly<Record<string, string>> =
        binaries.timescaledb === undefined
            ? {}
            : {
                  shared_preload_libraries: "timescaledb",
                  "timescaledb.telemetry_level": "off",
                  // Each database takes one for its scheduler, and a run has dozens at a time.
                  "timescaledb.max_background_workers": "96",
              };
    const all: Readonly<Record<string, string>> = {
        listen_addresses: "127.0.0.1",
        port: String(port),
        unix_socket_directories: path.join(directory, "socket"),
        hba_file: path.join(directory, "hba.conf"),
        // Nothing here has to survive the machine.
        fsync: "off",
        synchronous_commit: "off",
        full_page_writes: "off",
        max_worker_processes: "128",
        max_locks_per_transaction: "256",
        timezone: "UTC",
        ...timescaledb,
        ...settings?.(directory),
    };
    return Object.entries(all)
        .map(([name, value]) => `${name} = '${value.replace(/'/g, "''")}'\n`)
        .join("");
}

function passwordFile(standbyOf: Connection | undefined): string {
    if (standbyOf === undefined) return "";
    const { host, port, user, password } = standbyOf;
    return `${host}:${port}:*:${user}:${password}\n`;
}

async function waitForServer(admin: Connection, guarded: Guarded, log: string): Promise<void> {
    const deadline = Date.now() + startMilliseconds;
    let over = false;
    void guarded.ended.then(() => (over = true));
    for (;;) {
        const client = new Client(clientConfig(admin));
        try {
            await client.connect();
            await client.end();
            return;
        } catch (error) {
            // Refused while it starts (ECONNREFUSED, 57P03); a server that has ended says why.
            if (over || Date.now() > deadline || serverHasStopped(log)) {
                throw new TimescaleError("a throwaway PostgreSQL server did not start", {
                    code: "server_not_started",
                    detail: [String(error), tail(log)].filter(Boolean).join("\n"),
                    cause: error,
                });
            }
            await sleep(100);
        }
    }
}

function serverHasStopped(log: string): boolean {
    return /database system is shut down|could not start|FATAL:.*(configuration file|lock file)/.test(
        tail(log),
    );
}

function tail(log: string): string {
    return fs.existsSync(log) ? fs.readFileSync(log, "utf8").slice(-2000) : "";
}
