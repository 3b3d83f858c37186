/** The server of a stack, whichever its target. */
import type { StackConfig } from "../config/stackConfig";
import { lengthOf, parseInterval } from "../timescale/core/interval";
import { DockerServer } from "./dockerServer";
import { embeddedServer } from "./embeddedServer";
import { externalServer } from "./externalServer";
import type { DeclaredJob } from "./refusals";
import type { Server } from "./server";

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
            return new DockerServer("timescaledb", config);
        case "external":
            return externalServer(config, jobs.flatMap(inSeconds));
        case "embedded":
            return embeddedServer(config);
    }
}

/** A malformed interval is its policy's to report, and is not counted here. */
function inSeconds({ name, scheduleInterval }: ScheduledJob): DeclaredJob[] {
    const interval = parseInterval(scheduleInterval);
    const seconds = interval === undefined ? 0 : lengthOf(interval) / 1e6;
    return seconds > 0 ? [{ name, scheduleInterval: seconds }] : [];
}
