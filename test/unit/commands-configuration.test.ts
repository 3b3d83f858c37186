/** The config of a stack made by `npm start`. */
import { type Generators, newSettings, parseAssignments } from "../../commands/start/configuration";
import type { Target } from "../../components/config/keys";

let counter = 0;
const generators: Generators = {
    password: () => `generated${++counter}`,
    port: async (preferred) => preferred + 1,
    suffix: () => "3fa9c1",
};

async function settings(
    target: Target,
    { present = [] as readonly string[], asked = {}, environment = {} } = {},
): Promise<Readonly<Record<string, string>>> {
    const made = await newSettings(target, new Set(present), asked, environment, generators);
    return Object.fromEntries(made.map(({ key, value }) => [key, value]));
}

describe("a new stack", () => {
    it("gets four different passwords, all secret, with docker", async () => {
        const made = await newSettings("docker", new Set(), {}, {}, generators);
        const passwords = made.filter(({ key }) => key.endsWith("Password"));

        expect(passwords).toHaveLength(4);
        expect(new Set(passwords.map(({ value }) => value)).size).toBe(4);
        expect(passwords.every(({ secret }) => secret)).toBe(true);
        expect(made.filter(({ secret }) => secret)).toHaveLength(4);
    });

    it("has a free port, its image and a container name of this clone's own with docker", async () => {
        expect(await settings("docker")).toMatchObject({
            target: "docker",
            port: "54321",
            image: "timescale/timescaledb:2.14.2-pg15",
            containerName: "llm-observatory-3fa9c1",
            protectData: "true",
        });
    });

    it("takes an external server from the environment, where nothing else is said", async () => {
        const made = await settings("external", {
            asked: { host: "asked.example.com" },
            environment: {
                PGHOST: "env.example.com",
                PGPORT: "6432",
                PGUSER: "admin",
                PGPASSWORD: "",
            },
        });

        expect(made).toMatchObject({ host: "asked.example.com", port: "6432", adminUser: "admin" });
        expect(made).not.toHaveProperty("adminPassword");
    });

    it("makes up no passwords for roles that stand already", async () => {
        const made = await settings("external", { asked: { manageAccess: "false" } });

        expect(Object.keys(made).filter((key) => key.endsWith("Password"))).toEqual([]);
    });

    it("keeps a certificate's text, and makes its path independent of the folder", async () => {
        const pem = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----";

        expect(await settings("external", { asked: { sslRootCert: pem } })).toMatchObject({
            sslRootCert: pem,
        });
        const { sslRootCert } = await settings("external", { asked: { sslRootCert: "ca.pem" } });
        expect(sslRootCert).toMatch(/^\/.*\/ca\.pem$/);
    });
});

describe("a stack that is there", () => {
    it("keeps what was generated", async () => {
        const present = Object.keys(await settings("docker"));

        expect(await settings("docker", { present })).toEqual({ target: "docker" });
    });

    it("is not changed by the environment", async () => {
        const made = await settings("external", {
            present: ["host", "protectData", "ownerPassword", "writerPassword", "readerPassword"],
            environment: { PGHOST: "another.example.com" },
        });

        expect(made).toEqual({ target: "external" });
    });

    it("takes what is asked for", async () => {
        const present = Object.keys(await settings("docker"));

        expect(await settings("docker", { present, asked: { memory: "4096" } })).toEqual({
            target: "docker",
            memory: "4096",
        });
    });
});

describe("--config", () => {
    it("keeps equals signs in values, and the last of a key", () => {
        expect(parseAssignments(["adminPassword=a=b", "host=x", "host=y"])).toEqual({
            adminPassword: "a=b",
            host: "y",
        });
    });

    it.each([
        ["host", '--config "host" is not key=value'],
        ["=x", '--config "=x" is not key=value'],
        ["hots=x", 'config key "hots" is unknown'],
        ["target=docker", "the target is not set by --config"],
    ])("refuses %s", (text, message) => {
        expect(() => parseAssignments([text])).toThrow(message);
    });
});
