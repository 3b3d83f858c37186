/**
 * Roles and databases that a killed run has made and not recorded. `@pulumi/postgresql` cannot take over
 * what exists, so they are dropped, to be made again.
 */
import type { StackConfig } from "../../components/config/stackConfig";
import type { Connection } from "../../components/timescale/core/connection/connection";
import { withSession } from "../../components/timescale/core/connection/session";
import { escapeIdentifier } from "../../components/timescale/core/identifier";
import type { Step } from "../progress";
import { type ExportedState, unrecorded } from "./pending";

const roleType = "postgresql:index/role:Role";
const databaseType = "postgresql:index/database:Database";

/** Milliseconds that the server may take to accept connections. */
const patience = 60_000;

/**
 * Drops them where nothing can be lost: an empty database, a role that owns nothing (PostgreSQL refuses
 * any other). What stays is met by the engine, whose error says so.
 */
export async function dropUnrecorded(
    state: ExportedState,
    config: StackConfig,
    step: Pick<Step, "report" | "say">,
): Promise<void> {
    const databases = unrecorded(state, databaseType);
    const roles = unrecorded(state, roleType);
    if (config.admin === undefined || databases.length + roles.length === 0) {
        return;
    }
    step.report("looking for what a killed run has left on the server");
    const admin = maintenanceConnection(config, config.admin);
    for (const database of databases) {
        if (await isEmpty({ ...admin, database })) {
            await execute(admin, `DROP DATABASE IF EXISTS ${escapeIdentifier(database)}`);
            step.say(`database ${database} was made by a run that was killed: dropped it, empty`);
        }
    }
    for (const role of roles) {
        await execute(admin, `DROP ROLE IF EXISTS ${escapeIdentifier(role)}`);
        step.say(`role ${role} was made by a run that was killed: dropped it, to make it again`);
    }
}

/** As admin, in the database that every server has. */
function maintenanceConnection(
    { host, port, sslMode, sslRootCert }: StackConfig,
    { user, password }: NonNullable<StackConfig["admin"]>,
): Connection {
    return {
        host,
        port,
        database: "postgres",
        user,
        password,
        sslMode,
        ...(sslRootCert === undefined ? {} : { sslRootCert: sslRootCert.pem }),
    };
}

/** False also for a database that does not exist: then there is nothing to drop. */
async function isEmpty(connection: Connection): Promise<boolean> {
    try {
        return await withSession(
            connection,
            async ({ client }) => {
                const { rows } = await client.query<{ readonly empty: boolean }>(
                    `SELECT NOT EXISTS (
                         SELECT FROM pg_class c
                         JOIN pg_namespace n ON n.oid = c.relnamespace
                         WHERE n.nspname !~ '^(pg_|information_schema$)'
                           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
                     ) AS empty`,
                );
                return rows[0]?.empty === true;
            },
            { patience },
        );
    } catch (error) {
        if ((error as { readonly code?: string }).code === "3D000") {
            return false;
        }
        throw error;
    }
}

async function execute(connection: Connection, statement: string): Promise<void> {
    await withSession(connection, ({ client }) => client.query(statement), { patience });
}
