/** `npm run deploy` as people run it: the command itself, the real engine, a database that others have set up. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { stackNameOf } from "../../commands/deploy/place";
import { type Connection } from "../../components/timescale/core/connection/connection";
import type { TestDatabase } from "../helpers/databases";
import { describeOnServers } from "../helpers/engineStack";
import { command, deploy, flagsOf, folder, forget, root } from "./deploying";
import { everything, query } from "./readings";

const original = readFileSync(join(root, "test/fixtures/original-deployment.sql"), "utf8");

/** Policies that have not run yet, or are running. */
const unsettled = `SELECT FROM _timescaledb_config.bgw_job j LEFT JOIN _timescaledb_internal.bgw_job_stat s ON s.job_id = j.id
    WHERE j.id >= 1000 AND j.scheduled AND s.last_finish > '-infinity' IS NOT TRUE`;

/** Also what a plan alone could leave: temporary objects, sequences, settings. */
async function catalog(connection: Connection): Promise<unknown> {
    return [
        await everything(connection),
        await query(connection, "SELECT oid, relname, relnamespace, relacl::text FROM pg_class WHERE oid >= 16384 ORDER BY 1"), // prettier-ignore
        await query(connection, "SELECT oid, nspname, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp' ORDER BY 1"), // prettier-ignore
        await query(connection, "SELECT oid, proname, proacl::text, md5(prosrc) FROM pg_proc WHERE oid >= 16384 ORDER BY 1"), // prettier-ignore
        await query(
            connection,
            "SELECT * FROM pg_description WHERE objoid >= 16384 ORDER BY 1, 2, 3",
        ),
        await query(connection, "SELECT * FROM pg_trigger WHERE oid >= 16384 ORDER BY oid"),
    ];
}

