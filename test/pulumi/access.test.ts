import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";

import { Access, type AccessArgs } from "../../components/access";
import { scramVerifier } from "../../components/timescale/core/login/scram";
import { one, record, type Registered, valueOf } from "./recording";

const passwords = { owner: "owner-pw", writer: "writer-pw", reader: "reader-pw" };

interface Made {
    readonly registered: Registered[];
    readonly access: Access;
}

async function register(
    change: Partial<Omit<AccessArgs, "server" | "admin">> & {
        superuser?: boolean;
        server?: Partial<AccessArgs["server"]>;
    } = {},
): Promise<Made> {
    const registered = await record("test");
    const { superuser = true, server = {}, ...args } = change;
    const admin = {
        user: "deployer",
        password: pulumi.secret("admin-pw"),
        database: "postgres",
        superuser,
    };
    const access = new Access("access", {
        server: {
            host: "db.example.com",
            port: 5432,
            sslMode: "verify-full",
            sslRootCert: undefined,
            admin,
            ready: pulumi.output(true),
            dependsOn: [],
            data: undefined,
            ...server,
        },
        admin,
        database: "llm_observatory",
        schema: "public",
        passwords,
        protectData: true,
        ...args,
    });
    await valueOf(access.owner);
    return { registered, access };
}

const ofType = ({ registered }: Made, type: string): Registered[] =>
    registered.filter((resource) => resource.type.endsWith(`:${type}`));

describe("Access", () => {
    it("makes three roles that can log in, with verifiers of their passwords, which are secret", async () => {
        const verifiersOf = async (): Promise<string[]> =>
            ofType(await register(), "Role").map(({ inputs }) => {
                const { password, ...others } = inputs;
                expect(others).toEqual({
                    name: expect.stringMatching(/^observatory_(owner|writer|reader)$/),
                    login: true,
                });
                return (password as { secret: string }).secret;
            });
        const verifiers = await verifiersOf();

        expect(new Set(verifiers).size).toBe(3);
        for (const [index, password] of Object.values(passwords).entries()) {
            const verifier = verifiers[index] ?? "";
            const salt = Buffer.from(verifier.split(/[:$]/)[2] ?? "", "base64");
            expect(salt).toHaveLength(16);
            expect(verifier).toBe(scramVerifier(password, salt));
        }
        // Or each preview would show a change.
        expect(await verifiersOf()).toEqual(verifiers);
    });

    it("hands a password to nothing but as a secret", async () => {
        const made = await register({ superuser: false });
        const withoutSecrets = JSON.stringify(made.registered, (_key, value: unknown) =>
            typeof value === "object" && value !== null && "secret" in value ? "hidden" : value,
        );

        expect(withoutSecrets).not.toMatch(/-pw/);
    });

    it("gives the database to the owner, and lets it create the extension", async () => {
        const made = await register();

        expect(one(made.registered, "access-database").inputs).toEqual({
            name: "llm_observatory",
            owner: "observatory_owner",
        });
        expect(one(made.registered, "access-as-owner").inputs).toMatchObject({
            username: "observatory_owner",
            password: { secret: "owner-pw" },
            database: "llm_observatory",
        });
        expect(one(made.registered, "access-timescaledb")).toMatchObject({
            provider: "access-as-owner",
            inputs: { name: "timescaledb", schema: "public" },
        });
    });

    it("grants what is listed here and nothing by default", async () => {
        const made = await register();

        expect(ofType(made, "DefaultPrivileges")).toEqual([]);
        expect(
            ofType(made, "Grant").map(({ inputs }) => [
                inputs["role"],
                inputs["objectType"],
                inputs["schema"],
                inputs["privileges"],
            ]),
        ).toEqual([
            ["public", "database", undefined, []],
            ["observatory_writer", "database", undefined, ["CONNECT"]],
            ["observatory_reader", "database", undefined, ["CONNECT"]],
            ["public", "schema", "public", ["USAGE"]],
            ["observatory_writer", "schema", "public", ["USAGE"]],
            ["observatory_reader", "schema", "public", ["USAGE"]],
        ]);
    });

    it("grants one after the other", async () => {
        const grants = ofType(await register(), "Grant");

        grants.slice(1).forEach((grant, index) => {
            expect(grant.dependencies).toContain(grants[index]?.name);
        });
    });

    it("makes another schema, owned by the owner, and lets the roles use it", async () => {
        const made = await register({ schema: 'Odd "Schema"' });

        expect(one(made.registered, "access-schema").inputs).toEqual({
            name: 'Odd "Schema"',
            owner: "observatory_owner",
        });
        expect(one(made.registered, "access-reader-schema").inputs).toMatchObject({
            role: "observatory_reader",
            schema: 'Odd "Schema"',
            privileges: ["USAGE"],
        });
    });

    it("asks for the admin's rights only what it has", async () => {
        const superuser = await register();
        const plain = await register({ superuser: false });

        expect(one(superuser.registered, "access-admin").inputs["superuser"]).toBe("true");
        expect(one(plain.registered, "access-admin").inputs["superuser"]).toBe("false");
        expect(one(plain.registered, "access-public-schema").provider).toBe("access-as-owner");
    });

    it.each([true, false])("protects all of it when protectData is %s", async (protectData) => {
        const { registered } = await register({ protectData });

        expect(registered.map(({ protect }) => protect)).toEqual(registered.map(() => protectData));
    });
});

