/** Every recipe of docs/recipes.md, run as it stands there: files, statements and commands in order. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import type { Connection } from "../../components/timescale";
import { withClient } from "../helpers/clients";
import type { TestDatabase, TestServer } from "../helpers/databases";
import { describeOnServers } from "../helpers/engineStack";
import {
    createWorkspace,
    packPackage,
    type ProgramStack,
    temporaryFolder,
} from "../helpers/programFolder";
import { recipesOf, type RecipeStep } from "../helpers/recipes";
import { query } from "./readings";

const root = join(__dirname, "..", "..");
const [shared, ...recipes] = recipesOf(readFileSync(join(root, "docs", "recipes.md"), "utf8"));
const workspace = createWorkspace(packPackage());
const tested = [
    "Hierarchical aggregates",
    "Adopting an existing database",
    "Changing a query",
    "A schema for each tenant",
    "A fleet of databases",
];

it("are all tested", () => {
    expect(recipes.map(({ title }) => title)).toEqual(tested);
});

/** One recipe at a server: where its next step is, and what its commands work on. */
interface Running {
    /** Does the steps up to this many commands of the shell; gives what the last one printed. */
    readonly go: (commands: number) => Promise<string>;
    readonly database: TestDatabase;
    readonly stack: () => ProgramStack;
}

async function start(
    server: TestServer,
    title: string,
    config: Readonly<Record<string, string>> = {},
): Promise<Running> {
    const database = await server.createDatabase();
    const program = `${title.replaceAll(" ", "-").toLowerCase()}-${server.kind}`;
    const steps = [...(recipes.find((recipe) => recipe.title === title)?.steps ?? [])];
    let stack: ProgramStack | undefined;
    const open = async (folder: string): Promise<ProgramStack> => {
        stack = await workspace.createStack(folder);
        await stack.configure(database.owner, config);
        return stack;
    };
    const write = ({ path, text }: RecipeStep & { kind: "file" }): void =>
        workspace.write(join(program, path), text);
    const onDatabase = async (line: string): Promise<string> => {
        const [command = "", operation = "", ...options] = line.split(" ");
        if (command === "npm") {
            await importProgram(line, database.owner, `${program}-imported`);
            await open(`${program}-imported`);
            return "";
        }
        if (command !== "pulumi" || (operation !== "up" && operation !== "preview")) {
            throw new Error(`a command that nothing runs: ${line}`);
        }
        const parallel = options[0] === "--parallel" ? { parallel: Number(options[1]) } : {};
        return (stack ?? (await open(program))).run(operation, parallel);
    };
    for (const step of shared?.steps ?? []) if (step.kind === "file") write(step);
    return {
        database,
        stack: () => stack as ProgramStack,
        go: async (commands) => {
            let printed = "";
            for (let left = commands; left > 0;) {
                const step = steps.shift();
                if (step === undefined) throw new Error("the recipe is at its end");
                if (step.kind === "sql") await query(database.owner, step.text);
                else if (step.kind === "command") {
                    printed = await onDatabase(step.line);
                    left -= 1;
                } else {
                    // Another program than the one before: the stack of that one is done with.
                    if (step.path === "index.ts") stack = undefined;
                    write(step);
                }
            }
            return printed;
        },
    };
}

/** The command of the page, to this database and into this folder of the workspace. */
async function importProgram(line: string, owner: Connection, folder: string): Promise<void> {
    const values: Readonly<Record<string, string>> = {
        "db.example.com": owner.host,
        metrics: owner.database,
        metrics_owner: owner.user,
    };
    const args = line.replace("npm run import -- ", "").split(" ");
    // Written elsewhere first: the workspace compiles what is put into it.
    const out = temporaryFolder("observatory-import-");
    await promisify(execFile)(
        process.execPath,
        [
            ...["--import", "tsx", join("commands", "import.ts")],
            ...args.map((arg) => (arg === "../adopted" ? out : (values[arg] ?? arg))),
            ...["--db-port", String(owner.port), "--ssl-mode", owner.sslMode],
        ],
        { cwd: root, env: { ...process.env, PGPASSWORD: owner.password } },
    );
    for (const path of readdirSync(out, { recursive: true, encoding: "utf8" })) {
        if (!statSync(join(out, path)).isFile() || /(?:package|tsconfig)\.json$/.test(path))
            continue;
        workspace.write(join(folder, path), readFileSync(join(out, path), "utf8"));
    }
}

