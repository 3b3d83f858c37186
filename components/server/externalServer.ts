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
        roles: Object.values(roles),
        manageAccess: config.manageAccess,
        backgroundWorkers: true,
        jobs,
    });
    await warn(warnings);
    if (errors.length > 0) {
        refuse(`the server at ${at} cannot be used`, errors);
    }
    return {
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

interface Probed {
    readonly facts: ServerFacts;
    readonly connection: Connection;
}

async function factsOrRefusal(config: ExternalConfig, at: string): Promise<Probed> {
    const owner = connectionTo(config, config.database, roles.owner, config.passwords.owner);
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
