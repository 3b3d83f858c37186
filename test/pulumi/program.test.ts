import { createServer } from "node:net";

import * as pulumi from "@pulumi/pulumi";

import { probe, type ServerFacts } from "../../components/server/preflight";
import { TimescaleError } from "../../components/timescale/core/errors";
import program from "../../index";
import { record, type Registered, valueOf } from "./recording";

jest.mock("../../components/server/preflight");

const passwords = {
    ownerPassword: "owner-pw",
    writerPassword: "writer-pw",
    readerPassword: "reader-pw",
};

const docker = { target: "docker", adminPassword: "admin-pw", ...passwords };

const external = {
    target: "external",
    host: "db.example.com",
    adminUser: "deployer",
    adminPassword: "admin-pw",
    ...passwords,
};

const fit: ServerFacts = {
    postgresVersion: 150018,
    inRecovery: false,
    readOnly: false,
    offeredVersion: "2.14.2",
    trusted: true,
    preloaded: true,
    maxWorkerProcesses: 27,
    maxBackgroundWorkers: 16,
    otherSchedulers: 0,
    otherWorkers: 1,
    license: null,
    restoring: false,
    login: { user: "deployer", superuser: false, createRole: true, createDatabase: true },
    existingRoles: [],
    databaseExists: false,
    database: undefined,
};

const found = jest.mocked(probe);

beforeEach(() => {
    jest.spyOn(console, "log").mockImplementation();
    found.mockReset();
    found.mockResolvedValue(fit);
});

interface Run {
    readonly registered: Registered[];
    readonly outputs: Awaited<ReturnType<typeof program>>;
}

async function run(config: Record<string, string>): Promise<Run> {
    const registered = await record("test", config);
    const outputs = await program();
    // Outputs of components are registered last, and belong to this run's mocks.
    await pulumi.runtime.disconnect();
    return { registered, outputs };
}

/** What the program says when it stops, with what it had registered by then. */
async function refusal(config: Record<string, string>): Promise<string> {
    const registered = await record("test", config);
    const error: unknown = await program().then(
        () => undefined,
        (reason: unknown) => reason,
    );
    expect(pulumi.RunError.isInstance(error)).toBe(true);
    expect(registered).toEqual([]);
    return (error as Error).message;
}

const typesOf = (registered: readonly Registered[]): ReadonlySet<string> =>
    new Set(registered.map(({ type }) => type.replace(/^.*[:/]/, "")));