describeOnServers("the recipes", (server) => {
    const running: Running[] = [];
    const begin = async (...args: Parameters<typeof start>): Promise<Running> => {
        const recipe = await start(...args);
        running.push(recipe);
        return recipe;
    };
    const unchanged = (recipe: Running) => recipe.stack().run("preview", { expectNoChanges: true });

    afterAll(() => Promise.all(running.map(({ database }) => database.drop())));

    it("roll days up from hours", async () => {
        const recipe = await begin(server, "Hierarchical aggregates");
        await recipe.go(1);
        const { owner } = recipe.database;

        await query(
            owner,
            "INSERT INTO readings SELECT now() - n * interval '1 hour', 's', 2 FROM generate_series(48, 95) n",
        );
        for (const name of ["readings_hourly", "readings_daily"]) {
            await query(owner, `CALL refresh_continuous_aggregate('${name}', NULL, NULL)`);
        }
        expect(
            await query(
                owner,
                "SELECT sum(n)::int AS n, sum(total)::int AS total FROM readings_daily",
            ),
        ).toEqual([{ n: 48, total: 96 }]);
        await unchanged(recipe);
    });

    it("adopt what stands, all of it or one object", async () => {
        const recipe = await begin(server, "Adopting an existing database");
        const { owner } = recipe.database;
        await query(
            owner,
            `CREATE TABLE metrics (ts timestamptz NOT NULL, value int);
             SELECT create_hypertable('metrics', 'ts');
             INSERT INTO metrics VALUES (now(), 1)`,
        );
        await query(
            owner,
            "CREATE MATERIALIZED VIEW metrics_daily WITH (timescaledb.continuous) AS SELECT time_bucket('1 day', ts) AS day, sum(value) AS total FROM metrics GROUP BY 1 WITH NO DATA",
        );
        await recipe.go(3);
        await unchanged(recipe);
        expect(await query(owner, "SELECT value FROM metrics")).toEqual([{ value: 1 }]);

        expect(await recipe.go(1)).toContain("chunkTimeInterval: 720:00:00 → 1 day");
        await recipe.go(1);
        await unchanged(recipe);
        expect(
            await query(
                owner,
                "SELECT time_interval::text AS chunk FROM timescaledb_information.dimensions WHERE hypertable_name = 'events'",
            ),
        ).toEqual([{ chunk: "1 day" }]);
    });

    it("change a query, keep what raw rows no longer give, and go back", async () => {
        const recipe = await begin(server, "Changing a query");
        const { owner } = recipe.database;
        await recipe.go(1);
        await query(
            owner,
            `INSERT INTO orders SELECT now() - d * interval '1 day', 'x', d FROM generate_series(1, 60) d`,
        );
        await query(owner, "CALL refresh_continuous_aggregate('orders_hourly', NULL, NULL)");
        await query(owner, "SELECT drop_chunks('orders', now() - interval '30 days')");
        const history =
            "SELECT sum(orders)::int AS n, sum(turnover)::int AS total FROM orders_hourly";
        const before = await query(owner, history);
        expect(before).toEqual([{ n: 60, total: 1830 }]);

        await recipe.go(2);
        await unchanged(recipe);
        expect(await query(owner, history)).toEqual(before);
        const [added] = await query(
            owner,
            "SELECT min(largest)::int AS oldest, max(largest)::int AS newest FROM orders_hourly",
        );
        expect(added?.["oldest"]).toBe(0);
        expect(added?.["newest"]).toBeGreaterThan(20);

        await recipe.go(1);
        expect(await query(owner, history)).toEqual(before);
        await expect(query(owner, "SELECT largest FROM orders_hourly")).rejects.toThrow("largest");
    });

    it("give each tenant a schema", async () => {
        const recipe = await begin(server, "A schema for each tenant");
        await recipe.go(1);

        expect(
            await query(
                recipe.database.owner,
                "SELECT view_schema AS schema, view_name AS name, hypertable_schema AS over FROM timescaledb_information.continuous_aggregates ORDER BY 1",
            ),
        ).toEqual(
            ["tenant_north", "tenant_south"].map((schema) => ({
                ...{ schema, name: "usage_daily", over: schema },
            })),
        );
        await unchanged(recipe);
    });
});

it("compile in strict mode, all of them", () => {
    expect(workspace.typeErrors()).toBe("");
});

describeOnServers(
    "a fleet",
    (server) => {
        it("of twenty databases has at most eight connections to its server", async () => {
            const databases = await Promise.all(
                Array.from({ length: 20 }, () => server.createDatabase()),
            );
            const names = databases.map(({ owner }) => owner.database);
            const recipe = await start(server, "A fleet of databases", {
                databases: JSON.stringify(names),
            });
            const admin = server.admin as Connection;
            // The server lists a connection for a moment after it was closed: what is still there at the next look
            // was open at this one.
            let [done, most, seen] = [false, 0, [] as number[]];
            const watching = withClient(admin, async (client) => {
                while (!done) {
                    const { rows } = await client.query<{ pid: number }>(
                        `SELECT pid FROM pg_stat_activity
                         WHERE application_name = 'pulumi-timescale' AND datname = ANY ($1)`,
                        [names],
                    );
                    const now = rows.map(({ pid }) => pid);
                    most = Math.max(most, seen.filter((pid) => now.includes(pid)).length);
                    seen = now;
                    await new Promise((resolve) => setTimeout(resolve, 250));
                }
            });
            try {
                const began = Date.now();
                try {
                    expect(await recipe.go(1)).toContain("41 created");
                } finally {
                    done = true;
                    await watching;
                }
                process.stderr.write(
                    `fleet: ${most} connections at most, ${Date.now() - began} ms\n`,
                );
                expect(most).toBeGreaterThan(1);
                expect(most).toBeLessThanOrEqual(8);
                await recipe.stack().run("preview", { expectNoChanges: true, parallel: 16 });
            } finally {
                // Each of them has a scheduler: left behind, they would take the workers of what is tested next.
                await Promise.all(
                    [...databases, recipe.database].map((database) => database.drop()),
                );
            }
        });
    },
    ({ kind }) =>
        kind === "embedded" ? "it has one database, and takes one connection at a time" : undefined,
);
