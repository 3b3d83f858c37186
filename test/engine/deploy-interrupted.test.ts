/** `npm run deploy` that is stopped, loses its server, meets another one, or has no password: what it says and leaves. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { folderOnPath } from "../../commands/engine/executables";
import { type Connection } from "../../components/timescale/core/connection/connection";
import { withObjectLock, withSession } from "../../components/timescale/core/connection/session";
import type { TestDatabase } from "../helpers/databases";
import { describeOnServers } from "../helpers/engineStack";
import { flagsOf, forget, root, startDeploy } from "./deploying";
import { type Link, openLink, whyNoLink } from "./link";
import { query } from "./readings";

describeOnServers(
    "npm run deploy",
    (server) => {
        let database: TestDatabase;
        let link: Link;
        let to: Connection;

        beforeAll(async () => {
            database = await server.createDatabase();
            link = await openLink(database.owner);
            to = link.through(database.owner);
        });

        afterAll(async () => {
            if (database === undefined) return;
            await link.close();
            forget(to);
            await database.drop();
        });

        const standing = async (): Promise<number> => {
            const [row] = await query<{ n: number }>(database.owner, "SELECT count(*)::int AS n FROM timescaledb_information.continuous_aggregates"); // prettier-ignore
            return row?.n ?? 0;
        };

        // Each goes on from what the one before has left.
        it("fails with the reason where the server dies in the middle of the first one", async () => {
            const dying = startDeploy(to, [], { PULUMI_TIMESCALE_FAILOVER_SECONDS: "0" });
            await link.hold(/CREATE MATERIALIZED VIEW/, 1, dying.ended);
            await link.cut();
            const { code, stderr } = await dying.ended;
            await link.restore();

            expect([code, stderr]).toEqual([1, expect.stringMatching(/no server listens at|connection/i)]); // prettier-ignore
            expect(stderr).toContain("the same command goes on from here");
            // What had begun well by then is not called a failure.
            expect(stderr).not.toMatch(/waiting for database .*failed/);
        });

        it("goes on from there, and is stopped by Ctrl-C once what it is doing is done", async () => {
            const stopped = startDeploy(to);
            await link.hold(/CREATE MATERIALIZED VIEW[^;]*llm_metrics_1min/s, 1, stopped.ended);
            stopped.child.kill("SIGINT");
            await stopped.says(/stopping when the work in hand is done/);
            link.resume();
            const { code, stderr } = await stopped.ended;

            expect([code, stderr]).toEqual([130, expect.stringContaining("Pulumi up was stopped. The same command goes on from there.")]); // prettier-ignore
            expect(await standing()).toBeGreaterThan(0);
        });

        it("waits for another one in the folder, and for one in the database from elsewhere", async () => {
            const before = await standing();
            const [first, second] = await withSession(database.owner, (session) =>
                withObjectLock(
                    session,
                    `database ${to.database}`,
                    () => undefined,
                    async () => {
                        const one = startDeploy(to, ["--json"]);
                        await one.says(/another deploy is at work in it/);
                        const other = startDeploy(to, ["--json"]);
                        await other.says(/waiting for another npm start or deploy in this folder/);
                        expect(await standing()).toBe(before);
                        return [one, other] as const;
                    },
                ),
            );

            const [done, again] = [await first.ended, await second.ended];
            expect([done.code, JSON.parse(done.stdout)]).toEqual([0, expect.objectContaining({ outcome: "deployed" })]); // prettier-ignore
            expect([again.code, JSON.parse(again.stdout)]).toEqual([0, expect.objectContaining({ outcome: "unchanged" })]); // prettier-ignore
        });

        it("says of a rollback that Ctrl-C stopped that it is not done, and does it at the next", async () => {
            const rollback = ["--rollback", "--yes"];
            const stopped = startDeploy(to, rollback);
            await link.hold(/DROP MATERIALIZED VIEW/, 1, stopped.ended);
            stopped.child.kill("SIGINT");
            await stopped.says(/stopping when the work in hand is done/);
            link.resume();
            const { code, stdout, stderr } = await stopped.ended;

            expect([code, stdout, stderr]).toEqual([130, "", expect.stringContaining("Rolling back was stopped. The same command goes on from there.")]); // prettier-ignore
            expect(await standing()).toBeGreaterThan(0);
            expect((await startDeploy(to, rollback).ended).code).toBe(0);
            expect(await standing()).toBe(0);
        });

        describe("without PGPASSWORD", () => {
            // A login that works ends here at once, with this.
            const loggedIn = /the database has no TimescaleDB/;
            let bare: Connection;
            let files: string;

            beforeAll(() => {
                bare = { ...database.admin, database: "template1" };
                files = mkdtempSync(join(tmpdir(), "observatory-password-"));
            });

            afterAll(() => rmSync(files, { recursive: true, force: true }));

            it("says that there is none, and nobody to ask", async () => {
                const none = { PGPASSWORD: "", PGPASSFILE: join(files, "none") };
                const { code, stderr } = await startDeploy(bare, [], none).ended;

                expect([code, stderr]).toEqual([1, expect.stringMatching(/PGPASSWORD is not set, no line of a pgpass file fits, and there is no terminal/)]); // prettier-ignore
            });

            it("takes it from a pgpass file", async () => {
                const file = join(files, "pgpass");
                const { host, port, user, password } = bare;
                writeFileSync(file, `${host}:${port}:*:${user}:${password}\n`, { mode: 0o600 });
                const from = { PGPASSWORD: "", PGPASSFILE: file };
                const { code, stderr } = await startDeploy(bare, [], from).ended;

                expect([code, stderr]).toEqual([1, expect.stringMatching(loggedIn)]);
            });

            const terminal = folderOnPath("script");
            (terminal === undefined ? it.skip : it)(
                "asks for it on a terminal (needs util-linux's script), and does not show it",
                async () => {
                    const run = [process.execPath, "--import", "tsx", join(root, "commands/deploy.ts"), ...flagsOf(bare)]; // prettier-ignore
                    const child = spawn("script", ["-qc", run.join(" "), "/dev/null"], {
                        cwd: root,
                        env: { ...process.env, NO_COLOR: "1", PGPASSWORD: "", PGPASSFILE: join(files, "none") }, // prettier-ignore
                        stdio: ["pipe", "pipe", "inherit"],
                    });
                    let shown = "";
                    let asked = false;
                    child.stdout.on("data", (bytes: Buffer) => {
                        shown += String(bytes);
                        if (asked || !shown.includes("Password of")) return;
                        asked = true;
                        child.stdin.write(`${bare.password}\r`);
                    });
                    await once(child, "close");

                    expect(shown).toContain(`Password of ${bare.user}:`);
                    expect(shown).toMatch(loggedIn);
                    expect(shown).not.toContain(bare.password);
                },
            );
        });
    },
    ({ kind, admin }) =>
        kind === "embedded"
            ? "deploy works on servers that run already"
            : admin === undefined
              ? undefined
              : whyNoLink(admin),
);