describeOnServers(
    "npm run deploy",
    (server) => {
        let database: TestDatabase;

        const here = (): string[] => readdirSync(folder).filter((name) => /^(deploy|preview)-/.test(name)); // prettier-ignore

        beforeAll(async () => {
            database = await server.createDatabase();
            await query(database.owner, original);
            await query(database.owner, "GRANT INSERT ON llm_traces TO observatory_writer");
            await query(database.owner, "GRANT SELECT ON llm_traces TO pg_monitor");
            await query(
                database.owner,
                `INSERT INTO llm_traces (ts, trace_id, span_id, span_name, provider, model, input_type, duration_ms, status_code)
                 SELECT now() - n * interval '7 minutes', 't' || n, 's', 'chat', 'openai', 'gpt', 'text', n, 'OK' FROM generate_series(1, 200) n`,
            );
            // The original's jobs run once it stands, and make chunks while a dry run changes nothing.
            while (
                server.backgroundWorkers &&
                (await query(database.admin, unsettled)).length > 0
            ) {
                await new Promise((resolve) => setTimeout(resolve, 200));
            }
        });

        afterAll(async () => {
            if (database === undefined) return;
            forget(database.owner);
            await database.drop();
        });

        it("says in a dry run what it would do, and changes nothing at all", async () => {
            const before = await catalog(database.owner);
            const folders = existsSync(folder) ? here() : [];

            const run = await deploy(database.owner, "--dry-run", "--json");

            expect([run.code, run.stderr]).toEqual([
                2,
                expect.stringContaining("Hypertable llm-logs"),
            ]);
            const result = JSON.parse(run.stdout) as {
                outcome: string;
                differences: { object: string }[];
            };
            expect(result.outcome).toBe("differences");
            expect(result.differences.map(({ object }) => object)).toContain(
                "public.llm_metrics_1hour",
            );
            expect(await catalog(database.owner)).toEqual(before);
            expect(here()).toEqual(folders);
        });

        it("deploys, keeps what others were granted, and verifies", async () => {
            const run = await deploy(database.owner, "--test", "--json");

            const result = JSON.parse(run.stdout) as {
                outcome: string;
                verification: {
                    outcome: string;
                    checks: { outcome: string; problems: string[] }[];
                };
            };
            expect(result.verification.checks.flatMap(({ problems }) => problems)).toEqual([]);
            expect([run.code, result.outcome]).toEqual([0, "deployed"]);
            expect(
                await query(database.owner, "SELECT has_table_privilege('pg_monitor', 'llm_traces', 'SELECT') AS may"), // prettier-ignore
            ).toEqual([{ may: true }]);
            expect(run.stdout + run.stderr).not.toContain(database.owner.password);
        });

        it("has nothing to do when it is run again, and finds a difference when there is one", async () => {
            const again = await deploy(database.owner, "--json");
            expect([again.code, (JSON.parse(again.stdout) as { outcome: string }).outcome]).toEqual([0, "unchanged"]); // prettier-ignore
            const dry = await deploy(database.owner, "--dry-run");
            expect([dry.code, dry.stderr]).toEqual([
                0,
                expect.stringContaining("nothing to change"),
            ]);

            await query(database.owner, "COMMENT ON VIEW llm_metrics_1day IS 'mine'");
            const before = await catalog(database.owner);
            const differing = await deploy(database.owner, "--dry-run");

            expect(differing.code).toBe(2);
            expect(differing.stderr).toContain(
                "ContinuousAggregate llm-metrics-1day would be updated",
            );
            expect(await catalog(database.owner)).toEqual(before);
        });

        it("refuses tables of another owner before it begins anything", async () => {
            const before = await catalog(database.owner);

            const run = await deploy(database.admin);

            expect(run.code).toBe(2);
            expect(run.stderr).toContain("deploy as its owner: --db-user observatory_owner");
            expect(await catalog(database.owner)).toEqual(before);
        });

        it.each([
            [
                "a wrong password",
                (to: Connection) => ({ ...to, password: "wrong" }),
                /refuses the password/,
            ],
            [
                "a database that is not there",
                (to: Connection) => ({ ...to, database: "nowhere" }),
                /does not exist/,
            ],
            [
                "a port that nobody listens on",
                (to: Connection) => ({ ...to, port: 1 }),
                /nothing listens|refused/i,
            ],
        ])("fails on %s at once", async (_, wrong, message) => {
            const run = await deploy(wrong(database.owner));

            expect(run.code).toBe(1);
            expect(run.stderr).toMatch(message);
        });

        it("is verified with what its stack has otherwise; without the stack verify says that it knows nothing of it", async () => {
            const { password, ...to } = database.owner;
            const name = stackNameOf(database.owner);
            const file = join(folder, name, `Pulumi.${name}.yaml`);
            const policies = { llm_logs: { retentionPolicy: { dropAfter: "33 days" } } };
            const config = readFileSync(file, "utf8").replace(/^config:$/m, `config:\n  llm-observatory:policies: '${JSON.stringify(policies)}'`); // prettier-ignore
            writeFileSync(file, config);
            const verified = async (
                args: readonly string[],
                environment = {},
            ): Promise<unknown> => {
                const { stdout, stderr } = await command("verify", [...args, "--json"], environment).ended; // prettier-ignore
                if (stdout === "") throw new Error(stderr);
                const { checks } = JSON.parse(stdout) as { checks: { name: string }[] };
                return checks.find((check) => check.name === "policies");
            };
            const deployed = await deploy(database.owner);
            expect([deployed.code, deployed.stderr]).toEqual([0, expect.stringContaining("~ updated Hypertable llm-logs")]); // prettier-ignore

            const own = await verified(["--stack", name]);
            // The plain CLI has its config files in the program's folder.
            const plain = join(root, `Pulumi.${name}.yaml`);
            writeFileSync(plain, config);
            const asPlain = await verified(["--stack", `organization/llm-observatory/${name}`], {
                PULUMI_BACKEND_URL: `file://${join(folder, "state")}?metadata=skip`,
                PULUMI_CONFIG_PASSPHRASE_FILE: join(folder, "passphrase"),
            }).finally(() => rmSync(plain));
            const bare = await verified(flagsOf(to), { PGPASSWORD: password });

            expect([own, asPlain]).toMatchObject([{ outcome: "passed" }, { outcome: "passed" }]);
            expect(bare).toMatchObject({
                outcome: "failed",
                problems: [expect.stringMatching(/llm_logs: retentionPolicy.*33 days/)],
                notes: [expect.stringContaining("known with --stack alone")],
            });
        });

        it("rolls back aggregates and helpers when told, and never raw rows", async () => {
            const unasked = await deploy(database.owner, "--rollback");
            expect([unasked.code, unasked.stderr]).toEqual([
                1,
                expect.stringContaining("give --yes"),
            ]);

            const run = await deploy(database.owner, "--rollback", "--yes");

            expect([run.code, run.stderr]).toEqual([0, expect.stringContaining("rolled back: ")]);
            expect(
                await query(
                    database.owner,
                    `SELECT (SELECT count(*)::int FROM timescaledb_information.continuous_aggregates) AS aggregates,
                         (SELECT count(*)::int FROM llm_traces) AS rows,
                         (SELECT count(*)::int FROM timescaledb_information.hypertables) AS tables`,
                ),
            ).toEqual([{ aggregates: 0, rows: 200, tables: 3 }]);
        });
    },
    ({ kind }) => (kind === "embedded" ? "deploy works on servers that run already" : undefined),
);