describe("the program", () => {
    it("composes server, access and Observatory on docker", async () => {
        const { registered } = await run(docker);

        expect([...typesOf(registered)]).toEqual(
            expect.arrayContaining(["DockerServer", "Access", "Observatory", "Hypertable"]),
        );
        expect(found).not.toHaveBeenCalled();
    });

    it("makes no container for a server that runs already", async () => {
        const { registered } = await run(external);

        expect(typesOf(registered)).not.toContain("Container");
        expect(typesOf(registered)).toContain("Access");
        expect(found).toHaveBeenCalledWith(
            expect.objectContaining({ user: "deployer", database: "postgres" }),
            expect.objectContaining({ database: "llm_observatory", schema: "public" }),
        );
    });

    it("tells what it declares in a database whether that was there before", async () => {
        const told = async (facts: Partial<ServerFacts>): Promise<unknown[]> => {
            found.mockResolvedValue({ ...fit, ...facts });
            const { registered } = await run(external);
            const inside = registered.filter(({ type }) => type.endsWith(":Hypertable"));
            return inside.map(({ inputs }) => inputs["__newDatabase"]);
        };

        expect(await told({})).toEqual([true, true, true]);
        const nothing = [undefined, undefined, undefined];
        expect(await told({ databaseExists: true })).toEqual(nothing);
        // A database that stands may be about to be renamed.
        expect(await told({ existingRoles: ["observatory_owner"] })).toEqual(nothing);
    });

    it("makes no access where it stands already, and checks it as the owner", async () => {
        found.mockResolvedValue({
            ...fit,
            existingRoles: ["observatory_owner", "observatory_reader", "observatory_writer"],
        });
        const { registered } = await run({ ...external, manageAccess: "false" });

        expect(typesOf(registered)).not.toContain("Access");
        expect(typesOf(registered)).toContain("Observatory");
        expect(found).toHaveBeenCalledWith(
            expect.objectContaining({ user: "observatory_owner", database: "llm_observatory" }),
            expect.anything(),
        );
    });

    it("hands the owner's login to every resource, as a secret", async () => {
        const { registered } = await run(docker);
        const dynamic = registered.filter(({ type }) => type.startsWith("pulumi-nodejs:dynamic/"));
        const inside = dynamic.filter(
            ({ type }) => !/:(?:ExtensionVersion|LoginPassword)$/.test(type),
        );

        expect(inside.length).toBeGreaterThan(0);
        // TimescaleDB's version, of every database of the container, and its password are the admin's.
        expect(dynamic.length - inside.length).toBe(2);
        for (const { inputs } of inside) {
            expect(inputs["connection"]).toMatchObject({
                secret: { user: "observatory_owner", password: "owner-pw", port: 54320 },
            });
        }
    });

    it("has everything that holds rows write backups where a folder is set, also on destroy", async () => {
        const kept = (registered: readonly Registered[]): readonly Registered[] =>
            registered.filter(({ type }) => /:(Hypertable|ContinuousAggregate)$/.test(type));
        const without = kept((await run(docker)).registered);
        const with_ = kept((await run({ ...docker, backup: "backups" })).registered);

        expect(without.map(({ inputs }) => inputs["backup"])).toEqual(without.map(() => undefined));
        expect(without.map(({ deletedWith }) => deletedWith)).toContain("access-database");
        expect(without.length).toBeGreaterThan(6);
        expect(with_).toHaveLength(without.length);
        expect(with_.map(({ inputs }) => inputs["backup"])).toEqual(with_.map(() => "backups"));
        // Pulumi asks nothing of what is deleted with something else.
        expect(with_.map(({ deletedWith }) => deletedWith)).toEqual(with_.map(() => ""));
    });

    it("has the policies of its environment, and what tells of them follows", async () => {
        const policies = JSON.stringify({
            llm_traces: { retentionPolicy: { dropAfter: "30 days" } },
            llm_metrics_1min: {
                refreshPolicy: { scheduleInterval: "5 minutes" },
                retentionPolicy: null,
            },
        });
        const inputs = async (config: Record<string, string>) => {
            const { registered } = await run(config);
            return new Map(registered.map((one) => [one.name, one.inputs]));
        };

        const [declared, changed] = [await inputs(docker), await inputs({ ...docker, policies })];

        expect(changed.get("llm-traces")).toMatchObject({
            retentionPolicy: { dropAfter: "30 days" },
            compressionPolicy: declared.get("llm-traces")?.["compressionPolicy"],
            comment: "LLM request spans; raw rows are kept 30 days",
        });
        expect(changed.get("llm-metrics-1min")).toMatchObject({
            refreshPolicy: {
                startOffset: "1 hour",
                endOffset: "1 minute",
                scheduleInterval: "5 minutes",
            },
            comment: expect.stringContaining("at most 7 minutes ago") as string,
        });
        expect(changed.get("llm-metrics-1min")?.["retentionPolicy"]).toBeUndefined();
        expect(changed.get("llm-percentiles-approximate")?.["comment"]).toContain(
            "at most 7 minutes ago",
        );
        expect(changed.get("llm-bins-of")?.["definition"]).toContain("now() - interval '30 days'");
        const others = (of: typeof changed) =>
            [...of].filter(([name]) => /^llm-(?:metrics|logs|error)/.test(name) && name !== "llm-metrics-1min"); // prettier-ignore
        expect(others(changed)).toEqual(others(declared));
    });

    it("has three secret logins and the aggregates' names as outputs", async () => {
        const { outputs } = await run(docker);
        const { connection, writer, reader } = outputs;

        for (const [login, user] of [
            [connection, "observatory_owner"],
            [writer, "observatory_writer"],
            [reader, "observatory_reader"],
        ] as const) {
            expect(await valueOf(login)).toMatchObject({ value: { user }, secret: true });
        }
        expect(await valueOf(outputs.aggregates)).toMatchObject({
            value: expect.arrayContaining(["public.llm_metrics_1min"]) as string[],
            secret: false,
        });
    });

    it("declares everything again when it is called again", async () => {
        const first = await run(docker);
        const second = await run(docker);

        expect(second.registered.length).toBe(first.registered.length);
    });
});

describe("before anything is registered", () => {
    it("all problems of the config stop it", async () => {
        const message = await refusal({ target: "external", prot: "1", ...passwords });

        expect(message).toContain('config key "prot" is unknown');
        expect(message).toContain('config key "host" is not set');
        expect(message).toContain('config key "adminPassword" is not set');
        expect(message).not.toContain("-pw");
    });

    it("every reason against the server stops it", async () => {
        found.mockResolvedValue({ ...fit, inRecovery: true, license: "apache" });
        const message = await refusal(external);

        expect(message).toContain("the server is a read-only replica");
        expect(message).toContain("under the Apache licence");
    });

    it("a server that cannot be reached stops it", async () => {
        found.mockRejectedValue(new TimescaleError("no server listens at db.example.com:5432"));

        expect(await refusal(external)).toContain("no server listens at db.example.com:5432");
    });

    it("a missing maintenance database does not, where template1 can be entered", async () => {
        found.mockRejectedValueOnce(new TimescaleError("no postgres", { code: "3D000" }));
        const { registered } = await run(external);

        expect(registered.find(({ name }) => name === "access-admin")?.inputs["database"]).toBe(
            "template1",
        );
    });

    it("an embedded server that does not run stops it, and the remedy is named", async () => {
        expect(await refusal({ target: "embedded", port: String(await freePort()) })).toContain(
            "npm run serve",
        );
    });
});

async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    return typeof address === "object" && address !== null ? address.port : 0;
}
