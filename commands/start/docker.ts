/**
 * Asks the Docker daemon by its own command line, with the context and DOCKER_HOST of the user.
 */
import type { Report } from "../engine/engine";
import { folderOnPath } from "../engine/executables";
import { type Ended, runBounded } from "../engine/runBounded";

const docker = process.platform === "win32" ? "docker.exe" : "docker";

/** Seconds. */
const askBounds = { silence: 10, limit: 20 };
const pullBounds = { silence: 30, limit: 1800 };

/** Why no daemon can be used, in a few words, or undefined if one answers. */
export async function whyNoDaemon(): Promise<string | undefined> {
    if (folderOnPath(docker) === undefined) {
        return "the docker command is not on PATH";
    }
    const asked = await ask("version", "--format", "{{.Server.Version}}");
    return asked.ok ? undefined : `no Docker daemon answers (${firstLine(asked.reason)})`;
}

/** Pulls an image that is not there. Says why it cannot be had, in a few words, or undefined. */
export async function whyNoImage(image: string, report: Report): Promise<string | undefined> {
    if ((await ask("image", "inspect", "--format", "{{.Id}}", image)).ok) {
        return undefined;
    }
    const pulled = await run(["pull", image], pullBounds, (line) =>
        report(`pulling image ${image}: ${line ?? "waiting for the image registry"}`),
    );
    return pulled.ok
        ? undefined
        : `image ${image} is not here and cannot be pulled (${firstLine(pulled.reason)})`;
}

export type ContainerState = "running" | "stopped" | "absent";

export async function containerState(name: string): Promise<ContainerState> {
    const inspected = await ask("container", "inspect", "--format", "{{.State.Running}}", name);
    if (!inspected.ok) {
        return "absent";
    }
    return inspected.stdout.trim() === "true" ? "running" : "stopped";
}

/** Starts a stopped container. Says why it does not, or undefined. */
export async function startContainer(name: string): Promise<string | undefined> {
    const started = await run(["start", name], { silence: 60, limit: 60 });
    return started.ok ? undefined : started.reason;
}

/** The container's own health check, or `running` if it has none. */
export async function containerHealth(name: string): Promise<string> {
    const format = "{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}";
    const inspected = await ask("container", "inspect", "--format", format, name);
    return inspected.ok ? inspected.stdout.trim() : inspected.reason;
}

/** Removes a container, running or not; its named volume stays. Says why it cannot, or undefined. */
export async function removeContainer(name: string): Promise<string | undefined> {
    const removed = await run(["rm", "--force", name], { silence: 60, limit: 60 });
    return removed.ok ? undefined : removed.reason;
}

/** Removes a volume with its data, if it is there. Says why it cannot, or undefined. */
export async function removeVolume(name: string): Promise<string | undefined> {
    const removed = await run(["volume", "rm", "--force", name], { silence: 60, limit: 60 });
    return removed.ok ? undefined : removed.reason;
}

async function ask(...args: readonly string[]): Promise<Ended> {
    return run(args, askBounds);
}

async function run(
    args: readonly string[],
    bounds: { readonly silence: number; readonly limit: number },
    onLine: (line: string | undefined) => void = () => undefined,
): Promise<Ended> {
    return runBounded(docker, args, { env: process.env, ...bounds }, onLine);
}

function firstLine(text: string): string {
    return text.split("\n")[0] ?? text;
}

/** What is free where the container that publishes this port keeps PostgreSQL's data; undefined: there is none. */
export async function freeInContainer(
    port: number,
): Promise<{ readonly free: number; readonly where: string } | undefined> {
    if (folderOnPath(docker) === undefined) return undefined;
    const found = await ask("ps", "--filter", `publish=${port}`, "--format", "{{.Names}}");
    const name = found.ok ? firstLine(found.stdout).trim() : "";
    if (name === "") return undefined;
    const told = await ask("exec", name, "sh", "-c", 'df -Pk "$PGDATA"');
    const free = told.ok ? freeOf(told.stdout) : undefined;
    return free === undefined ? undefined : { free, where: `the volume of container ${name}` };
}

/** In bytes, from the output of `df -Pk` for one folder. */
export function freeOf(output: string): number | undefined {
    const kilobytes = /^\S+\s+\d+\s+\d+\s+(\d+)\s+\d+%/m.exec(output)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}
