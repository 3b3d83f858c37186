/** The docker target: TimescaleDB in a container on this machine. */
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

import type { DockerConfig } from "../config/stackConfig";
import { type StandingData, volumeOf } from "./dockerImage";
import type { Admin, Server } from "./server";
import { fitting } from "./standingData";

/** Where the official image keeps its data folder; the -ha image has another place. */
export const dataFolder = "/var/lib/postgresql/data";

/** MiB of /dev/shm. Docker's 64 are too few for parallel queries. */
const sharedMemory = 256;

/** What was found before anything is declared. */
export interface StandsThere {
    /** The data that the volume holds. @default - none, or nobody can tell */
    readonly standing?: StandingData | undefined;
    /** What replacing the container brings with it, in sentences for preview. @default none */
    readonly notices?: readonly string[];
}

/**
 * A container from a pinned image, with its data on a named volume, reachable from this machine only.
 *
 * | You change                                                    | Pulumi does                                | Data |
 * |---------------------------------------------------------------|--------------------------------------------|------|
 * | `memory`                                                      | changes it in place                        | kept |
 * | `image`, `port`, `containerName`, buffers and worker settings | replaces the container                     | kept |
 * | `adminPassword`                                               | changes it by ALTER ROLE: see LoginPassword | kept |
 *
 * An `image` of another major version of PostgreSQL than that of the volume is refused before the
 * container is replaced; a newer TimescaleDB is followed by ALTER EXTENSION UPDATE in every database.
 *
 * The volume is named after the first `containerName` and keeps that name. With `protectData` it is
 * protected; container and image are not, because a container can be made again from both.
 *
 * Only a refresh notices a container that was stopped or deleted by hand: `docker start` it, or
 * `pulumi refresh --target '**Container::timescaledb'` and then `pulumi up`.
 */
export class DockerServer extends pulumi.ComponentResource implements Server {
    readonly host: string;
    readonly port: number;
    readonly sslMode = "disable";
    readonly sslRootCert = undefined;
    readonly admin: Admin;
    readonly ready: pulumi.Output<unknown>;
    readonly dependsOn: readonly pulumi.Resource[];
    readonly data: pulumi.Resource;
    readonly container: string;
    readonly notices: readonly string[];

    constructor(
        name: string,
        config: DockerConfig & StandsThere,
        opts?: pulumi.ComponentResourceOptions,
    ) {
        super("timescale:server:DockerServer", name, {}, { ...opts, protect: config.protectData });
        const { image, containerName, memory, waitTimeout } = config.docker;
        const password = pulumi.secret(config.admin.password);
        const within = { parent: this };

        const localImage = new docker.RemoteImage(
            `${name}-image`,
            // A registry may be out of reach when the container has to be made again.
            { name: image, keepLocally: true },
            { ...within, protect: false },
        );
        const volume = new docker.Volume(
            `${name}-data`,
            { name: volumeOf(containerName) },
            // A name given later would be another, empty volume.
            { ...within, retainOnDelete: config.protectData, ignoreChanges: ["name"] },
        );
        const container = new docker.Container(
            name,
            {
                name: containerName,
                // Known once it is pulled: nothing has happened to the container yet.
                image: localImage.imageId.apply((id) =>
                    fitting(id, config.docker, config.standing),
                ),
                command: serverCommand(config),
                envs: [
                    `POSTGRES_USER=${config.admin.user}`,
                    pulumi.interpolate`POSTGRES_PASSWORD=${password}`,
                    "POSTGRES_DB=postgres",
                ],
                ports: [{ internal: 5432, external: config.port, ip: config.host }],
                volumes: [{ volumeName: volume.name, containerPath: dataFolder }],
                memory,
                // Not limited: a kernel without swap accounting reports it so, and any other figure would
                // show as a difference there and stand in the way of raising the memory.
                memorySwap: -1,
                shmSize: sharedMemory,
                restart: "unless-stopped",
                mustRun: true,
                healthcheck: {
                    // Over TCP: while the data folder is made, a server without it listens on the socket.
                    tests: ["CMD-SHELL", 'pg_isready -h 127.0.0.1 -U "$POSTGRES_USER" -d postgres'],
                    interval: "2s",
                    timeout: "5s",
                    retries: 30,
                },
                wait: true,
                waitTimeout,
                // SIGTERM would wait for every client to leave.
                stopSignal: "SIGINT",
                stopTimeout: 60,
                destroyGraceSeconds: 60,
            },
            {
                ...within,
                protect: false,
                // PostgreSQL reads the password when it makes the data folder and never again: LoginPassword
                // changes it.
                ignoreChanges: ["envs"],
                // The name and the port can be taken only once.
                deleteBeforeReplace: true,
                customTimeouts: { create: `${waitTimeout + 300}s` },
            },
        );

        this.host = config.host;
        this.port = config.port;
        this.admin = { user: config.admin.user, password, database: "postgres", superuser: true };
        this.ready = container.id;
        this.dependsOn = [container];
        this.data = volume;
        this.container = containerName;
        this.notices = config.notices ?? [];
        this.registerOutputs({});
    }
}

/** Settings on the command line win over those of the data folder, which an image may have tuned. */
function serverCommand({ docker: settings }: DockerConfig): string[] {
    const parameters = {
        shared_buffers: settings.sharedBuffers,
        max_worker_processes: settings.maxWorkerProcesses,
        "timescaledb.max_background_workers": settings.maxBackgroundWorkers,
        "timescaledb.telemetry_level": "off",
    };
    return [
        "postgres",
        ...Object.entries(parameters).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ];
}
