/** TimescaleDB in a container, from an image that is already on this machine. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import type { Connection } from "../../components/timescale/core/connection/connection";
import { TimescaleError } from "../../components/timescale/core/errors";
import { withClient } from "./clients";
import { startGuarded } from "./guarded";
import { output } from "./serverBinaries";
import { freePort } from "./throwawayCluster";

export const dockerImage = "timescale/timescaledb:2.14.2-pg15";

const startMilliseconds = 120_000;

/** Why no Docker daemon can be asked here; `undefined` when one can. */
export function whyNoDaemon(): string | undefined {
    const version = output("docker", ["version", "--format", "{{.Server.Version}}"]);
    return version === undefined ? "no Docker daemon answers" : undefined;
}

/** Why no container can be started here; `undefined` when one can. Nothing is pulled. */
export function whyNoDocker(): string | undefined {
    const noDaemon = whyNoDaemon();
    if (noDaemon !== undefined) return noDaemon;
    if (output("docker", ["image", "inspect", "--format", "{{.Id}}", dockerImage]) === undefined) {
        return `the image ${dockerImage} is not on this machine`;
    }
    return undefined;
}

/** Starts a container; it is removed with its data when this process ends. */
export async function startDockerServer(): Promise<{
    readonly admin: Connection;
    stop(): Promise<void>;
    release(): void;
}> {
    const name = `observatory-test-${randomBytes(4).toString("hex")}`;
    const port = await freePort();
    const password = randomBytes(16).toString("hex");
    const start = `docker run --detach --rm --name "$1" --publish "127.0.0.1:$2:5432" \
        --env POSTGRES_PASSWORD="$3" --shm-size 256m "$4" postgres \
        -c shared_preload_libraries=timescaledb -c timescaledb.telemetry_level=off \
        -c timescaledb.max_background_workers=96 -c max_worker_processes=128 \
        -c max_locks_per_transaction=256 -c fsync=off -c timezone=UTC >/dev/null || exit 1`;
    const guarded = startGuarded(start, 'docker rm --force --volumes "$1" >/dev/null', {
        args: [name, String(port), password, dockerImage],
    });
    const admin: Connection = {
        host: "127.0.0.1",
        port,
        database: "postgres",
        user: "postgres",
        password,
        sslMode: "disable",
    };
    try {
        await waitForContainer(admin, name, guarded.ended);
    } catch (error) {
        await guarded.stop();
        throw error;
    }
    return { admin, stop: () => guarded.stop(), release: () => guarded.release() };
}

async function waitForContainer(
    admin: Connection,
    name: string,
    ended: Promise<string>,
): Promise<void> {
    const deadline = Date.now() + startMilliseconds;
    let failure: string | undefined;
    void ended.then((stderr) => (failure = stderr));
    for (;;) {
        try {
            // The server of a first initdb answers on its socket only, so TCP means the real one.
            await withClient(admin, (client) => client.query("SELECT 1"));
            return;
        } catch (error) {
            if (failure !== undefined || Date.now() > deadline) {
                throw new TimescaleError("a container with TimescaleDB did not start", {
                    code: "server_not_started",
                    detail: [
                        String(error),
                        failure,
                        output("docker", ["logs", "--tail", "20", name]),
                    ]
                        .filter(Boolean)
                        .join("\n"),
                    cause: error,
                });
            }
            await sleep(250);
        }
    }
}
