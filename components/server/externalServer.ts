/** The external target: a server that runs already, checked before anything is created on it. */
import * as pulumi from "@pulumi/pulumi";

import type { ExternalConfig } from "../config/stackConfig";
import { refuse, warn } from "../report";
import { roles } from "../roles";
import type { Connection } from "../timescale/core/connection";
import { TimescaleError } from "../timescale/core/errors";
import { probe, type ServerFacts } from "./preflight";
import { type DeclaredJob, refusals } from "./refusals";
import { connectionTo, type Server } from "./server";
import { standingAccess } from "./standingAccess";

/**
 * The server that the config names, after its facts have been read through the admin login, or the
 * owner's where access is not managed. Runs in previews and updates alike.
 *
 * @throws pulumi.RunError with every reason against the server
 */
export async function externalServer(
    config: ExternalConfig,
    jobs: readonly DeclaredJob[],
): Promise<Server> {
    const { host, port, sslMode, sslRootCert, admin } = config;
    const at = `${host}:${port}`;
    // Replaced by the next line of the display: it only says what a slow network is waiting for.
    await pulumi.log.info(`checking the server at ${at}`, undefined, undefined, true);

    const { facts, connection } = await factsOrRefusal(config, at);
    const { errors, warnings } = refusals(facts, {
        database: config.database,
        schema: config.schema,
        roles: requiredRoles(config),
        manageAccess: config.manageAccess,
        backgroundWorkers: true,
        jobs,
    });
    await warn([...warnings, ...missingReaders(config, facts)]);
    if (errors.length > 0) {
        refuse(`the server at ${at} cannot be used`, errors);
    }
    const standing =
        config.ownerUser === undefined
            ? undefined
            : await standingAccess(connection, config, facts);
    return {
        ...(standing !== undefined && { standing }),
        host,
        port,
        sslMode,
        sslRootCert,
        admin:
            !config.manageAccess || admin === undefined
                ? undefined
                : {
                      user: admin.user,
                      password: pulumi.secret(admin.password),
                      database: connection.database,
                      superuser: facts.login.superuser,
                  },
        ready: pulumi.output(true),
        dependsOn: [],
        data: undefined,
    };
}

/** With somebody else's login, nothing hangs on the Observatory's roles. */
function requiredRoles({ ownerUser }: ExternalConfig): readonly string[] {
    return ownerUser === undefined ? Object.values(roles) : [];
}

function missingReaders({ ownerUser }: ExternalConfig, facts: ServerFacts): TimescaleError[] {
    const missing = [roles.writer, roles.reader].filter(
        (role) => ownerUser !== undefined && !facts.existingRoles.includes(role),
    );
    return missing.map(
        (role) =>
            new TimescaleError(`role ${role} does not exist, and is granted nothing`, {
                code: "role_missing",
                detail:
                    role === roles.reader
                        ? "only the owner, and who has been granted it by hand, reads aggregates and views"
                        : "only the owner, and who has been granted it by hand, writes raw rows",
                hint: `CREATE ROLE ${role} LOGIN, then run this again`,
            }),
    );
}

interface Probed {
    readonly facts: ServerFacts;
    readonly connection: Connection;
}

async function factsOrRefusal(config: ExternalConfig, at: string): Promise<Probed> {
    const owner = connectionTo(
        config,
        config.database,
        config.ownerUser ?? roles.owner,
        config.passwords.owner,
    );
    const options = {
        database: config.database,
        schema: config.schema,
        roles: Object.values(roles),
        owner,
    };
    const { admin } = config;
    // A managed service may have no database "postgres"; template1 is part of every cluster.
    const candidates =
        config.manageAccess && admin !== undefined
            ? ["postgres", "template1"].map((database) =>
                  connectionTo(config, database, admin.user, admin.password),
              )
            : [owner];
    const failures: TimescaleError[] = [];
    for (const connection of candidates) {
        try {
            return { facts: await probe(connection, options), connection };
        } catch (error) {
            if (!(error instanceof TimescaleError)) {
                throw error;
            }
            failures.push(error);
            if (error.code !== "3D000") {
                break;
            }
        }
    }
    return refuse(`the server at ${at} cannot be used`, failures.slice(-1));
}
