/** The server of a stack, whichever its target. */
import type { DockerConfig, StackConfig } from "../config/stackConfig";
import { refuse, warn } from "../report";
import { lengthOf, parseInterval } from "../timescale/core/interval";
import { imageVerdict, imageVersions } from "./dockerImage";
import { dataFolder, DockerServer, type StandsThere } from "./dockerServer";
import { embeddedServer } from "./embeddedServer";
import { externalServer } from "./externalServer";
import type { DeclaredJob } from "./refusals";
import type { Server } from "./server";
import { postgresInImage, standingData } from "./standingData";

/** A policy that TimescaleDB will run, and how often, as a PostgreSQL interval. */
export interface ScheduledJob {
    readonly name: string;
    readonly scheduleInterval: string;
}

/**
 * The server to work on. Nothing is registered before a server that runs already has been found fit.
 *
 * @param jobs what the program will schedule on it
 */
export async function server(config: StackConfig, jobs: readonly ScheduledJob[]): Promise<Server> {
    switch (config.target) {
        case "docker":
            return new DockerServer("timescaledb", { ...config, ...(await checkImage(config)) });
        case "external":
            return externalServer(config, jobs.flatMap(inSeconds));
        case "embedded":
            return embeddedServer(config);
    }
}

/** Before anything is registered: a container that was replaced for an image that cannot start is gone. */
async function checkImage(config: DockerConfig): Promise<StandsThere> {
    const { image } = config.docker;
    const standing = await standingData(config, dataFolder);
    const told = imageVersions(image).postgres !== undefined || typeof standing !== "object";
    const within = told ? undefined : await postgresInImage(image);
    const { errors, warnings, notices } = imageVerdict(image, standing, within);
    await warn(warnings);
    if (errors.length > 0) refuse("the image cannot be used", errors);
    return { notices, standing: typeof standing === "object" ? standing : undefined };
}

/** A malformed interval is its policy's to report, and is not counted here. */
function inSeconds({ name, scheduleInterval }: ScheduledJob): DeclaredJob[] {
    const interval = parseInterval(scheduleInterval);
    const seconds = interval === undefined ? 0 : lengthOf(interval) / 1e6;
    return seconds > 0 ? [{ name, scheduleInterval: seconds }] : [];
}
