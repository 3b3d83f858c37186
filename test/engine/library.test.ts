/**
 * The package in a second project: the program of its README, in a folder outside of this repository
 * where nothing but the package and what its package.json names is in reach.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { providerText } from "../../components/timescale/resource";
import type { TestDatabase } from "../helpers/databases";
import { dynamic } from "../helpers/engineRun";
import { describeOnServers } from "../helpers/engineStack";
import { createWorkspace, packPackage, type ProgramStack } from "../helpers/programFolder";
import { recipesOf } from "../helpers/recipes";
import { query } from "./readings";

const root = join(__dirname, "..", "..");
const archive = packPackage();
const workspace = createWorkspace(archive);

interface Registered {
    readonly type: string;
    readonly inputs?: { readonly __provider?: string };
    readonly outputs?: { readonly __provider?: string };
}

beforeAll(() => {
    const readme = readFileSync(join(root, "docs", "library.md"), "utf8");
    for (const step of recipesOf(readme).flatMap(({ steps }) => steps)) {
        if (step.kind === "file") workspace.write(join("metrics", step.path), step.text);
    }
});

it("has types that a strict program compiles with, those of libraries included", () => {
    expect(workspace.typeErrors()).toBe("");
});

describe("the archive", () => {
    const names = execFileSync("tar", ["-tzf", archive], { encoding: "utf8" })
        .trim()
        .split("\n")
        .map((name) => name.replace(/^package\//, ""));

    it("has its README, types, licence and changes, and no test and no source", () => {
        expect(names).toEqual(
            expect.arrayContaining([
                ...["README.md", "LICENSE", "CHANGELOG.md", "package.json"],
                "components/timescale/index.js",
                "components/timescale/index.d.ts",
                "components/timescale/provider/provider.cjs",
            ]),
        );
        expect(names.filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))).toEqual([]);
        expect(names.filter((name) => /^(?!components\/timescale\/|sql\/catalog\/|\w+(\.\w+)?$)/.test(name))).toEqual([]); // prettier-ignore
    });

    it("has every catalog query", () => {
        const queries = readdirSync(join(root, "sql", "catalog")).map(
            (name) => `sql/catalog/${name}`,
        );
        expect(queries.length).toBeGreaterThan(30);
        expect(names).toEqual(expect.arrayContaining(queries));
    });

    it("reads no query that it does not have", () => {
        const text = execFileSync("tar", ["-xzOf", archive, "--wildcards", "*.js"], {
            encoding: "utf8",
            maxBuffer: 64 * 1024 * 1024,
        });
        const read = [...text.matchAll(/sqlFile_1\.readSql\)\(\s*"([^"]+)"/g)].map(([, path]) => `sql/${path}`); // prettier-ignore
        expect(read.length).toBeGreaterThan(30);
        expect(read.filter((path) => !names.includes(path))).toEqual([]);
    });

    it("names no path of this machine", () => {
        const text = execFileSync("tar", ["-xzOf", archive], {
            encoding: "latin1",
            maxBuffer: 64 * 1024 * 1024,
        });
        expect([root, homedir() + "/"].filter((path) => text.includes(path))).toEqual([]);
    });
});

describeOnServers("a program of its own", (server) => {
    let database: TestDatabase;
    let stack: ProgramStack;

    beforeAll(async () => {
        [database, stack] = await Promise.all([
            server.createDatabase(),
            workspace.createStack("metrics"),
        ]);
        await stack.configure(database.owner, { protect: "false" });
    });

    afterAll(() => database?.drop());

    it("makes by up what it declares", async () => {
        expect(await stack.run("up")).toContain("3 created");

        expect(
            await query(
                database.owner,
                "SELECT view_name AS name, hypertable_name AS table FROM timescaledb_information.continuous_aggregates",
            ),
        ).toEqual([{ name: "metrics_hourly", table: "metrics" }]);
        expect(
            await query(
                database.owner,
                "SELECT proc_name AS job FROM timescaledb_information.jobs WHERE job_id >= 1000 ORDER BY 1",
            ),
        ).toEqual([
            { job: "policy_refresh_continuous_aggregate" },
            { job: "policy_retention" },
            { job: "policy_retention" },
        ]);
    });

    it("shows no change in the next preview", async () => {
        await stack.run("preview", { expectNoChanges: true });
    });

    it("shows a change by hand, and puts it back", async () => {
        await query(database.owner, "COMMENT ON VIEW metrics_hourly IS 'mine'");

        expect(await stack.run("preview")).toContain('~ comment: "mine" → none');
        await stack.run("up");
        await stack.run("preview", { expectNoChanges: true });
    });

    it("has the same provider line in state as every program, and no password and no path", async () => {
        const exported = await stack.cli("stack", "export");
        const { deployment } = JSON.parse(exported) as {
            readonly deployment: { readonly resources: readonly Registered[] };
        };
        const inside = deployment.resources.filter(({ type }) => type.startsWith(dynamic));
        expect(inside.map(({ type }) => type.slice(dynamic.length))).toEqual([
            "Hypertable",
            "ContinuousAggregate",
        ]);
        for (const { inputs, outputs } of inside) {
            expect([inputs?.__provider, outputs?.__provider]).toEqual([providerText, providerText]);
        }
        expect(exported).not.toContain(database.owner.password);
        expect(exported).not.toContain(workspace.folder);
    });

    it("removes all of it by destroy", async () => {
        await stack.cli("destroy", "--yes", "--skip-preview");

        expect(
            await query(
                database.owner,
                "SELECT to_regclass('metrics') AS a, to_regclass('metrics_hourly') AS b",
            ),
        ).toEqual([{ a: null, b: null }]);
    });
});
