/**
 * What a server is, read before anything is created: the facts, and how to read them.
 * What speaks against a server is in refusals.ts.
 */
import type { Connection } from "../timescale/core/connection/connection";
import { serverError } from "../timescale/core/connection/serverErrors";
import { type Queryable, withSession } from "../timescale/core/connection/session";
import { TimescaleError } from "../timescale/core/errors";
import { readSql } from "../timescale/core/sqlFile";

export interface ServerFacts {
    /** PostgreSQL's server_version_num, such as 150018. */
    readonly postgresVersion: number;
    /** A hot standby. */
    readonly inRecovery: boolean;
    /** default_transaction_read_only. */
    readonly readOnly: boolean;
    /** The version that CREATE EXTENSION timescaledb would install; null: not offered. */
    readonly offeredVersion: string | null;
    /** Whether a login that is no superuser may create the extension; null: not offered. */
    readonly trusted: boolean | null;
    readonly preloaded: boolean;
    readonly maxWorkerProcesses: number;
    /** timescaledb.max_background_workers; null: not preloaded. */
    readonly maxBackgroundWorkers: number | null;
    /** TimescaleDB's schedulers of other databases: each takes a worker for good. */
    readonly otherSchedulers: number;
    /** Background workers that are not TimescaleDB's, as far as this login may see them. */
    readonly otherWorkers: number;
    /** "timescale" or "apache"; null: not known before the extension is created. */
    readonly license: string | null;
    readonly restoring: boolean;
    readonly login: LoginFacts;
    readonly existingRoles: readonly string[];
    readonly databaseExists: boolean;
    /** Undefined: the database does not exist, or this login may not look into it. */
    readonly database: DatabaseFacts | undefined;
}

export interface LoginFacts {
    readonly user: string;
    readonly superuser: boolean;
    readonly createRole: boolean;
    readonly createDatabase: boolean;
}

export interface DatabaseFacts {
    /** Null: the extension is not created. */
    readonly installedVersion: string | null;
    readonly license: string | null;
    readonly restoring: boolean;
    readonly readOnly: boolean;
    readonly schemaExists: boolean;
    readonly mayCreateInSchema: boolean;
}

export interface ProbeOptions {
    /** The database that will hold the Observatory, which need not exist. */
    readonly database: string;
    readonly schema: string;
    /** Names of the roles to look for. */
    readonly roles: readonly string[];
    /** Whose privileges count. @default - those of `connection`'s login */
    readonly login?: string;
    /** Another login for the database, if `connection`'s may not enter it. */
    readonly owner?: Connection;
}

/**
 * Reads the facts of the server at `connection`, whose login need not be a superuser. Reads only.
 *
 * @throws TimescaleError when the server cannot be reached or refuses the login
 */
export async function probe(connection: Connection, options: ProbeOptions): Promise<ServerFacts> {
    return withSession(connection, async ({ client }) => {
        const row = await readOne<ServerRow>(client, "preflight/server.sql", [
            options.database,
            options.roles,
            options.login ?? null,
        ]);
        const { user, superuser, createRole, createDatabase, ...server } = row;
        const database = !server.databaseExists
            ? undefined
            : connection.database === options.database
              ? await probeDatabase(client, options.schema)
              : await probeOtherDatabase(connection, options);
        return {
            ...server,
            readOnly: server.readOnly || database?.readOnly === true,
            license:
                database?.license ?? server.license ?? (superuser ? await editionOf(client) : null),
            restoring: server.restoring || database?.restoring === true,
            login: { user, superuser, createRole, createDatabase },
            database,
        };
    });
}

/** The licence that the installed libraries allow, where no session has loaded them yet. */
async function editionOf(client: Queryable): Promise<string | null> {
    try {
        const { apacheOnly } = await readOne<{ readonly apacheOnly: boolean | null }>(
            client,
            "preflight/edition.sql",
            [],
        );
        return apacheOnly === true ? "apache" : null;
    } catch (error) {
        // A server that hides its files is not refused for it.
        if (error instanceof TimescaleError) {
            return null;
        }
        throw error;
    }
}

type ServerRow = Omit<ServerFacts, "login" | "database"> & LoginFacts;

/**
 * A database that neither login may enter is no evidence against the server: its owner's password may
 * be about to change.
 */
async function probeOtherDatabase(
    connection: Connection,
    { database, schema, owner }: ProbeOptions,
): Promise<DatabaseFacts | undefined> {
    const logins = [{ ...connection, database }, ...(owner === undefined ? [] : [owner])];
    for (const login of logins) {
        try {
            return await withSession(login, ({ client }) => probeDatabase(client, schema));
        } catch (error) {
            if (!(error instanceof TimescaleError)) {
                throw error;
            }
        }
    }
    return undefined;
}

function probeDatabase(client: Queryable, schema: string): Promise<DatabaseFacts> {
    return readOne<DatabaseFacts>(client, "preflight/database.sql", [schema]);
}

async function readOne<Row>(
    client: Queryable,
    statement: string,
    values: unknown[],
): Promise<Row & Record<string, unknown>> {
    await client.query("BEGIN READ ONLY");
    try {
        const { rows } = await client.query<Row & Record<string, unknown>>(
            readSql(statement),
            values,
        );
        const row = rows[0];
        if (row === undefined) {
            throw new TimescaleError("the server does not describe its login", {
                code: "probe_failed",
                detail: `sql/${statement} returned no row`,
                hint: "check that the login is a role of its own in pg_roles",
                statement,
            });
        }
        return row;
    } catch (error) {
        throw serverError(error, { statement, object: "the server's facts" });
    } finally {
        // A dead connection has rolled back by itself, and its error is the one to report.
        await client.query("ROLLBACK").then(undefined, () => undefined);
    }
}
