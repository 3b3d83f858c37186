/** What stands on the volume of a container: asked of its server, or read from the volume where that is stopped. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import type { DockerConfig } from "../config/stackConfig";
import { TimescaleError } from "../timescale/core/errors";
import { planLiveExtension } from "../timescale/core/extension/update";
import { withSession } from "../timescale/core/session";
import type { StandingData } from "./dockerImage";
import { connectionTo } from "./server";

type Container = Pick<DockerConfig, "host" | "port" | "sslMode" | "sslRootCert" | "admin" | "database" | "docker">; // prettier-ignore

/** Undefined where there is no container yet, or nothing can be learned of it. Changes nothing. */
export async function standingData(
    config: Container,
    dataFolder: string,
): Promise<StandingData | undefined> {
    const { admin } = config;
    try {
        const connection = connectionTo(config, "postgres", admin.user, admin.password);
        const postgres = await withSession(
            connection,
            async ({ client }) => {
                const { rows } = await client.query<{ major: number }>(
                    "SELECT current_setting('server_version_num')::int / 10000 AS major",
                );
                return rows[0]?.major;
            },
            { startup: "-c timescaledb.disable_load=on" },
        );
        if (postgres === undefined) return undefined;
        return { postgres, timescale: await installedIn(config) };
    } catch (error) {
        if (!(error instanceof TimescaleError)) throw error;
        return majorOnVolume(config.docker.containerName, dataFolder);
    }
}

async function installedIn(config: Container): Promise<string | undefined> {
    const { admin, database } = config;
    const connection = connectionTo(config, database, admin.user, admin.password);
    try {
        const { actual } = await planLiveExtension(connection, {
            version: undefined,
            everyDatabase: false,
        });
        return actual[0]?.installed ?? undefined;
    } catch (error) {
        // There is no such database yet.
        if (error instanceof TimescaleError) return undefined;
        throw error;
    }
}

/** `docker cp` gives a tar archive: the file's text follows a head of 512 bytes. */
async function majorOnVolume(
    container: string,
    dataFolder: string,
): Promise<StandingData | undefined> {
    try {
        const { stdout } = await promisify(execFile)(
            "docker",
            ["cp", `${container}:${dataFolder}/PG_VERSION`, "-"],
            { encoding: "buffer", timeout: 10_000 },
        );
        const postgres = Number.parseInt(stdout.subarray(512, 520).toString("utf8"), 10);
        return Number.isInteger(postgres) ? { postgres, timescale: undefined } : undefined;
    } catch {
        // No daemon, or no container: the next steps say so where it matters.
        return undefined;
    }
}
