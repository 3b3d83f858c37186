import { probe, type ServerFacts } from "../../components/server/preflight";
import { type Declared, refusals } from "../../components/server/refusals";
import type { Connection } from "../../components/timescale/core/connection/connection";
import { withClient } from "../helpers/clients";
import { type ReplicaServer, startReplica, whyNoReplica } from "../helpers/replicaServer";
import { startTlsServer, type TlsServer, whyNoTlsServer } from "../helpers/tlsServer";
import { onEveryServer, onServersWithSessions } from "./onEveryServer";

const roles = ["observatory_owner", "observatory_reader", "observatory_writer"];

const look = (connection: Connection, database: string): Promise<ServerFacts> =>
    probe(connection, { database, schema: "public", roles });

function refusalCodes(facts: ServerFacts, change: Partial<Declared> = {}): unknown[] {
    return refusals(facts, {
        database: "llm_observatory",
        schema: "public",
        roles,
        manageAccess: true,
        backgroundWorkers: true,
        jobs: [],
        ...change,
    }).errors.map(({ code }) => code);
}

describe("the preflight of a database that stands", () => {
    onEveryServer((target) => {
        it("finds what the server has, and nothing against it", async () => {
            const { owner } = target.database;
            const facts = await look(owner, owner.database);

            expect(facts).toMatchObject({
                inRecovery: false,
                readOnly: false,
                license: "timescale",
                restoring: false,
                existingRoles: roles,
                databaseExists: true,
                database: { schemaExists: true, mayCreateInSchema: true },
            });
            expect(facts.database?.installedVersion).toBe(target.server.version);
            expect(
                refusalCodes(facts, {
                    manageAccess: false,
                    backgroundWorkers: target.server.backgroundWorkers,
                }),
            ).toEqual([]);
        });
    });
});

describe("the preflight of a server", () => {
    onServersWithSessions("logins that differ in privileges", (target) => {
        it("reads the same through a superuser and the owner, but for the login itself", async () => {
            const { admin, owner } = target.database;
            const [one, other] = await Promise.all([
                look({ ...admin, database: "postgres" }, owner.database),
                look(owner, owner.database),
            ]);

            expect(one.login.superuser).toBe(true);
            expect(other.login).toEqual({
                user: "observatory_owner",
                superuser: false,
                createRole: false,
                createDatabase: false,
            });
            expect(one.database).toEqual(other.database);
            expect({ ...one, login: 0, otherWorkers: 0 }).toEqual({
                ...other,
                login: 0,
                otherWorkers: 0,
            });
        });

        it("finds a restore under way without entering the database", async () => {
            const { admin, owner } = target.database;
            const set = (value: string) =>
                target.asAdmin(`ALTER DATABASE ${owner.database} ${value}`);
            await set("SET timescaledb.restoring = 'on'");
            try {
                expect(
                    refusalCodes(await look({ ...admin, database: "postgres" }, owner.database)),
                ).toEqual(["restoring"]);
            } finally {
                await set("RESET timescaledb.restoring");
            }
        });

        it("finds a login that only reads", async () => {
            const { owner } = target.database;
            const facts = await withClient(target.database.admin, async (client) => {
                await client.query(
                    `ALTER ROLE observatory_owner IN DATABASE ${owner.database} SET default_transaction_read_only = on`,
                );
                return look(owner, owner.database);
            });

            expect(refusalCodes(facts, { manageAccess: false })).toEqual(["read_only"]);
        });
    });
});

/** Runs a suite, or shows why it cannot run here. */
function describeUnless(obstacle: string | undefined, name: string, suite: () => void): void {
    if (obstacle === undefined) describe(name, suite);
    else describe.skip(`${name} (${obstacle})`, suite);
}

describeUnless(whyNoReplica(), "the preflight of a replica", () => {
    let server: ReplicaServer;

    beforeAll(async () => {
        server = await startReplica();
    }, 60_000);

    afterAll(() => server.stop(), 60_000);

    it("refuses it, and not its primary", async () => {
        const code = "read_only_replica";

        expect(refusalCodes(await look(server.standby, "llm_observatory"))).toContain(code);
        expect(refusalCodes(await look(server.primary, "llm_observatory"))).not.toContain(code);
    });
});

describeUnless(whyNoTlsServer(), "the preflight over TLS", () => {
    let server: TlsServer;

    beforeAll(async () => {
        server = await startTlsServer();
    }, 60_000);

    afterAll(() => server.stop(), 60_000);

    const lookWith = (change: Partial<Connection>) =>
        look({ ...server.connection, ...change }, "llm_observatory");

    it("reads through a connection that is checked in full", async () => {
        expect((await lookWith({})).login.superuser).toBe(true);
    });

    it.each<[string, (here: TlsServer) => Partial<Connection>, string]>([
        [
            "another authority",
            ({ wrongCaPem }) => ({ sslRootCert: wrongCaPem }),
            "tls_unknown_issuer",
        ],
        [
            "another authority with require, as libpq does",
            ({ wrongCaPem }) => ({ sslMode: "require", sslRootCert: wrongCaPem }),
            "tls_unknown_issuer",
        ],
        ["a malformed authority", () => ({ sslRootCert: "not PEM" }), "tls_bad_root_cert"],
        ["clear text", () => ({ sslMode: "disable" }), "28000"],
        ["a wrong password", () => ({ password: "wrong" }), "28P01"],
        ["a missing database", () => ({ database: "missing" }), "3D000"],
    ])("tells %s", async (_case, change, code) => {
        await expect(lookWith(change(server))).rejects.toMatchObject({
            code,
            hint: expect.stringMatching(/\S/) as string,
        });
    });

    it("tells a host that the certificate does not name, and verify-ca does not mind", async () => {
        if (server.unnamedHost === undefined) return;
        const host = server.unnamedHost;

        await expect(lookWith({ host })).rejects.toMatchObject({ code: "tls_host_mismatch" });
        expect((await lookWith({ host, sslMode: "verify-ca" })).login.superuser).toBe(true);
    });
});
