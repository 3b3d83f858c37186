/** The embedded target: TimescaleDB inside a Node process of this project, on a loopback port. */
import * as pulumi from "@pulumi/pulumi";

import type { EmbeddedConfig } from "../config/stackConfig";
import { refuse } from "../report";
import { roles } from "../roles";
import { withSession } from "../timescale/core/connection/session";
import { TimescaleError } from "../timescale/core/errors";
import { connectionTo, type Server } from "./server";

/**
 * The embedded server, which must be running: its roles and database were made with its data folder,
 * and it checks no passwords.
 *
 * @throws pulumi.RunError if nothing answers
 */
export async function embeddedServer(config: EmbeddedConfig): Promise<Server> {
    const { host, port, sslMode, sslRootCert } = config;
    try {
        await withSession(
            connectionTo(config, config.database, roles.owner, config.passwords.owner),
            ({ client }) => client.query("SELECT 1"),
        );
    } catch (error) {
        if (!(error instanceof TimescaleError)) {
            throw error;
        }
        refuse("the embedded server cannot be used", [
            new TimescaleError(error.message, {
                code: error.code,
                detail: error.detail,
                hint: "start it with npm run serve and leave it running, or use npm start, which runs it itself",
                cause: error,
            }),
        ]);
    }
    return {
        host,
        port,
        sslMode,
        sslRootCert,
        admin: undefined,
        ready: pulumi.output(true),
        dependsOn: [],
        data: undefined,
    };
}
