/**
 * Reviews of real previews, by the command itself. Those of TimescaleDB 2.14 are the examples in docs/review/:
 * after a change of the comment, UPDATE_EXAMPLES=1 writes them anew.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import type { Review } from "../../commands/review/review";
import type { TestDatabase } from "../helpers/databases";
import { succeeded } from "../helpers/engineRun";
import { createEngineStack, describeOnServers, type EngineStack } from "../helpers/engineStack";
import { previewedAsJson } from "../helpers/previewJson";
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

    /** Holds the comment to the example of that name, where the server is the one that they are of. */
    function compare(name: string, markdown: string): void {
        if (!server.name.includes("2.14")) return;
        const file = join(root, "docs", "review", `${name}.md`);
        const text = timeless(markdown);
        if (process.env["UPDATE_EXAMPLES"] !== undefined) writeFileSync(file, text);
        expect(text).toBe(readFileSync(file, "utf8"));
    }

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

    it("of a deletion is destructive, though no plan tells of it", async () => {
        const { code, review } = await reviewed(readings(database.owner));

        expect([code, review.verdict]).toEqual([3, "destructive"]);
        expect(review.objects[0]).toMatchObject({
            object: "public.by_hour",
            action: "delete",
            reasons: [{ code: "drops_rows" }],
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

const day = 86_400_000;

/** Today is the tenth of September, and jobs and versions have their first numbers. */
function timeless(markdown: string): string {
    const shift = Date.parse("2026-09-10") - Math.floor(Date.now() / day) * day;
    const moved = (date: string): string =>
        new Date(Date.parse(date) + shift).toISOString().slice(0, 10);
    return markdown
        .replace(/\b20\d\d-\d\d-\d\d\b/g, moved)
        .replace(/_replaced_\d{8}_\d+/g, "_replaced_20260910_2")
        .replace(/\bjob \d{4}\b/g, "job 1000")
        .replace(/alter_job\(\d{4}/g, "alter_job(1000");
}
