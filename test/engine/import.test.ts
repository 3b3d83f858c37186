/** A generated program on the real engine: it takes over what stands and changes nothing. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { generate } from "../../commands/import/program";
import { readDatabase } from "../../commands/import/read";
import * as timescale from "../../components/timescale";
import { withSession } from "../../components/timescale/core/connection/session";
import type { TestDatabase } from "../helpers/databases";
import { succeeded } from "../helpers/engineRun";
import {
    createEngineStack,
    describeOnServers,
    type EngineStack,
    resourcesOf,
} from "../helpers/engineStack";
import { loadDeclare } from "../helpers/generatedProgram";
import { everything, query } from "./readings";

const original = readFileSync(join(__dirname, "../fixtures/original-deployment.sql"), "utf8");

describeOnServers("an imported database", (server) => {
    let database: TestDatabase;
    let stack: EngineStack;
    let program: () => Promise<Record<string, unknown>>;
    let names: readonly string[];

    beforeAll(async () => {
        [database, stack] = await Promise.all([server.createDatabase(), createEngineStack()]);
        const { owner } = database;
        await query(owner, original);
        const read = await withSession(owner, (session) =>
            readDatabase(session, { schemas: [], onObject: () => undefined }),
        );
        const generated = generate(read, {
            connection: owner,
            stack: "test",
            folder: "/program",
            root: "/",
            versions: {},
        });
        const text = (path: string): string => {
            const file = generated.files.find((it) => it.path === path);
            if (file === undefined) throw new Error(`there is no ${path}`);
            return file.text;
        };
        const { declare } = loadDeclare(
            text("declare.ts"),
            { "pulumi-timescale": timescale },
            text,
        );
        names = generated.resources.map((resource) => resource.names.resource);
        program = () => {
            declare(owner);
            return Promise.resolve({});
        };
    });

    afterAll(async () => {
        await stack?.remove();
        await database?.drop();
    });

    it("is taken over by the first up, which changes nothing in it", async () => {
        const before = await everything(database.owner);

        const run = succeeded(await stack.up(program));

        expect(run.steps.map(({ op }) => op)).toEqual(names.map(() => "create"));
        expect(new Set(run.steps.map(({ name }) => name))).toEqual(new Set(names));
        expect([...resourcesOf(await stack.state()).keys()].sort()).toEqual([...names].sort());
        expect(await everything(database.owner)).toEqual(before);
    });

    it("is the same in the next preview and the next up", async () => {
        const before = await everything(database.owner);

        succeeded(await stack.preview(program, { expectNoChanges: true }));
        succeeded(await stack.up(program, { expectNoChanges: true }));

        expect(await everything(database.owner)).toEqual(before);
    });

    it("shows a change by hand in a preview, and up puts it back", async () => {
        const before = await everything(database.owner);
        await query(database.owner, "COMMENT ON VIEW llm_metrics_1day IS 'mine'");

        const preview = succeeded(await stack.preview(program));
        expect(preview.steps.filter(({ op }) => op !== "same")).toEqual([
            { op: "update", name: "llm-metrics-1day" },
        ]);
        succeeded(await stack.up(program));

        expect(await everything(database.owner)).toEqual(before);
    });

    it("has its hypertables protected, and nothing else", async () => {
        const { deployment } = JSON.parse(await stack.cli("stack", "export")) as {
            deployment: { resources: { type: string; protect?: boolean }[] };
        };
        const kept = deployment.resources.filter(({ protect }) => protect === true);

        expect(kept.map(({ type }) => type)).toEqual(
            Array.from({ length: 3 }, () => "pulumi-nodejs:dynamic/timescale:Hypertable"),
        );
    });
});
