/** What stands on the volume of a container: asked of its server, or read from the volume where none answers. */
import type { DockerConfig } from "../config/stackConfig";
import { refuse } from "../report";
import { withSession } from "../timescale/core/connection/session";
import { TimescaleError } from "../timescale/core/errors";
import { planLiveExtension } from "../timescale/core/extension/update";
import { dataOf, imageOfContainer, NoDockerCommand, postgresOfImage } from "./dockerDaemon";
import { anotherMajor, type StandingData, volumeOf } from "./dockerImage";
import { connectionTo } from "./server";

type Container = Pick<DockerConfig, "host" | "port" | "sslMode" | "sslRootCert" | "admin" | "database" | "docker">; // prettier-ignore

/** Undefined where there is no data yet; "unknown" where nobody can tell. Changes nothing. */
export async function standingData(
    config: Container,
    dataFolder: string,
): Promise<StandingData | "unknown" | undefined> {
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
        if (postgres === undefined) return "unknown";
        return { postgres, timescale: await installedIn(config) };
    } catch (error) {
        if (!(error instanceof TimescaleError)) throw error;
        return onVolume(config.docker.containerName, dataFolder);
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

/** Where the container was deleted the volume stays, under the name that this program gives it. */
async function onVolume(
    container: string,
    dataFolder: string,
): Promise<StandingData | "unknown" | undefined> {
    const found = await asking(() => dataOf(container, volumeOf(container), dataFolder));
    if (found === undefined || found.kind === "unknown") return "unknown";
    return found.kind === "nothing"
        ? undefined
        : { postgres: found.postgres, timescale: undefined };
}

/** Major version that an image has, if it is on this machine and tells. */
export function postgresInImage(image: string): Promise<number | undefined> {
    return asking(() => postgresOfImage(image));
}

/**
 * Hands on the id of an image that is on this machine now, for the container that is about to be
 * replaced, or not. Whatever its tag says, it is looked into before.
 *
 * @throws pulumi.RunError if it cannot open the data that stands
 */
export async function fitting(
    imageId: string,
    { image, containerName }: Pick<DockerConfig["docker"], "image" | "containerName">,
    standing: StandingData | undefined,
): Promise<string> {
    if (standing === undefined) return imageId;
    const postgres = await asking(async () =>
        (await imageOfContainer(containerName)) === imageId
            ? standing.postgres
            : postgresOfImage(imageId),
    );
    if (postgres === undefined || postgres === standing.postgres) return imageId;
    return refuse("the image cannot be used", [anotherMajor(image, postgres, standing)]);
}

async function asking<T>(question: () => Promise<T>): Promise<T | undefined> {
    try {
        return await question();
    } catch (error) {
        if (error instanceof NoDockerCommand) return undefined;
        throw error;
    }
}