describe("deletion", () => {
    it("drops the database as a whole, and the roles after it", async () => {
        const made = await register();

        for (const resource of [...ofType(made, "Grant"), ...ofType(made, "Extension")]) {
            expect(resource.deletedWith).toBe("access-database");
        }
        expect(one(made.registered, "access-database").dependencies).toEqual(
            expect.arrayContaining(["access-owner", "access-writer", "access-reader"]),
        );
    });

    it("drops the extension first where the admin may not end TimescaleDB's scheduler", async () => {
        const made = await register({ superuser: false });
        const extension = one(made.registered, "access-timescaledb");

        expect(extension.deletedWith).toBe("");
        expect(extension.inputs["dropCascade"]).toBe(true);
        expect(ofType(made, "GrantRole").map(({ inputs }) => inputs)).toEqual([
            { role: "deployer", grantRole: "observatory_writer" },
            { role: "deployer", grantRole: "observatory_reader" },
        ]);
        expect(one(made.registered, "access-database").dependencies).toEqual(
            expect.arrayContaining(["access-admin-in-writer", "access-admin-in-reader"]),
        );
    });

    it("needs no server where the data goes with a volume", async () => {
        const registered = await record("test");
        const volume = new pulumi.ComponentResource("test:index:Volume", "volume");
        const admin = {
            user: "postgres",
            password: pulumi.secret("admin-pw"),
            database: "postgres",
            superuser: true,
        };
        const access = new Access("access", {
            server: {
                host: "127.0.0.1",
                port: 54320,
                sslMode: "disable",
                sslRootCert: undefined,
                admin,
                ready: pulumi.output(true),
                dependsOn: [],
                data: volume,
            },
            admin,
            database: "llm_observatory",
            schema: "public",
            passwords,
            protectData: false,
        });
        await valueOf(access.owner);

        for (const name of ["access-owner", "access-writer", "access-reader", "access-database"]) {
            expect(one(registered, name).deletedWith).toBe("volume");
        }
    });
});

describe("the logins", () => {
    it("are secret connections", async () => {
        const { access } = await register();

        expect(await valueOf(access.writer)).toEqual({
            value: {
                host: "db.example.com",
                port: 5432,
                database: "llm_observatory",
                user: "observatory_writer",
                password: "writer-pw",
                sslMode: "verify-full",
            },
            secret: true,
        });
        expect((await valueOf(access.reader)).secret).toBe(true);
        expect((await valueOf(access.owner)).secret).toBe(true);
    });
});

describe("the certificate authority", () => {
    const before = process.cwd();
    let folder = "";

    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "access-test-"));
        process.chdir(folder);
    });

    afterEach(() => {
        process.chdir(before);
        rmSync(folder, { recursive: true });
    });

    it("is the file of the config", async () => {
        const made = await register({
            server: { sslRootCert: { pem: "PEM", path: "tls/ca.pem" } },
        });

        expect(one(made.registered, "access-admin").inputs["sslrootcert"]).toBe("tls/ca.pem");
        expect((await valueOf(made.access.owner)).value.sslRootCert).toBe("PEM");
        expect(existsSync(".observatory")).toBe(false);
    });

    it("is written to a file with the same name on every machine where the config has its text", async () => {
        const made = await register({ server: { sslRootCert: { pem: "PEM", path: undefined } } });
        const { sslrootcert } = one(made.registered, "access-as-owner").inputs;

        expect(sslrootcert).toMatch(/^\.observatory\/tls\/[0-9a-f]{16}\.pem$/);
        expect(readFileSync(String(sslrootcert), "utf8")).toBe("PEM");
    });

    it("goes with brackets around an IPv6 address", async () => {
        const made = await register({ server: { host: "::1" } });

        expect(one(made.registered, "access-admin").inputs["host"]).toBe("[::1]");
        expect((await valueOf(made.access.owner)).value.host).toBe("::1");
    });
});
