/** What `pulumi preview` says that `up` would run, with locks and hazards; as text, and as JSON. */
import type { PlanDocument } from "../../components/timescale/provider/planDocument";
import type { TestDatabase } from "../helpers/databases";
import { planSaid, type Run, said, succeeded } from "../helpers/engineRun";
import { createEngineStack, describeOnServers, type EngineStack } from "../helpers/engineStack";
import { withPlans } from "../helpers/previewJson";
import { byHour, everything, insertReadings, query, readings } from "./readings";

describeOnServers("a plan in preview", (server) => {
    let database: TestDatabase;
    let stack: EngineStack;

    beforeAll(async () => {
        [database, stack] = await Promise.all([server.createDatabase(), createEngineStack()]);
        succeeded(await stack.up(readings(database.owner)));
        await insertReadings(database.owner);
    });

    afterAll(async () => {
        await stack?.remove();
        await database?.drop();
    });

    /** The same preview for programs, which is one document a resource. */
    async function documentOf(
        program: Parameters<EngineStack["preview"]>[0],
    ): Promise<PlanDocument> {
        const run: Run = succeeded(await withPlans(stack, () => stack.preview(program)));
        return JSON.parse(said(run, "by_hour")) as PlanDocument;
    }

    it("of a new aggregate has its statements in order, each with its lock, and the fill", async () => {
        const program = readings(database.owner, { name: "by_hour" });

        const preview = succeeded(await stack.preview(program));
        const document = await documentOf(program);

        expect(said(preview, "by_hour")).toBe(planSaid(preview, "by_hour"));
        expect(planSaid(preview, "by_hour")).toMatch(
            new RegExp(
                [
                    "^plan:",
                    "  in one transaction:",
                    "   1\\. create_continuous_aggregate  ShareRowExclusiveLock on public\\.readings and its chunks: writers wait",
                    '          CREATE MATERIALIZED VIEW "public"\\."by_hour" .*…',
                    "   2\\. mark_first_fill",
                    "          DO … \\(\\d+ lines\\)",
                    "   3\\. add_refresh_policy",
                    "          SELECT alter_job\\(.*…",
                    "  outside the transaction:",
                    "   4\\. refresh_continuous_aggregate  ExclusiveLock on buckets of public\\.by_hour: writers wait",
                    "          CALL refresh_continuous_aggregate\\(.*\\)",
                    "          for each window of buckets, oldest first; public\\.readings begins \\d{4}-\\d\\d-\\d\\d",
                    "  in one transaction:",
                    "   5\\. mark_first_fill  .*",
                    "          DO … .*",
                    "   6\\. alter_refresh_policy",
                    "          SELECT alter_job\\(.*\\)$",
                ].join("\\n"),
            ),
        );
        expect(document).toMatchObject({
            result: "differs",
            exists: false,
            fill: true,
            hazards: [],
        });
        expect(document.statements.map(({ name }) => name)).toEqual([
            ...["create_continuous_aggregate", "mark_first_fill", "add_refresh_policy"],
            ...["refresh_continuous_aggregate", "mark_first_fill", "alter_refresh_policy"],
        ]);
        expect(document.statements[0]?.sql).toContain(byHour.trim().split("\n").at(-1)?.trim());
        succeeded(await stack.up(program));
    });

    it("of a rebuild names what is lost for ever, and who waits; and nothing of it is stored", async () => {
        await query(
            database.owner,
            "SELECT drop_chunks('readings', older_than => date_trunc('day', now(), 'UTC') - interval '3 days')",
        );
        const [lost] = await query<{ rows: number; oldest: string; newest: string; raw: string }>(
            database.owner,
            `SELECT count(*)::int AS rows, min(bucket AT TIME ZONE 'UTC')::text AS oldest, max(bucket AT TIME ZONE 'UTC')::text AS newest,
                 to_char(date_trunc('day', now(), 'UTC') - interval '3 days', 'YYYY-MM-DD') AS raw
             FROM by_hour WHERE bucket < date_trunc('day', now(), 'UTC') - interval '3 days'`,
        );
        const program = readings(database.owner, {
            name: "by_hour",
            query: byHour.replace("sum(value)", "max(value)"),
            onQueryChange: "rebuild",
            acceptLoss: { upToRows: 1000 },
        });
        const before = await everything(database.owner);

        const preview = succeeded(await stack.preview(program));
        const document = await documentOf(program);

        // Three days of ten readings, of which the newest is at ten.
        expect(lost?.rows).toBe(30);
        const loses = `2 days of hourly history exist only in this aggregate, 30 rows from ${lost?.oldest}+00 to ${lost?.newest}+00; raw data begins ${lost?.raw}`;
        const text = planSaid(preview, "by_hour");
        expect(text).toContain(
            "   1. check_history  AccessExclusiveLock on public.readings and its chunks: readers and writers wait\n",
        );
        expect(text).toContain(
            `scheduled => true)\n! LOSES_HISTORY: ${loses}\n! REBUILDS: public.by_hour is dropped`,
        );
        expect(text).toContain("\n! BLOCKS_WRITES: writers of public.readings wait while ");
        expect(text).toContain("\n! BLOCKS_READS: ");
        expect(text).toMatch(/\n! RESTARTS_JOB: its policies get new jobs: job \d+ goes/);
        expect(document.hazards[0]).toEqual({
            name: "LOSES_HISTORY",
            message: loses,
            stake: {
                rows: 30,
                oldest: `${lost?.oldest}+00`,
                newest: `${lost?.newest}+00`,
                estimated: false,
            },
        });
        expect(document.statements.slice(0, 3).map(({ name, lock }) => [name, lock?.mode])).toEqual(
            [
                ["check_history", "AccessExclusiveLock"],
                ["drop_continuous_aggregate", "AccessExclusiveLock"],
                ["create_continuous_aggregate", "ShareRowExclusiveLock"],
            ],
        );
        expect(await everything(database.owner)).toEqual(before);

        succeeded(await stack.up(program));
        expect(JSON.stringify(await stack.state())).not.toMatch(
            /LOSES_HISTORY|AccessExclusiveLock/,
        );
        const after = succeeded(await stack.preview(program, { expectNoChanges: true }));
        expect(after.diagnostics).toEqual([]);
    });
});
