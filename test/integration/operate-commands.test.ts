/** `npm run status` and `npm run doctor` as a person runs them: output, exit codes, rights and bad input. */
import { type ChildProcess, spawn } from "node:child_process";
import { dirname, join } from "node:path";

import type { Connection } from "../../components/timescale/core/connection/connection";
import { aggregate, hypertable } from "./declared";
import { hourly, plainNames, rawTable } from "./names";
import { onEveryServer } from "./onEveryServer";

const root = dirname(dirname(__dirname));

interface Ended {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
}

function run(
    command: string,
    { host, port, database, user, password, sslMode }: Connection,
    args: readonly string[] = [],
    watch: (child: ChildProcess, stdout: string) => void = () => undefined,
): Promise<Ended> {
    const server = ["--db-host", host, "--db-port", String(port), "--db-name", database];
    const child = spawn(
        process.execPath,
        [
            ...["--import", "tsx", join(root, "commands", `${command}.ts`), ...args],
            ...[...server, "--db-user", user, "--ssl-mode", sslMode],
        ],
        {
            cwd: root,
            env: { PATH: process.env["PATH"], HOME: process.env["HOME"], PGPASSWORD: password },
            stdio: ["ignore", "pipe", "pipe"],
        },
    );
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text: Buffer) => {
        stdout += String(text);
        watch(child, stdout);
    });
    child.stderr.on("data", (text: Buffer) => (stderr += String(text)));
    return new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (code) => resolve({ code, stdout, stderr }));
    });
}

onEveryServer((target) => {
    beforeAll(async () => {
        await hypertable(target, rawTable(plainNames)).up();
        await target.byHand(
            "INSERT INTO requests (ts, id, ms) SELECT t, 'a', 1 FROM generate_series(now() - interval '3 days', now(), interval '10 minutes') t",
        );
        await aggregate(target, hourly(plainNames)).up();
        if (target.server.backgroundWorkers) {
            await target.asAdmin("SELECT _timescaledb_functions.start_background_workers()");
        }
    }, 60_000);

    it("show and examine a database that is well, without colours, with 0", async () => {
        const shown = await run("status", target.database.owner);
        expect(shown).toMatchObject({ code: 0, stderr: "" });
        expect(shown.stdout).toContain(`TimescaleDB ${target.server.version}`);
        expect(shown.stdout).toContain("public.requests_hourly");
        expect(shown.stdout).not.toContain("\u001b");

        const healthy = await run("doctor", target.database.owner);
        expect(healthy.stdout).toContain(
            "Nothing is wrong with 1 aggregate, 1 hypertable and 5 jobs",
        );
        expect(healthy.code).toBe(0);
    });

    it("say as the reader what they cannot know, and fail at nothing", async () => {
        const { code, stdout } = await run("status", target.database.reader, ["--json"]);
        expect(code).toBe(0);
        expect(JSON.parse(stdout)).toMatchObject({
            format: 1,
            aggregates: [{ name: "public.requests_hourly", rows: { exact: true } }],
            notes: [expect.stringContaining("may not read 1"), expect.stringContaining("failures")],
        });
        const examined = await run("doctor", target.database.reader);
        expect(examined.code).toBe(0);
        expect(examined.stdout).toContain("the login may not read public.requests");
    });

    it("prints one snapshot after another without a terminal, until it is interrupted", async () => {
        const watched = await run(
            "status",
            target.database.owner,
            ["--watch", "0.3", "--json"],
            (child, stdout) => {
                if (stdout.split("\n").length > 2) child.kill("SIGINT");
            },
        );
        expect(watched).toMatchObject({ code: 0, stderr: "" });
        const lines = watched.stdout.trim().split("\n");
        expect(lines.length).toBeGreaterThanOrEqual(2);
        expect(lines.map((line) => (JSON.parse(line) as { format: number }).format)).toContain(1);
    });

    it("mend nothing without a terminal unless told, then what was found", async () => {
        await target.byHand(
            "SELECT alter_job(id, scheduled => false) FROM _timescaledb_config.bgw_job WHERE proc_name = 'policy_retention' AND hypertable_id = (SELECT raw_hypertable_id FROM _timescaledb_catalog.continuous_agg)",
        );
        const asked = await run("doctor", target.database.owner, ["--fix"]);
        expect(asked.code).toBe(2);
        expect(asked.stdout).toMatch(
            /retention of public\.requests \(job \d+\): it is paused \(job_paused\)/,
        );
        expect(asked.stderr).toContain(
            "nothing was mended: there is no terminal to ask on, and no --yes",
        );

        const mended = await run("doctor", target.database.owner, ["--fix", "--yes", "--json"]);
        expect(JSON.parse(mended.stdout)).toMatchObject({
            healthy: true,
            fixed: [{ code: "job_paused", failure: null }],
        });
        expect(mended.code).toBe(0);
    });

    it.each(["status", "doctor"])(
        "ends %s with 1 and a reason where it cannot look",
        async (command) => {
            const { owner } = target.database;
            const refused = await run(command, { ...owner, port: 1 });
            expect(refused).toMatchObject({ code: 1, stdout: "" });
            expect(refused.stderr).toContain("no server listens at");
            if (target.server.kind === "embedded") return;
            expect((await run(command, { ...owner, database: "nowhere" })).stderr).toContain(
                'database "nowhere" does not exist',
            );
            expect((await run(command, { ...owner, database: "template1" })).stderr).toContain(
                "the database has no TimescaleDB",
            );
        },
    );
});
