/**
 * What a Docker daemon knows of containers, volumes and images on it, by its own command line, with the
 * context and DOCKER_HOST of the user. Pulls nothing and starts no server; what it makes to look, it removes.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Milliseconds that one answer may take. */
const patience = 20_000;

/** Undefined where the command fails. @throws NoDockerCommand */
async function docker(...args: readonly string[]): Promise<Buffer | undefined> {
    try {
        const options = { encoding: "buffer", timeout: patience } as const;
        const { stdout } = await promisify(execFile)("docker", args, options);
        return stdout;
    } catch (error) {
        if (isMissing(error)) throw new NoDockerCommand();
        return undefined;
    }
}

/** Nothing can be asked. */
export class NoDockerCommand extends Error {}

function isMissing(error: unknown): boolean {
    return (error as NodeJS.ErrnoException | undefined)?.code === "ENOENT";
}

async function line(...args: readonly string[]): Promise<string | undefined> {
    const text = (await docker(...args))?.toString("utf8").trim();
    return text === "" ? undefined : text;
}

/** Id of the image that a container was made from; undefined: there is no such container. */
export function imageOfContainer(name: string): Promise<string | undefined> {
    return line("container", "inspect", "--format", "{{.Image}}", name);
}

export type Found =
    | { readonly kind: "data"; readonly postgres: number }
    /** There is no such container or volume, or it holds no data folder yet. */
    | { readonly kind: "nothing" }
    /** A volume is there, and nobody could look into it. */
    | { readonly kind: "unknown" };

/**
 * PostgreSQL's major version of a data folder, from a container that need not run, or from the volume
 * alone where the container is gone.
 *
 * @throws NoDockerCommand
 */
export async function dataOf(
    container: string,
    volume: string,
    dataFolder: string,
): Promise<Found> {
    const name = await line("container", "inspect", "--format", "{{.Id}}", container);
    if (name !== undefined) return majorIn(name, dataFolder);
    // Mounting one that is not there would make it.
    const found = await line("volume", "inspect", "--format", "{{.Name}}", volume);
    if (found === undefined) return { kind: "nothing" };
    return (await throughContainer(found, dataFolder)) ?? { kind: "unknown" };
}

/** `docker cp` gives a tar archive: the file's text follows a head of 512 bytes. */
async function majorIn(container: string, folder: string): Promise<Found> {
    const archive = await docker("cp", `${container}:${folder}/PG_VERSION`, "-");
    const postgres = Number.parseInt(archive?.subarray(512, 520).toString("utf8") ?? "", 10);
    return Number.isInteger(postgres) ? { kind: "data", postgres } : { kind: "nothing" };
}

/**
 * Through a container that is never started, from an image with nothing in it: a volume is read so
 * without any image having been pulled, and without anything being run.
 */
async function throughContainer(volume: string, folder: string): Promise<Found | undefined> {
    const image = await emptyImage();
    if (image === undefined) return undefined;
    try {
        const mount = `type=volume,source=${volume},target=${folder},readonly,volume-nocopy`;
        const container = await line("container", "create", "--network", "none", "--mount", mount, image, "none"); // prettier-ignore
        if (container === undefined) return undefined;
        try {
            return await majorIn(container, folder);
        } finally {
            await docker("container", "rm", container);
        }
    } finally {
        await docker("image", "rm", image);
    }
}

/** An archive of no files ends with two empty blocks. */
function emptyImage(): Promise<string | undefined> {
    return new Promise((resolve) => {
        const child = execFile("docker", ["image", "import", "-"], { timeout: patience }, (error, stdout) =>
            resolve(error === null ? stdout.trim() : undefined),
        ); // prettier-ignore
        child.stdin?.on("error", () => undefined);
        child.stdin?.end(Buffer.alloc(1024));
    });
}

/**
 * PostgreSQL's major version in an image that is on this machine; undefined: it is not, or it does not
 * tell.
 *
 * @param image name or id
 * @throws NoDockerCommand
 */
export async function postgresOfImage(image: string): Promise<number | undefined> {
    const environment = await line("image", "inspect", "--format", "{{json .Config.Env}}", image);
    if (environment === undefined) return undefined;
    const told = /"PG_MAJOR=(\d+)"/.exec(environment)?.[1];
    if (told !== undefined) return Number(told);
    const version = await line("run", "--rm", "--pull", "never", "--network", "none", "--entrypoint", "postgres", image, "--version"); // prettier-ignore
    const major = /\(PostgreSQL\) (\d+)/.exec(version ?? "")?.[1];
    return major === undefined ? undefined : Number(major);
}
