import type { DockerConfig } from "../../components/config/stackConfig";
import { DockerServer } from "../../components/server/dockerServer";
import { one, record, type Registered, valueOf } from "./recording";

const config: DockerConfig = {
    target: "docker",
    host: "127.0.0.1",
    port: 54320,
    database: "llm_observatory",
    schema: "public",
    databaseUuid: "any",
    sslMode: "disable",
    sslRootCert: undefined,
    manageAccess: true,
    passwords: { owner: "owner-pw", writer: "writer-pw", reader: "reader-pw" },
    protectData: true,
    adopt: false,
    backup: undefined,
    helpers: true,
    policies: {},
    slaTargets: [],
    admin: { user: "postgres", password: "admin-pw" },
    docker: {
        image: "timescale/timescaledb:2.14.2-pg15",
        containerName: "llm-observatory-test",
        memory: 2048,
        sharedBuffers: "512MB",
        maxWorkerProcesses: 27,
        maxBackgroundWorkers: 16,
        waitTimeout: 300,
    },
};

async function register(change: Partial<DockerConfig> = {}): Promise<Registered[]> {
    const registered = await record("test");
    const server = new DockerServer("timescaledb", { ...config, ...change });
    await valueOf(server.ready);
    return registered;
}

describe("DockerServer", () => {
    it("is an image, a volume and a container on it", async () => {
        const registered = await register();

        expect(registered.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
            "docker:index/container:Container timescaledb",
            "docker:index/remoteImage:RemoteImage timescaledb-image",
            "docker:index/volume:Volume timescaledb-data",
            "timescale:server:DockerServer timescaledb",
        ]);
    });

    it("keeps the image when it is deleted, because a registry may be out of reach", async () => {
        expect(one(await register(), "timescaledb-image").inputs).toEqual({
            name: "timescale/timescaledb:2.14.2-pg15",
            keepLocally: true,
        });
    });

    it("can be reached from this machine only", async () => {
        expect(containerOf(await register()).inputs["ports"]).toEqual([
            { internal: 5432, external: 54320, ip: "127.0.0.1" },
        ]);
    });

    it("is healthy when it answers over TCP, and is waited for that long", async () => {
        expect(containerOf(await register()).inputs).toMatchObject({
            healthcheck: {
                tests: ["CMD-SHELL", expect.stringContaining("pg_isready -h 127.0.0.1")],
                interval: expect.stringMatching(/^\d+s$/) as string,
                timeout: expect.stringMatching(/^\d+s$/) as string,
            },
            wait: true,
            waitTimeout: 300,
            mustRun: true,
            restart: "unless-stopped",
        });
    });

    it("has its settings from the config, on its command line", async () => {
        const { inputs } = containerOf(await register());

        expect(inputs["memory"]).toBe(2048);
        expect(inputs["command"]).toEqual([
            "postgres",
            "-c",
            "shared_buffers=512MB",
            "-c",
            "max_worker_processes=27",
            "-c",
            "timescaledb.max_background_workers=16",
            "-c",
            "timescaledb.telemetry_level=off",
        ]);
    });

    it("keeps the admin's password secret, and is not replaced when it changes", async () => {
        const container = containerOf(await register());

        expect(container.ignoreChanges).toEqual(["envs"]);
        expect(JSON.stringify(container.inputs["envs"])).toMatch(/"secret":.*admin-pw/);
        expect(JSON.stringify({ ...container.inputs, envs: [] })).not.toContain("admin-pw");
    });

    it.each([true, false])("protects the volume when protectData is %s", async (protectData) => {
        const registered = await register({ protectData });
        const volume = one(registered, "timescaledb-data");

        expect(volume.inputs).toEqual({ name: "llm-observatory-test-data" });
        expect(volume.protect).toBe(protectData);
        expect(volume.retainOnDelete).toBe(protectData);
        // Another containerName must not lead to another, empty volume.
        expect(volume.ignoreChanges).toEqual(["name"]);
        expect(containerOf(registered).protect).toBe(false);
    });
});

function containerOf(registered: readonly Registered[]): Registered {
    // The component has the same name.
    return one(
        registered.filter(({ type }) => type.startsWith("docker:")),
        "timescaledb",
    );
}
