/** Reviews of what goes: rows, times and dependants, held against the database that was asked. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

import { countRemovals } from "../../commands/review/countRemovals";
import type { Review, ReviewedObject } from "../../commands/review/document";
import { render } from "../../commands/review/render";
import { reviewOf } from "../../commands/review/review";
import { readPreview } from "../../components/timescale/provider/preview";
import { withClient } from "../helpers/clients";
import type { TestDatabase } from "../helpers/databases";
import { succeeded } from "../helpers/engineRun";
import {
    createEngineStack,
    describeOnServers,
    engineDirectory,
    type EngineStack,
} from "../helpers/engineStack";
import { previewedAsJson } from "../helpers/previewJson";
import { compareWithExample } from "./examples";
import { insertReadings, query, readings } from "./readings";

const root = dirname(dirname(__dirname));

/** A machine that runs other suites besides is slow. */
const patient = { statement: 60_000, object: 120_000, all: 240_000 };

type Program = Parameters<EngineStack["preview"]>[0];

interface Counts extends Record<string, unknown> {
    readonly rows: number;
    readonly oldest: string;
    readonly newest: string;
}

describeOnServers("a review of what goes", (server) => {
    let database: TestDatabase;
    let stack: EngineStack;
    let folder: string;
    const hourly = { name: "by_hour", chunkTimeInterval: "1 day" };

    beforeAll(async () => {
        folder = mkdtempSync(join(tmpdir(), "observatory-removals-"));
        [database, stack] = await Promise.all([server.createDatabase(), createEngineStack()]);
        succeeded(await stack.up(readings(database.owner)));
        await insertReadings(database.owner);
        succeeded(await stack.up(readings(database.owner, hourly)));
    });

    afterAll(async () => {
        await stack?.remove();
        await database?.drop();
        rmSync(folder, { recursive: true, force: true });
        onlyHere();
    });

    /** Pulumi writes the salt of the stack's passphrase beside the project, for which the next stack has another. */
    const onlyHere = (): void => rmSync(join(root, "Pulumi.test.yaml"), { force: true });

    const empty: Program = () => Promise.resolve();

    /** As `npm run review -- --stack` does it, but for who runs the engine. */
    async function reviewed(
        program: Program,
        exported = () => stack.cli("stack", "export", "--show-secrets"),
    ): Promise<{ review: Review; markdown: string }> {
        const preview = readPreview(await previewedAsJson(stack, program));
        const removals = await countRemovals(preview, exported, patient);
        const review = reviewOf(preview, { removals: removals.byUrn, secrets: removals.secrets });
        const markdown = render(review);
        const { password } = database.owner;
        if (password !== "") {
            expect([...removals.secrets]).toContain(password);
            expect(JSON.stringify(review) + markdown).not.toContain(password);
        }
        return { review, markdown };
    }

    function found(review: Review, name: string): ReviewedObject {
        const object = review.objects.find((one) => one.object === `public.${name}`);
        if (object === undefined) throw new Error(`there is no ${name} in the review`);
        return object;
    }

    async function counts(from: string, time: string): Promise<Counts> {
        const [row] = await query<Counts>(
            database.owner,
            `SELECT count(*)::int AS rows, min(${time} AT TIME ZONE 'UTC')::text || '+00' AS oldest,
                 max(${time} AT TIME ZONE 'UTC')::text || '+00' AS newest FROM ${from}`,
        );
        if (row === undefined) throw new Error(`${from} was not counted`);
        return row;
    }

    it("says of an aggregate that raw data can give its rows again, and which they are", async () => {
        const { review } = await reviewed(readings(database.owner));
        const { rows, oldest, newest } = await counts("by_hour", "bucket");

        expect(rows).toBe(60);
        expect(found(review, "by_hour")).toMatchObject({
            action: "delete",
            verdict: "destructive",
            hazards: [],
            refusals: [],
            removed: { rows, oldest, newest, estimated: false, chunks: 6, notCounted: null },
        });
        expect(found(review, "by_hour").reasons).toEqual([
            {
                code: "drops_rows",
                message: expect.stringContaining(
                    `it is dropped, with 60 rows from ${oldest} to ${newest}, in 6 chunks, `,
                ) as string,
            },
        ]);
        expect(found(review, "by_hour").reasons[0]?.message).toMatch(
            /; raw data can give them again$/,
        );
    });

    it("says of a hypertable what goes with it, and that nothing gives its aggregate again", async () => {
        const { review } = await reviewed(empty);
        const { rows, oldest, newest } = await counts("readings", "ts");

        expect(rows).toBe(60);
        expect(found(review, "readings")).toMatchObject({
            verdict: "destructive",
            hazards: [{ name: "LOSES_DATA", stake: { rows, oldest, newest, estimated: false } }],
            refusals: [],
            removed: { rows, oldest, newest, chunks: 6, notCounted: null },
        });
        expect(found(review, "by_hour")).toMatchObject({
            refusals: [],
            reasons: [
                {
                    code: "drops_rows",
                    message: expect.stringMatching(
                        /; what they are computed from goes as well$/,
                    ) as string,
                },
            ],
        });
        await query(database.owner, "ANALYZE readings");
    });

    it("names what reads it and stays, by which up refuses", async () => {
        await query(database.owner, "CREATE VIEW busiest AS SELECT max(n) FROM by_hour");
        const { review, markdown } = await reviewed(readings(database.owner));
        await query(database.owner, "DROP VIEW busiest");

        expect(review).toMatchObject({ verdict: "refused", exitCode: 5 });
        expect(found(review, "by_hour").refusals).toMatchObject([
            { code: "2BP01", detail: "view public.busiest" },
        ]);
        expect(markdown).toContain("Detail: view public.busiest");
        expect((await reviewed(readings(database.owner))).review.verdict).toBe("destructive");
    });

    it("asks nobody about one that is kept", async () => {
        const kept = { ...hourly, onDelete: "keep" as const };
        succeeded(await stack.up(readings(database.owner, kept)));
        const preview = readPreview(await previewedAsJson(stack, readings(database.owner)));
        const exported = jest.fn<Promise<string>, []>();
        const removals = await countRemovals(preview, exported);
        const review = reviewOf(preview, { removals: removals.byUrn });
        succeeded(await stack.up(readings(database.owner, hourly)));

        expect(exported).not.toHaveBeenCalled();
        expect(found(review, "by_hour")).toMatchObject({
            verdict: "caution",
            reasons: [{ code: "forgets_resource" }],
        });
    });

    it("says why the rows are not counted, and stays destructive, where nobody answers", async () => {
        const { review, markdown } = await reviewed(readings(database.owner), async () => {
            const state = await stack.cli("stack", "export", "--show-secrets");
            return state.replaceAll(`\\"port\\":${database.owner.port}`, '\\"port\\":1');
        });

        expect(review).toMatchObject({ verdict: "destructive", exitCode: 3 });
        expect(found(review, "by_hour").removed).toMatchObject({
            rows: null,
            notCounted: expect.stringContaining(":1") as string,
        });
        expect(markdown).toMatch(/rows not counted: /);
    });

    it("does not wait for whoever holds the table", async () => {
        // Its clients share one session there, and a client waits for another's transaction.
        if (server.kind === "embedded") return;
        const started = Date.now();
        const { review } = await withClient(database.owner, async (client) => {
            await client.query("BEGIN; LOCK TABLE readings, by_hour IN ACCESS EXCLUSIVE MODE");
            const exported = await stack.cli("stack", "export", "--show-secrets");
            const preview = readPreview(JSON.stringify(deletionOf(exported)));
            const removals = await countRemovals(preview, () => Promise.resolve(exported));
            await client.query("ROLLBACK");
            return { review: reviewOf(preview, { removals: removals.byUrn }) };
        });

        expect(Date.now() - started).toBeLessThan(15_000);
        expect(found(review, "readings")).toMatchObject({
            verdict: "destructive",
            removed: { notCounted: expect.stringContaining("lock timeout") as string },
        });
    });

    it("counts what exists in the aggregate alone, which up refuses to drop", async () => {
        await query(
            database.owner,
            "SELECT drop_chunks('readings', older_than => date_trunc('day', now(), 'UTC') - interval '3 days')",
        );
        const { rows, oldest, newest } = await counts(
            "by_hour WHERE bucket < (SELECT date_trunc('day', min(ts), 'UTC') FROM readings)",
            "bucket",
        );
        const { review } = await reviewed(readings(database.owner));

        expect(rows).toBe(30);
        expect(review).toMatchObject({ verdict: "refused", exitCode: 5 });
        expect(found(review, "by_hour")).toMatchObject({
            hazards: [{ name: "LOSES_HISTORY", stake: { rows, oldest, newest } }],
            refusals: [{ code: "loses_history" }],
            removed: { rows: 60 },
        });
    });

    it("is destructive where that is accepted, with rows and times in the comment", async () => {
        const accepted = { ...hourly, acceptLoss: { upToRows: 1000 } };
        succeeded(await stack.up(readings(database.owner, accepted)));
        const { review, markdown } = await reviewed(readings(database.owner));

        expect(review).toMatchObject({ verdict: "destructive", exitCode: 3 });
        expect(found(review, "by_hour").reasons.map(({ code }) => code)).toEqual([
            "LOSES_HISTORY",
            "drops_rows",
        ]);
        expect(markdown).toMatch(
            /<code>LOSES_HISTORY<\/code>\*\* 2 days of hourly history .*\(30 rows, /,
        );
        compareWithExample(server, "deletion", markdown);
    });

    it("is told of a destroy by the command itself", async () => {
        const { envVars } = stack.stack.workspace;
        onlyHere();
        const json = join(folder, "review.json");
        // Without waiting for it: the embedded server may run in this process.
        const ran = await new Promise<{ code: unknown; stdout: string; stderr: string }>((done) => {
            execFile(
                process.execPath,
                [
                    ...["--import", "tsx", "commands/review.ts", "--stack", "test", "--destroy"],
                    ...["--json-out", json],
                ],
                {
                    cwd: root,
                    env: {
                        ...process.env,
                        ...envVars,
                        PATH: [engineDirectory(), process.env["PATH"]].join(delimiter),
                    },
                },
                (error, stdout, stderr) => done({ code: error?.code ?? 0, stdout, stderr }),
            );
        });
        expect(ran.stderr).not.toContain("error");
        expect(ran.code).toBe(3);
        const review = JSON.parse(readFileSync(json, "utf8")) as Review;
        const { password } = database.owner;
        if (password !== "") {
            expect(JSON.stringify(review) + ran.stdout + ran.stderr).not.toContain(password);
        }

        expect(review).toMatchObject({
            operation: "destroy",
            verdict: "destructive",
            summary: "Destroy would delete 2 objects; 2 are destructive.",
        });
        expect(found(review, "by_hour").hazards).toMatchObject([
            { name: "LOSES_HISTORY", stake: { rows: 30 } },
        ]);
        expect(found(review, "readings")).toMatchObject({
            refusals: [],
            removed: await counts("readings", "ts"),
        });
        expect(ran.stdout).toContain("| What `destroy` does |");
        expect(await counts("readings", "ts")).toMatchObject({ rows: 30 });
    });
});

/** The preview of a program without any of the resources in a state, as the engine has it. */
function deletionOf(exported: string): object {
    const { deployment } = JSON.parse(exported) as {
        readonly deployment: { readonly resources: readonly { readonly urn: string }[] };
    };
    const steps = deployment.resources.map((state) => ({
        op: "delete",
        urn: state.urn,
        oldState: state,
    }));
    return { steps, changeSummary: { delete: steps.length } };
}
