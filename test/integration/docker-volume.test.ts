/** What a Docker daemon is asked about a volume and an image, where nothing of the stack runs. Pulls nothing. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { dataOf, imageOfContainer, postgresOfImage } from "../../components/server/dockerDaemon";
import { fitting } from "../../components/server/standingData";
import { whyNoDaemon } from "../helpers/dockerServer";

const obstacle = whyNoDaemon();
const title = "a volume without a server";
const folder = "/var/lib/postgresql/data";

function docker(...args: readonly string[]): string {
    return execFileSync("docker", args, { encoding: "utf8", stdio: "pipe" }).trim();
}

const suite = (): void => {
    const name = `observatory-test-${randomBytes(4).toString("hex")}`;
    const volume = `${name}-data`;
    const image = `${name}:latest`;
    let files: string;

    beforeAll(() => {
        files = mkdtempSync(join(tmpdir(), "observatory-docker-"));
        mkdirSync(join(files, "pg"));
        writeFileSync(join(files, "pg", "PG_VERSION"), "15\n");
        const nothing = join(files, "nothing.tar");
        writeFileSync(nothing, Buffer.alloc(1024));
        docker("image", "import", "--change", "ENV PG_MAJOR=16", nothing, image);
        docker("volume", "create", volume);
        docker("container", "create", "--name", name, "--volume", `${volume}:${folder}`, image, "none"); // prettier-ignore
        docker("cp", join(files, "pg", "PG_VERSION"), `${name}:${folder}/PG_VERSION`);
    }, 60_000);

    afterAll(() => {
        docker("container", "ls", "--all", "--quiet", "--filter", `name=${name}`)
            .split("\n")
            .filter((id) => id !== "")
            .forEach((id) => docker("container", "rm", id));
        docker("volume", "rm", volume);
        docker("image", "rm", image);
        rmSync(files, { recursive: true });
    }, 60_000);

    const images = (): string => docker("image", "ls", "--all", "--quiet", "--no-trunc");

    it("is read through a container that does not run", async () => {
        expect(await dataOf(name, volume, folder)).toEqual({ kind: "data", postgres: 15 });
    });

    it("refuses an image that has another major version, whatever its tag says", async () => {
        const id = docker("image", "inspect", "--format", "{{.Id}}", image);
        const settings = { image: "observatory:1.0-pg15", containerName: "observatory-test-none" };
        expect(await postgresOfImage(image)).toBe(16);
        expect(await imageOfContainer(name)).toBe(id);

        await expect(fitting(id, settings, { postgres: 15, timescale: undefined })).rejects.toThrow(
            'image "observatory:1.0-pg15" has PostgreSQL 16, and the volume holds data of PostgreSQL 15',
        );
        expect(await fitting(id, settings, { postgres: 16, timescale: undefined })).toBe(id);
        // The container that stands has it already.
        const standing = { ...settings, containerName: name };
        expect(await fitting(id, standing, { postgres: 15, timescale: undefined })).toBe(id);
    });

    it("is read when no container is left, and nothing is left behind", async () => {
        docker("container", "rm", name);
        const before = images();

        expect(await dataOf(name, volume, folder)).toEqual({ kind: "data", postgres: 15 });

        expect(images()).toBe(before);
        expect(docker("container", "ls", "--all", "--quiet", "--filter", `volume=${volume}`)).toBe(
            "",
        );
    });

    it("that is not there is not made", async () => {
        const none = `${volume}-none`;

        expect(await dataOf(`${name}-none`, none, folder)).toEqual({ kind: "nothing" });

        expect(docker("volume", "ls", "--quiet", "--filter", `name=${none}`)).toBe("");
    });

    it("of an image that is not here nothing is known", async () => {
        expect(await postgresOfImage("observatory/none:1")).toBeUndefined();
    });
};

if (obstacle === undefined) describe(title, suite);
else describe.skip(`${title} (${obstacle})`, suite);
