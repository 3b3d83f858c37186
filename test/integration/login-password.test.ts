/** A login's password changed by the login itself, without the server's log ever seeing it. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import type { Connection } from "../../components/timescale/core/connection/connection";
import { TimescaleError } from "../../components/timescale/core/errors";
import { admit } from "../../components/timescale/core/login/admit";
import { scramVerifier } from "../../components/timescale/core/login/scram";
import { withClient } from "../helpers/clients";
import { recordEnvironment } from "../helpers/environment";
import { findServerBinaries, whyNoServer } from "../helpers/serverBinaries";
import { type Cluster, startCluster } from "../helpers/throwawayCluster";

const why = whyNoServer();
if (why !== undefined) recordEnvironment(`not run: passwords of logins: ${why}`);

// The embedded server checks no passwords.
(why === undefined ? describe : describe.skip)("the password of a login", () => {
    let cluster: Cluster;
    let login: Connection;
    const changed: string[] = [];

    beforeAll(async () => {
        const [binaries] = findServerBinaries();
        if (binaries === undefined) throw new Error("there is no server");
        cluster = await startCluster(binaries, {
            settings: () => ({ log_statement: "all" }),
            hba: ["local all all trust", "host all all 127.0.0.1/32 scram-sha-256", ""],
        });
    });

    afterAll(() => cluster?.stop());

    /** A plain role, such as managed services give. */
    beforeEach(async () => {
        login = { ...cluster.admin, user: "deployer", password: "at-first" };
        await setByHand(login.password);
        changed.length = 0;
    });

    const setByHand = (password: string): Promise<void> =>
        withClient(cluster.admin, async (client) => {
            await client.query("DROP ROLE IF EXISTS deployer");
            await client.query("SET log_statement = 'none'");
            await client.query(`CREATE ROLE deployer LOGIN PASSWORD '${password}'`);
        });

    const change = (
        password: string,
        { previous, container }: { previous?: Connection; container?: string } = {},
    ): Promise<void> =>
        admit({
            connection: { ...login, password },
            previous,
            container,
            onStatus: () => undefined,
            onChange: () => changed.push(password),
        });

    const gets = (password: string): Promise<boolean> =>
        withClient({ ...login, password }, (client) => client.query("SELECT 1")).then(
            () => true,
            () => false,
        );

    const log = (): string => readFileSync(join(cluster.directory, "log"), "utf8");

    it("is left alone where it works", async () => {
        await change("at-first", { previous: { ...login, password: "another" } });

        expect(changed).toEqual([]);
        expect(await gets("at-first")).toBe(true);
    });

    it.each(["planted-7c1e 'quoted\" \\ %", "plänted-ﬁ\u00a05e2 № 日本"])(
        "is changed with the one before, to %s",
        async (password) => {
            const before = log().length;

            await change(password, { previous: login });

            expect(changed).toEqual([password]);
            expect([await gets(password), await gets("at-first")]).toEqual([true, false]);
            const said = log().slice(before);
            expect(said).toContain(`ALTER ROLE "deployer" PASSWORD 'SCRAM-SHA-256$4096:`);
            expect(said).not.toMatch(/pl[aä]nted/);
        },
    );

    it("is changed inside the container when the one before is refused as well", async () => {
        await setByHand("by-hand");
        const commands = dockerCommand(cluster);
        const path = process.env["PATH"];
        process.env["PATH"] = [commands, path].join(delimiter);
        try {
            await change("declared-1", { previous: login, container: "the-container" });
            const asked = readFileSync(join(commands, "asked"), "utf8");

            expect([await gets("declared-1"), await gets("by-hand")]).toEqual([true, false]);
            expect(asked).toMatch(/^exec -i the-container psql .*-U deployer/);
            // Every process of the machine can read it.
            expect(asked).not.toMatch(/declared-1|SCRAM/);
        } finally {
            process.env["PATH"] = path;
            rmSync(commands, { recursive: true, force: true });
        }
    });

    it("that nobody knows is told with what to do, and without a password", async () => {
        await setByHand("by-hand");

        for (const options of [{}, { previous: login }, { container: "gone", previous: login }]) {
            const error = await change("declared-2", options).then(
                () => undefined,
                (thrown: unknown) => thrown as TimescaleError,
            );

            expect(error).toBeInstanceOf(TimescaleError);
            expect(error).toMatchObject({ code: "password_refused", object: 'role "deployer"' });
            const text = [error?.message, error?.detail, error?.hint].join("\n");
            expect(text).toContain("\\password");
            expect(text).not.toMatch(/declared-2|at-first|by-hand|SCRAM/);
        }
        expect(await gets("by-hand")).toBe(true);
    });

    it("of another user or server opens nothing", async () => {
        for (const previous of [
            { ...cluster.admin },
            { ...login, host: "localhost" },
            { ...login, port: login.port + 1 },
        ]) {
            await expect(change("declared-3", { previous })).rejects.toMatchObject({
                code: "password_refused",
            });
        }
        expect(await gets("at-first")).toBe(true);
    });

    it("has the verifier that the server itself computes", async () => {
        for (const password of ["plain", "with 'quotes\"", "ﬁ\u00a0é№"]) {
            await withClient(cluster.admin, async (client) => {
                const quoted = client.escapeLiteral(password);
                await client.query(`ALTER ROLE "deployer" PASSWORD ${quoted}`);
                const { rows } = await client.query<{ stored: string }>(
                    "SELECT rolpassword AS stored FROM pg_authid WHERE rolname = 'deployer'",
                );
                const stored = rows[0]?.stored ?? "";
                const salt = Buffer.from(/:([^$]+)\$/.exec(stored)?.[1] ?? "", "base64");

                expect(scramVerifier(password, salt)).toBe(stored);
            });
        }
    });
});

/** Stands for `docker`, with the cluster's socket as that of the container. */
function dockerCommand({ binaries, directory, admin }: Cluster): string {
    const folder = mkdtempSync(join(tmpdir(), "observatory-docker-"));
    const script = `#!/bin/sh
echo "$@" >"${folder}/asked"
shift 4
exec "${binaries.directory}/psql" -h "${directory}/socket" -p ${admin.port} "$@"
`;
    writeFileSync(join(folder, "docker"), script);
    chmodSync(join(folder, "docker"), 0o755);
    return folder;
}
