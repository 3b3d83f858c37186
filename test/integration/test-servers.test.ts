import os from "node:os";

import { clientConfig, withClient } from "../helpers/clients";
import { startDockerServer, whyNoDocker } from "../helpers/dockerServer";
import { type ReplicaServer, startReplica, whyNoReplica } from "../helpers/replicaServer";
import { startTlsServer, type TlsServer, whyNoTlsServer } from "../helpers/tlsServer";

/** Runs a suite, or shows why it cannot run here. */
function describeUnless(obstacle: string | undefined, name: string, suite: () => void): void {
    if (obstacle === undefined) describe(name, suite);
    else describe.skip(`${name} (${obstacle})`, suite);
}

describeUnless(whyNoTlsServer(), "a TLS server", () => {
    let server: TlsServer;

    beforeAll(async () => {
        server = await startTlsServer();
    }, 60_000);

    afterAll(async () => {
        await server.stop();
    }, 60_000);

    const select = async (change: object) =>
        withClient({ ...server.connection, ...change }, async (client) => {
            const { rows } = await client.query<{ readonly ssl: boolean }>(
                "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
            );
            return rows[0]?.ssl;
        });

    it("lets in who trusts its authority and names it right", async () => {
        expect(await select({})).toBe(true);
        expect(await select({ host: "127.0.0.1" })).toBe(true);
        expect(await select({ sslMode: "require" })).toBe(true);
    });

    it("refuses clear text", async () => {
        await expect(select({ sslMode: "disable" })).rejects.toMatchObject({ code: "28000" });
    });

    it("is not trusted with another authority", async () => {
        await expect(select({ sslRootCert: server.wrongCaPem })).rejects.toThrow(/certificate/);
    });

    const onLinux = os.platform() === "linux" ? it : it.skip;

    onLinux("fails verify-full, and no less, by a name that its certificate lacks", async () => {
        const host = server.unnamedHost as string;

        await expect(select({ host })).rejects.toThrow(/127\.0\.0\.2/);
        expect(await select({ host, sslMode: "verify-ca" })).toBe(true);
    });
});

describeUnless(whyNoReplica(), "a replica", () => {
    let server: ReplicaServer;

    beforeAll(async () => {
        server = await startReplica();
    }, 60_000);

    afterAll(async () => {
        await server.stop();
    }, 60_000);

    it("has what the primary has and takes no writes", async () => {
        await withClient(server.primary, async (client) => {
            await client.query("CREATE TABLE t AS SELECT 1 AS a");
        });
        await server.catchUp();

        await withClient(server.standby, async (client) => {
            expect((await client.query("SELECT a FROM t")).rows).toEqual([{ a: 1 }]);
            await expect(client.query("INSERT INTO t VALUES (2)")).rejects.toMatchObject({
                code: "25006",
            });
        });
    });
});

describeUnless(whyNoDocker(), "a container", () => {
    it("serves TimescaleDB over TCP", async () => {
        const server = await startDockerServer();
        try {
            const rows = await withClient(server.admin, async (client) => {
                await client.query("CREATE EXTENSION IF NOT EXISTS timescaledb");
                const found = await client.query("SELECT count(*)::int AS n FROM pg_extension");
                return found.rows;
            });

            expect(rows).toEqual([{ n: 2 }]);
        } finally {
            await server.stop();
        }
        await expect(
            withClient(server.admin, async () => undefined, clientConfig(server.admin)),
        ).rejects.toMatchObject({ code: "ECONNREFUSED" });
    }, 120_000);
});
