/** `npm run deploy` as people run it: the command itself, the real engine, a database that others have set up. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { type Connection } from "../../components/timescale/core/connection/connection";
import type { TestDatabase } from "../helpers/databases";
import { describeOnServers } from "../helpers/engineStack";
import { deploy, folder, forget, root } from "./deploying";
import { everything, query } from "./readings";

const original = readFileSync(join(root, "test/fixtures/original-deployment.sql"), "utf8");

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
