/**
 * Databases for integration tests.
 *
 * The servers are started once for a whole run (see `globalSetup.ts`); a test file finds them here
 * and makes as many databases as it needs, each with TimescaleDB, owned by `observatory_owner`.
 */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

import { escapeIdentifier } from "pg";

import { embeddedConnection, openEmbedded } from "../../commands/embedded/server";
import type { Connection } from "../../components/timescale/core/connection/connection";
import { withClient } from "./clients";
import {
    type RolePasswords,
    type ServerDescription,
    serversVariable,
    startServers,
} from "./servers";

export type ServerKind = ServerDescription["kind"];

export interface TestServer {
    /** Such as "TimescaleDB 2.14.2 on PostgreSQL 15.18 (throwaway cluster)". */
    readonly name: string;
    readonly kind: ServerKind;
    /** Version of TimescaleDB. */
    readonly version: string;
    /** Whether the jobs of policies run by themselves, and can succeed. */
    readonly backgroundWorkers: boolean;
    /** The superuser; on the embedded server only a database made by `createDatabase` has one. */
    readonly admin: Connection | undefined;
    createDatabase(): Promise<TestDatabase>;
}

export interface TestDatabase {
    readonly owner: Connection;
    readonly writer: Connection;
    readonly reader: Connection;
    /** The superuser, in this database. */
    readonly admin: Connection;
    drop(): Promise<void>;
}

/**
 * The servers of this run, for `describe.each`: the best one with jobs and connections of its own if
 * there is one, then the embedded one.
 */
export function testServers(): readonly TestServer[] {
    const file = process.env[serversVariable];
    if (file === undefined) {
        throw new Error(
            "no test servers: this suite needs test/helpers/globalSetup.ts as globalSetup",
        );
    }
    const descriptions = JSON.parse(fs.readFileSync(file, "utf8")) as ServerDescription[];
    return descriptions.map((description) => testServer(description));
}

/** The same outside a test run: starts the servers, which end with this process. */
export async function findServers(): Promise<readonly TestServer[]> {
    if (process.env[serversVariable] === undefined) {
        const started = await startServers((text) => process.stderr.write(`${text}\n`));
        process.env[serversVariable] = started.file;
    }
    return testServers();
}

function testServer(description: ServerDescription): TestServer {
    const { name, kind, version, backgroundWorkers } = description;
    return {
        name,
        kind,
        version,
        backgroundWorkers,
        admin: kind === "embedded" ? undefined : description.admin,
        createDatabase: () =>
            kind === "embedded"
                ? createEmbeddedDatabase(description.template)
                : createServerDatabase(description.admin, description.passwords),
    };
}

/** Copied from a template database, whose identity the copy must not keep. */
async function createServerDatabase(
    admin: Connection,
    passwords: RolePasswords,
): Promise<TestDatabase> {
    const database = `test_${randomBytes(6).toString("hex")}`;
    await withClient(admin, (client) =>
        client.query(
            `CREATE DATABASE ${escapeIdentifier(database)}
                 TEMPLATE observatory_test_template OWNER observatory_owner`,
        ),
    );
    const inDatabase: Connection = { ...admin, database };
    await renewIdentity(inDatabase);
    const login = (role: keyof RolePasswords): Connection => ({
        ...inDatabase,
        user: `observatory_${role}`,
        password: passwords[role],
    });
    return {
        owner: login("owner"),
        writer: login("writer"),
        reader: login("reader"),
        admin: inDatabase,
        drop: async () => {
            await withClient(admin, (client) =>
                client.query(`DROP DATABASE ${escapeIdentifier(database)} WITH (FORCE)`),
            );
        },
    };
}

/** A server of its own on a copy of the template folder. */
async function createEmbeddedDatabase(template: string): Promise<TestDatabase> {
    const directory = fs.mkdtempSync(path.join(path.dirname(template), "database-"));
    fs.cpSync(template, directory, { recursive: true });
    const server = await openEmbedded({ directory, port: 0, report: () => undefined });
    const login = (user: string) => embeddedConnection(server, user);
    await renewIdentity(login("postgres"));
    return {
        owner: login("observatory_owner"),
        writer: login("observatory_writer"),
        reader: login("observatory_reader"),
        admin: login("postgres"),
        drop: async () => {
            await server.close();
            fs.rmSync(directory, { recursive: true, force: true });
        },
    };
}

async function renewIdentity(admin: Connection): Promise<void> {
    await withClient(admin, (client) =>
        client.query(
            `UPDATE _timescaledb_catalog.metadata SET value = gen_random_uuid()::text
             WHERE key IN ('uuid', 'exported_uuid')`,
        ),
    );
}
