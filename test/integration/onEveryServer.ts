/** Integration tests run on every server that this run has; each test file has a database of its own there. */
import { Client } from "pg";

import { type Session, withSession } from "../../components/timescale/core/connection/session";
import { clientConfig } from "../../components/timescale/core/connection/tls";
import { type TestDatabase, type TestServer, testServers } from "../helpers/databases";
import { recordEnvironment } from "../helpers/environment";

export interface Target {
    readonly server: TestServer;
    /** Known from `beforeAll` on. */
    readonly database: TestDatabase;
    /** A session as `observatory_owner`, for the code under test. */
    readonly session: Session;
    /** Runs `work` on another connection of the same kind. */
    anotherSession<T>(work: (session: Session) => Promise<T>): Promise<T>;
    /** Rows of a statement that somebody runs by hand as `observatory_owner`. */
    byHand(text: string): Promise<Row[]>;
    /** The same as the superuser. */
    asAdmin(text: string): Promise<Row[]>;
}

export type Row = Readonly<Record<string, unknown>>;

/** The body runs once a server, inside `describe`, with a database that is dropped at the end. */
export function onEveryServer(body: (target: Target) => void): void {
    describe.each(testServers().map((server) => [server.name, server] as const))(
        "%s",
        (_, server) => {
            body(freshDatabase(server));
        },
    );
}

/** What needs sessions of its own runs on servers that have them; elsewhere the run says that it did not. */
export function onServersWithSessions(what: string, body: (target: Target) => void): void {
    const servers = testServers().filter(({ kind }) => kind !== "embedded");
    const embedded = testServers().find(({ kind }) => kind === "embedded");
    if (embedded !== undefined) {
        recordEnvironment(
            `not run on ${embedded.name}: ${what}: all its clients share one server session`,
        );
    }
    if (servers.length === 0) {
        it.skip(`${what} (no server here gives its clients sessions of their own)`, () =>
            undefined);
    }
    for (const server of servers) {
        describe(server.name, () => {
            body(freshDatabase(server));
        });
    }
}

function freshDatabase(server: TestServer): Target {
    let standing:
        | { readonly database: TestDatabase; readonly session: Session; readonly admin: Client }
        | undefined;
    const here = (): NonNullable<typeof standing> => {
        if (standing === undefined) throw new Error("the database is there from beforeAll on");
        return standing;
    };

    beforeAll(async () => {
        const database = await server.createDatabase();
        const client = await open(database.owner);
        const session: Session = { client, connection: database.owner };
        standing = { database, session, admin: await open(database.admin) };
        // Policies run when a test runs them.
        await standing.admin.query("SELECT _timescaledb_functions.stop_background_workers()");
    }, 60_000);

    afterAll(async () => {
        await standing?.session.client.end();
        await standing?.admin.end();
        await standing?.database.drop();
    }, 60_000);

    const rows = async (client: Client, text: string): Promise<Row[]> => {
        const result = await client.query<Record<string, unknown>>(text);
        return result.rows;
    };
    return {
        server,
        get database() {
            return here().database;
        },
        get session() {
            return here().session;
        },
        anotherSession: (work) => withSession(here().database.owner, work),
        byHand: (text) => rows(here().session.client, text),
        asAdmin: (text) => rows(here().admin, text),
    };
}

async function open(connection: TestDatabase["owner"]): Promise<Client> {
    const client = new Client(clientConfig(connection));
    await client.connect();
    await client.query("SET TimeZone TO 'UTC'");
    return client;
}
