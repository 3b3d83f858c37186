/** The external target: a server that runs already, checked before anything is created on it. */
import * as pulumi from "@pulumi/pulumi";

import type { ExternalConfig } from "../config/stackConfig";
import { refuse, warn } from "../report";
import { roles } from "../roles";
import type { Connection } from "../timescale/core/connection/connection";
import { TimescaleError } from "../timescale/core/errors";
import { probe, type ProbeOptions, type ServerFacts } from "./preflight";
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
        // Where its roles stand, a database of another name may be about to get this one.
        databaseIsNew: !facts.databaseExists && facts.existingRoles.length === 0,
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
    if (!config.manageAccess || admin === undefined) {
        const answer = await probeFirst([owner], options);
        if (answer instanceof TimescaleError)
            refuse(`the server at ${at} cannot be used`, [answer]);
        return answer;
    }
    // A managed service may have no database "postgres"; template1 is part of every cluster.
    const candidates = ["postgres", "template1"].map((database) =>
        connectionTo(config, database, admin.user, admin.password),
    );
    const answer = await probeFirst(candidates, options);
    if (!(answer instanceof TimescaleError)) return answer;
    if (answer.code === "28P01") {
        const told = await probeForAdmin(config, admin.user, options);
        if (told !== undefined) {
            await warn([changedPassword(answer)]);
            return { facts: told, connection: candidates[0] ?? owner };
        }
    }
    const refused = answer.code === "28P01" ? refusedAdmin(answer) : answer;
    return refuse(`the server at ${at} cannot be used`, [refused]);
}

/** By the first of these that there is a database for; otherwise why that was not possible. */
async function probeFirst(
    candidates: readonly Connection[],
    options: ProbeOptions,
): Promise<Probed | TimescaleError> {
    let failure = new TimescaleError("there is no login to look with");
    for (const connection of candidates) {
        try {
            return { facts: await probe(connection, options), connection };
        } catch (error) {
            if (!(error instanceof TimescaleError)) throw error;
            failure = error;
            if (error.code !== "3D000") break;
        }
    }
    return failure;
}

/**
 * While the admin's password is being changed the stack's own logins tell what the admin is: one of
 * them whose password is not being changed as well.
 */
async function probeForAdmin(
    config: ExternalConfig,
    login: string,
    options: ProbeOptions,
): Promise<ServerFacts | undefined> {
    for (const key of ["owner", "writer", "reader"] as const) {
        const connection = connectionTo(config, config.database, roles[key], config.passwords[key]);
        const answer = await probeFirst([connection], { ...options, login });
        if (!(answer instanceof TimescaleError)) return answer.facts;
    }
    return undefined;
}

function changedPassword(refused: TimescaleError): TimescaleError {
    return new TimescaleError(refused.message, {
        code: refused.code,
        detail: "the server was looked at through another login of this stack; up changes the password with the one of the last up",
        cause: refused,
    });
}

function refusedAdmin(refused: TimescaleError): TimescaleError {
    return new TimescaleError(refused.message, {
        code: refused.code,
        detail: refused.detail,
        hint: "correct adminPassword; to change it, change it by itself and leave one of the other passwords as it is for that up, because the server is looked at through that login meanwhile",
        cause: refused,
    });
}
