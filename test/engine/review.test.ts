/** Reviews of real previews, by the command itself. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import type { Review } from "../../commands/review/document";
import type { TestDatabase } from "../helpers/databases";
import { succeeded } from "../helpers/engineRun";
import { createEngineStack, describeOnServers, type EngineStack } from "../helpers/engineStack";
import { previewedAsJson } from "../helpers/previewJson";
import { compareWithExample } from "./examples";
import { byHour, insertReadings, query, readings } from "./readings";

const root = dirname(dirname(__dirname));

type Program = Parameters<EngineStack["preview"]>[0];

describeOnServers("a review of a preview", (server) => {
    let database: TestDatabase;
    let stack: EngineStack;
    let folder: string;
    const policies = {
        refreshPolicy: {
            startOffset: "2 days",
            endOffset: "1 hour",
            scheduleInterval: "5 minutes",
        },
        retentionPolicy: { dropAfter: "2 years" },
    };
    const hourly = { name: "by_hour", ...policies };

    beforeAll(async () => {
        folder = mkdtempSync(join(tmpdir(), "observatory-review-"));
        [database, stack] = await Promise.all([server.createDatabase(), createEngineStack()]);
        succeeded(await stack.up(readings(database.owner)));
        await insertReadings(database.owner);
    });

    afterAll(async () => {
        await stack?.remove();
        await database?.drop();
        rmSync(folder, { recursive: true, force: true });
    });

    /** What `pulumi preview --json` prints, in a file. */
    async function previewed(program: Program): Promise<string> {
        const file = join(folder, "preview.json");
        writeFileSync(file, await previewedAsJson(stack, program));
        return file;
    }

    async function reviewed(
        program: Program,
    ): Promise<{ code: number | null; markdown: string; review: Review }> {
        const file = await previewed(program);
        const json = join(folder, "review.json");
        const ran = spawnSync(
            process.execPath,
            ["--import", "tsx", "commands/review.ts", file, "--json-out", json],
            {
                cwd: root,
                encoding: "utf8",
            },
        );
        expect(ran.stderr).toBe("");
        const text = readFileSync(json, "utf8");
        const { password } = database.owner;
        if (password !== "") expect(text + ran.stdout).not.toContain(password);
        return { code: ran.status, markdown: ran.stdout, review: JSON.parse(text) as Review };
    }

    const compare = (name: string, markdown: string): void =>
        compareWithExample(server, name, markdown);

    it("of a new aggregate is safe", async () => {
        const { code, markdown, review } = await reviewed(readings(database.owner, hourly));

        expect([code, review.verdict]).toEqual([2, "safe"]);
        expect(review.objects.map(({ object, action }) => [object, action])).toEqual([
            ["public.by_hour", "create"],
            ["public.readings", "same"],
        ]);
        compare("new-aggregate", markdown);
        succeeded(await stack.up(readings(database.owner, hourly)));
    });

    it("of the same program is no change", async () => {
        const { code, markdown, review } = await reviewed(readings(database.owner, hourly));

        expect([code, review.verdict]).toEqual([0, "noChange"]);
        compare("no-change", markdown);
    });

    it("of a policy tells what the program changes from what was changed by hand", async () => {
        await query(
            database.owner,
            `SELECT alter_job(id, schedule_interval => '1 day') FROM _timescaledb_config.bgw_job
             WHERE proc_name = 'policy_refresh_continuous_aggregate'`,
        );
        const changed = {
            ...hourly,
            refreshPolicy: { ...policies.refreshPolicy, startOffset: "3 days" },
            retentionPolicy: { dropAfter: "3 years" },
        };
        const { code, markdown, review } = await reviewed(readings(database.owner, changed));

        expect([code, review.verdict]).toEqual([2, "caution"]);
        expect(
            review.objects[0]?.changes.map(({ property, was, will, origin }) => [
                property,
                was,
                will,
                origin,
            ]),
        ).toEqual([
            ["refreshPolicy.startOffset", "2 days", "3 days", "program"],
            ["refreshPolicy.scheduleInterval", "1 day", "5 minutes", "database"],
            ["retentionPolicy.dropAfter", "2 years", "3 years", "program"],
        ]);
        compare("policy-change", markdown);
        succeeded(await stack.up(readings(database.owner, hourly)));
    });

    it("of a query with keepHistory has the definitions, columns and plan", async () => {
        const changed = {
            ...hourly,
            query: byHour.replace("count(*) AS n", "count(*) AS n, max(value) AS highest"),
            onQueryChange: "keepHistory" as const,
        };
        const { code, markdown, review } = await reviewed(readings(database.owner, changed));

        expect([code, review.verdict]).toEqual([2, "caution"]);
        expect(markdown).toMatch(/^\+ {4}max\((?:readings\.)?value\) AS highest,$/m);
        expect(markdown).toContain("| <code>highest</code> | appears | <code>integer</code> |");
        compare("query-change", markdown);
    });

    it("of a rebuild that loses history is destructive, with its rows and times", async () => {
        await query(
            database.owner,
            "SELECT drop_chunks('readings', older_than => date_trunc('day', now(), 'UTC') - interval '3 days')",
        );
        const changed = {
            ...hourly,
            query: byHour.replace("sum(value)", "max(value)"),
            onQueryChange: "rebuild" as const,
            acceptLoss: { upToRows: 1000 },
        };
        const { code, markdown, review } = await reviewed(readings(database.owner, changed));

        expect([code, review.verdict]).toEqual([3, "destructive"]);
        expect(markdown).toMatch(
            /\*\*<code>LOSES_HISTORY<\/code>\*\* 2 days of hourly history .*\(30 rows, /,
        );
        compare("destructive", markdown);
    });

    it("of a deletion in a file is destructive, and says that nobody has counted its rows", async () => {
        const { code, review } = await reviewed(readings(database.owner));

        expect([code, review.verdict]).toEqual([3, "destructive"]);
        expect(review.objects[0]).toMatchObject({
            object: "public.by_hour",
            action: "delete",
            reasons: [
                {
                    code: "drops_rows",
                    message: expect.stringMatching(
                        /; rows not counted: run npm run review with --stack$/,
                    ) as string,
                },
            ],
            removed: { rows: null },
        });
    });

    it("of a query that up refuses says so, and why", async () => {
        const changed = { ...hourly, query: byHour.replace("sum(value)", "max(value)") };
        const { code, markdown } = await reviewed(readings(database.owner, changed));

        expect(code).toBe(5);
        expect(markdown).toMatch(
            /\*\*⛔ `up` refuses this:\*\* the query of continuous aggregate public\.by_hour has changed/,
        );
    });

    it("of a preview that fails is failed, never no change", async () => {
        const { code, markdown } = await reviewed(
            readings(database.owner, { ...hourly, query: "nonsense" }),
        );

        expect(code).toBe(1);
        expect(markdown).toContain("## ❌ Failed");
        expect(markdown).toContain("the query is not a SELECT");
    });

    it("of a database that does not answer is not compared", async () => {
        const elsewhere = { ...database.owner, port: 1 };
        const { code, review } = await reviewed(readings(elsewhere, hourly));

        expect([code, review.verdict]).toEqual([4, "notCompared"]);
    });
});
