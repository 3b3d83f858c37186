/**
 * Finds and starts the servers that a test run works on: the embedded one, and the first that can
 * be had of `TEST_DATABASE_URL`, an installed PostgreSQL with TimescaleDB, and a local Docker image.
 */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { escapeLiteral } from "pg";

import { openEmbedded } from "../../commands/embedded/server";
import type { Connection, SslMode } from "../../components/timescale/core/connection/connection";
import { sslModes } from "../../components/timescale/core/connection/connection";
import { TimescaleError } from "../../components/timescale/core/errors";
import { withClient } from "./clients";
import { dockerImage, startDockerServer, whyNoDocker } from "./dockerServer";
import { startGuarded } from "./guarded";
import { findServerBinaries, whyNoServer } from "./serverBinaries";
import { startCluster } from "./throwawayCluster";

/** Environment variable with the path of the file that describes the started servers. */
export const serversVariable = "OBSERVATORY_TEST_SERVERS";

export interface RolePasswords {
    readonly owner: string;
    readonly writer: string;
    readonly reader: string;
}

interface Described {
    readonly name: string;
    readonly version: string;
    readonly backgroundWorkers: boolean;
}

/** What a test worker needs to know about a server; goes through a file as JSON. */
export type ServerDescription =
    | (Described & {
          readonly kind: "url" | "cluster" | "docker";
          readonly admin: Connection;
          readonly passwords: RolePasswords;
      })
    | (Described & { readonly kind: "embedded"; readonly template: string });

export interface StartedServers {
    readonly servers: readonly ServerDescription[];
    /** Holds `servers` as JSON. */
    readonly file: string;
    /** Servers that were looked for and cannot run here, and why. */
    readonly missing: readonly string[];
    stop(): Promise<void>;
}

type Report = (text: string) => void;

interface Found {
    readonly kind: "url" | "cluster" | "docker";
    readonly admin: Connection;
    /** In brackets after the versions. */
    readonly where: string;
    stop(): Promise<void>;
    release(): void;
}

/** Starts everything; what was started ends with this process if `stop` is never called. */
export async function startServers(report: Report): Promise<StartedServers> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "observatory-tests-"));
    const guardian = startGuarded("", 'rm -rf "$1"', { args: [folder] });
    guardian.release();
    const missing: string[] = [];
    const [embedded, other] = await Promise.all([
        prepareEmbedded(folder, report),
        findOther(report, missing),
    ]);
    const servers: ServerDescription[] = [];
    try {
        if (other !== undefined) {
            other.release();
            servers.push(await prepareServer(other));
        }
        servers.push(embedded);
    } catch (error) {
        await other?.stop();
        await guardian.stop();
        throw error;
    }
    const file = path.join(folder, "servers.json");
    fs.writeFileSync(file, JSON.stringify(servers, null, 2), { mode: 0o600 });
    return {
        servers,
        file,
        missing,
        stop: async () => {
            await other?.stop();
            await guardian.stop();
        },
    };
}

async function findOther(report: Report, missing: string[]): Promise<Found | undefined> {
    const url = process.env["TEST_DATABASE_URL"];
    if (url !== undefined && url !== "") {
        const nothing = { stop: () => Promise.resolve(), release: () => undefined };
        return { kind: "url", admin: readUrl(url), where: "TEST_DATABASE_URL", ...nothing };
    }
    missing.push("TEST_DATABASE_URL: not set");

    const binaries = findServerBinaries().find(({ timescaledb }) => timescaledb !== undefined);
    const obstacle = whyNoServer();
    if (binaries !== undefined && obstacle === undefined) {
        report(`starting a throwaway PostgreSQL ${binaries.version} with TimescaleDB`);
        return { kind: "cluster", where: "throwaway cluster", ...(await startCluster(binaries)) };
    }
    missing.push(
        `installed PostgreSQL: ${obstacle ?? "TimescaleDB is not installed for any PostgreSQL here"}`,
    );

    const noDocker = whyNoDocker();
    if (noDocker === undefined) {
        report(`starting a container of ${dockerImage}`);
        return {
            kind: "docker",
            where: `container of ${dockerImage}`,
            ...(await startDockerServer()),
        };
    }
    missing.push(`Docker: ${noDocker}`);
    return undefined;
}

