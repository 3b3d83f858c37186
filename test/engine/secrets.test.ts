/**
 * Passwords planted in a stack, its rotations and its failures, and looked for in everything that is
 * written meanwhile. The roles are made by verifier here, as the program's own are by
 * `@pulumi/postgresql`, whose statements this suite cannot look at.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import * as pulumi from "@pulumi/pulumi";

import {
    type Connection,
    ContinuousAggregate,
    Hypertable,
    LoginPassword,
} from "../../components/timescale";
import { scramVerifier } from "../../components/timescale/core/login/scram";
import { leaks, plant, watchProcesses } from "../helpers/canaries";
import { withClient } from "../helpers/clients";
import { changes, failed, said, succeeded } from "../helpers/engineRun";
import { createEngineStack, engineDirectory, type EngineStack } from "../helpers/engineStack";
import { recordEnvironment } from "../helpers/environment";
import { previewedAsJson } from "../helpers/previewJson";
import { findServerBinaries, whyNoServer } from "../helpers/serverBinaries";
import { type Cluster, startCluster } from "../helpers/throwawayCluster";
import { byHour, insertReadings, readingsColumns } from "./readings";

const root = dirname(dirname(__dirname));

function obstacle(): string | undefined {
    if (engineDirectory() === undefined) return "there is no Pulumi engine";
    if (!existsSync("/proc/self/cmdline")) return "no list of processes in /proc";
    if (findServerBinaries()[0]?.timescaledb === undefined) return "no server here has TimescaleDB";
    return whyNoServer();
}

const why = obstacle();
if (why !== undefined) recordEnvironment(`not run: secrets: ${why}`);

(why === undefined ? describe : describe.skip)("planted passwords", () => {
    const secrets = {
        admin: plant("admin"),
        owner: plant("owner"),
        writer: plant("writer"),
        reader: plant("reader"),
        newAdmin: plant("new-admin"),
        newOwner: plant("new-owner"),
        wrong: plant("wrong"),
    };
    let cluster: Cluster;
    let stack: EngineStack;
    let folder: string;
    const places: [string, string][] = [];

    const login = (user: string, password: string): Connection => ({
        ...cluster.admin,
        database: "secrets",
        user,
        password,
    });
    const setPassword = (user: string, password: string): Promise<void> =>
        withClient(cluster.admin, async (client) => {
            const verifier = scramVerifier(password, randomBytes(16));
            await client.query(`ALTER ROLE ${user} PASSWORD '${verifier}'`);
        });

    beforeAll(async () => {
        const [binaries] = findServerBinaries();
        if (binaries === undefined) throw new Error("there is no server");
        folder = mkdtempSync(join(tmpdir(), "observatory-secrets-"));
        cluster = await startCluster(binaries, {
            settings: () => ({ log_statement: "all", log_connections: "on" }),
        });
        await withClient(cluster.admin, async (client) => {
            for (const role of ["deployer", "owner", "writer", "reader"]) {
                await client.query(`CREATE ROLE ${role} LOGIN`);
            }
            await client.query("CREATE DATABASE secrets OWNER owner");
        });
        await withClient({ ...cluster.admin, database: "secrets" }, async (client) => {
            await client.query("CREATE EXTENSION timescaledb");
            await client.query("GRANT CREATE ON SCHEMA public TO owner");
        });
        await setPassword("deployer", secrets.admin);
        for (const role of ["owner", "writer", "reader"] as const) {
            await setPassword(role, secrets[role]);
        }
        stack = await createEngineStack();
    });

    afterAll(async () => {
        await stack?.remove();
        await cluster?.stop();
        rmSync(folder, { recursive: true, force: true });
    });

    const program =
        (admin: string, owner: string, { schedule = "5 minutes", table = "readings" } = {}) =>
        () => {
            const connection = login("owner", owner);
            const password = new LoginPassword("admin", { connection: login("deployer", admin) });
            const readings = new Hypertable(
                "readings",
                {
                    connection,
                    name: table,
                    columns: readingsColumns,
                    timeColumn: "ts",
                    chunkTimeInterval: "1 day",
                },
                { dependsOn: password },
            );
            new ContinuousAggregate(
                "by_hour",
                {
                    connection,
                    name: "by_hour",
                    query: byHour,
                    refreshPolicy: {
                        startOffset: "1 day",
                        endOffset: "1 hour",
                        scheduleInterval: schedule,
                    },
                    backup: join(folder, "backups"),
                    acceptLoss: { upToRows: 1000 },
                },
                { dependsOn: readings },
            );
            return Promise.resolve({
                connection: pulumi.secret(connection),
                writer: pulumi.secret(login("writer", secrets.writer)),
                reader: pulumi.secret(login("reader", secrets.reader)),
            });
        };

    /** A command of this project; what it prints is one more place. */
    async function command(
        name: string,
        args: readonly string[],
        password: string,
    ): Promise<number | null> {
        const child = spawn(process.execPath, ["--import", "tsx", `commands/${name}.ts`, ...args], {
            cwd: root,
            env: { ...process.env, PGPASSWORD: password },
        });
        let text = "";
        for (const stream of [child.stdout, child.stderr]) {
            stream.on("data", (bytes: Buffer) => (text += String(bytes)));
        }
        const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
        places.push([`what ${name} printed, ${places.length}`, text]);
        return code;
    }

    const at = (user: string): string[] => {
        const { host, port } = cluster.admin;
        return [
            ...["--db-host", host, "--db-port", String(port), "--db-name", "secrets"],
            ...["--db-user", user, "--ssl-mode", "disable"],
        ];
    };

    it("are written nowhere in clear", async () => {
        const processes = watchProcesses();
        const first = program(secrets.admin, secrets.owner);

        succeeded(await stack.preview(first));
        succeeded(await stack.up(first));
        await withClient(cluster.admin, async () => {
            await insertReadings(login("owner", secrets.owner));
        });

        // The admin's changes by itself; that of the owner was changed by its administrator.
        const rotated = program(secrets.newAdmin, secrets.owner, { schedule: "10 minutes" });
        const preview = succeeded(await stack.preview(rotated));
        expect(said(preview, "admin")).toContain("~ password: another → as declared");
        const json = await previewedAsJson(stack, rotated);
        places.push(["preview as JSON", json]);
        writeFileSync(join(folder, "preview.json"), json);
        expect(await command("review", [join(folder, "preview.json")], "")).toBe(2);
        expect(changes(succeeded(await stack.up(rotated)))).toEqual({
            admin: "update",
            by_hour: "update",
        });
        await withClient(login("deployer", secrets.newAdmin), (client) => client.query("SELECT 1"));

        // Before the server has it the comparison goes through the old one, afterwards through the new one.
        const next = program(secrets.newAdmin, secrets.newOwner, { schedule: "10 minutes" });
        const early = succeeded(await stack.preview(next));
        expect(changes(early)).toEqual({ readings: "update", by_hour: "update" });
        expect(early.output).not.toContain("not compared");
        await setPassword("owner", secrets.newOwner);

        const wrong = failed(await stack.up(program(secrets.newAdmin, secrets.wrong)));
        expect(wrong.failure).toContain('refuses the password of user "owner"');
        const wrongAdmin = async (): Promise<string> => {
            await setPassword("deployer", secrets.wrong);
            const unknown = program(secrets.admin, secrets.newOwner);
            expect(said(succeeded(await stack.preview(unknown)), "admin")).toMatch(
                /~ password: another → as declared[^]*up will refuse this: [^]*refuses every password known/,
            );
            const run = failed(await stack.up(unknown));
            await setPassword("deployer", secrets.newAdmin);
            return run.failure;
        };
        expect(await wrongAdmin()).toContain("refuses every password known");

        // What the state deletes it with was refused long ago: the program has told the new one.
        const without = () => {
            new Hypertable("readings", {
                connection: login("owner", secrets.newOwner),
                name: "readings",
                columns: readingsColumns,
                timeColumn: "ts",
                chunkTimeInterval: "1 day",
            });
            return Promise.resolve({});
        };
        expect(changes(succeeded(await stack.up(without)))).toMatchObject({ by_hour: "delete" });
        expect(readdirSync(join(folder, "backups")).length).toBeGreaterThan(0);

        const out = join(folder, "imported");
        await command("import", [...at("owner"), "--out", out], secrets.newOwner);
        expect(existsSync(join(out, "index.ts"))).toBe(true);
        for (const name of ["import", "backfill", "report", "restore"]) {
            expect(await command(name, [...at("owner")], secrets.wrong)).not.toBe(0);
        }
        succeeded(await stack.refresh());
        const seen = await processes.stop();

        places.push(
            ["the process list", [...seen].join("\n")],
            ["the server's log", readFileSync(join(cluster.directory, "log"), "latin1")],
            ...filesIn(folder),
            ...(await stack.traces()),
        );
        expect(leaks(places, secrets)).toEqual([]);

        // It would find them: secrets in clear text are asked for here.
        const shown = await stack.cli("stack", "export", "--show-secrets");
        expect(leaks([["shown", shown]], secrets)).toContain("shown: newOwner (tail)");
        const content = new Map(places);
        expect(content.get("the server's log")).toContain(
            'ALTER ROLE "deployer" PASSWORD \'SCRAM-SHA-256$',
        );
        expect(content.get("the process list")).toMatch(/pulumi .*up/);
        expect(content.get("everything printed")).toContain("refuses the password");
        recordEnvironment(
            `secrets: ${Object.keys(secrets).length} planted, looked for in ${places.length} places: the exported state, backend and work folder, all that was printed, previews as text and JSON, the review, an imported program, a backup, errors of commands, ${seen.size} command lines, the server's log`,
        );
    }, 600_000);
});

function filesIn(folder: string): [string, string][] {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((file) => [file, readFileSync(file, "latin1")]);
}