/** A data folder that every embedded test database is a copy of. */
async function prepareEmbedded(folder: string, report: Report): Promise<ServerDescription> {
    const template = path.join(folder, "template");
    const server = await openEmbedded({ directory: template, port: 0, report });
    const connection: Connection = {
        host: server.host,
        port: server.port,
        database: server.database,
        user: "postgres",
        password: "not-checked",
        sslMode: "disable",
    };
    const { timescaledb, postgresql } = await readVersions(connection, server.database);
    await server.close();
    return {
        kind: "embedded",
        name: `TimescaleDB ${timescaledb} on PostgreSQL ${postgresql} (embedded)`,
        version: timescaledb,
        backgroundWorkers: false,
        template,
    };
}

/** Roles and template database. Their names are fixed: the server is one for tests. */
async function prepareServer({ kind, admin, where }: Found): Promise<ServerDescription> {
    const secret = () => randomBytes(16).toString("hex");
    const passwords = { owner: secret(), writer: secret(), reader: secret() };
    await withClient(admin, async (client) => {
        for (const [role, password] of Object.entries(passwords)) {
            await client.query(`
                DO $$ BEGIN CREATE ROLE observatory_${role} LOGIN;
                EXCEPTION WHEN duplicate_object THEN NULL; END $$;
                ALTER ROLE observatory_${role} LOGIN PASSWORD ${escapeLiteral(password)}`);
        }
        await client.query("DROP DATABASE IF EXISTS observatory_test_template WITH (FORCE)");
        await client.query("CREATE DATABASE observatory_test_template");
    });
    const template = { ...admin, database: "observatory_test_template" };
    const { timescaledb, postgresql } = await readVersions(template, template.database);
    await withClient(template, async (client) => {
        // Its scheduler would be a second user of the template, which cannot be copied then.
        await client.query("SELECT _timescaledb_functions.stop_background_workers()");
    });
    await withClient(admin, (client) =>
        client.query("ALTER DATABASE observatory_test_template ALLOW_CONNECTIONS false"),
    );
    const brokenJobs = jobsFail(timescaledb, postgresql);
    return {
        kind,
        name: `TimescaleDB ${timescaledb} on PostgreSQL ${postgresql} (${where}${
            brokenJobs ? "; its jobs all fail on this PostgreSQL" : ""
        })`,
        version: timescaledb,
        backgroundWorkers: !brokenJobs,
        admin,
        passwords,
    };
}

async function readVersions(
    connection: Connection,
    database: string,
): Promise<{ readonly timescaledb: string; readonly postgresql: string }> {
    return await withClient({ ...connection, database }, async (client) => {
        await client.query("CREATE EXTENSION IF NOT EXISTS timescaledb");
        const { rows } = await client.query<{
            readonly timescaledb: string;
            readonly postgresql: string;
        }>(`
            SELECT extversion AS timescaledb, split_part(current_setting('server_version'), ' ', 1) AS postgresql
            FROM pg_extension WHERE extname = 'timescaledb'`);
        return rows[0] as (typeof rows)[number];
    });
}

/** PostgreSQL 15.20 checks what the job runner of TimescaleDB 2.14 does wrong: every job "fails". */
function jobsFail(timescaledb: string, postgresql: string): boolean {
    const [major = 0, minor = 0] = postgresql.split(".").map(Number);
    return timescaledb.startsWith("2.14.") && major === 15 && minor >= 20;
}

function readUrl(text: string): Connection {
    let url: URL;
    try {
        url = new URL(text);
    } catch (error) {
        throw badUrl("it is not a URL", error);
    }
    const sslMode = url.searchParams.get("sslmode") ?? "disable";
    if (!/^postgres(ql)?:$/.test(url.protocol)) throw badUrl(`its protocol is ${url.protocol}`);
    if (!isSslMode(sslMode)) throw badUrl(`sslmode is ${sslMode}, not ${sslModes.join(", ")}`);
    const certificate = url.searchParams.get("sslrootcert");
    return {
        host: url.hostname,
        port: Number(url.port === "" ? 5432 : url.port),
        database: decodeURIComponent(url.pathname.slice(1)) || "postgres",
        user: decodeURIComponent(url.username) || "postgres",
        password: decodeURIComponent(url.password),
        sslMode,
        ...(certificate === null ? {} : { sslRootCert: fs.readFileSync(certificate, "utf8") }),
    };
}

function isSslMode(text: string): text is SslMode {
    return (sslModes as readonly string[]).includes(text);
}

function badUrl(detail: string, cause?: unknown): TimescaleError {
    return new TimescaleError("TEST_DATABASE_URL cannot be used", {
        code: "invalid_url",
        detail,
        hint: "postgres://superuser:password@host:5432/postgres?sslmode=disable, a server for tests",
        cause,
    });
}
