/** A changed query with its history kept, by the real engine: previewed, applied, taken back, destroyed. */
import type { TestDatabase } from "../helpers/databases";
import { changes, differences, planSaid, said, succeeded } from "../helpers/engineRun";
import { createEngineStack, describeOnServers, type EngineStack } from "../helpers/engineStack";
import { byHour, insertReadings, query, readings } from "./readings";

describeOnServers("a change that keeps history", (server) => {
    let database: TestDatabase;
    let stack: EngineStack;

    const former = () => readings(database.owner, { name: "by_hour" });
    const changed = () =>
        readings(database.owner, {
            name: "by_hour",
            query: byHour.replace("sum(value)", "max(value) AS highest, sum(value)"),
            onQueryChange: "keepHistory",
        });
    const contents = () => query(database.owner, "SELECT * FROM by_hour ORDER BY 1, 2");
    const aggregates = async () => {
        const rows = await query<{ name: string }>(
            database.owner,
            "SELECT user_view_name AS name FROM _timescaledb_catalog.continuous_agg ORDER BY 1",
        );
        return rows.map(({ name }) => name.replace(/\d{8}_\d+$/, "…"));
    };

    beforeAll(async () => {
        [database, stack] = await Promise.all([server.createDatabase(), createEngineStack()]);
        succeeded(await stack.up(readings(database.owner)));
        await insertReadings(database.owner);
        succeeded(await stack.up(former()));
        await query(
            database.owner,
            "SELECT drop_chunks('readings', older_than => date_trunc('day', now(), 'UTC') - interval '3 days')",
        );
    });

    afterAll(async () => {
        await stack?.remove();
        await database?.drop();
    });

    it("says in preview what is copied, from when on it is computed, and how names change hands", async () => {
        const before = await contents();

        const preview = succeeded(await stack.preview(changed()));

        expect(differences(preview, "by_hour")).toMatch(
            new RegExp(
                [
                    "^~ query: changed",
                    "(?:.*\\n)*~ build it beside, as public\\.by_hour_building, and let it take its place; 30 rows of history are copied: 2 days of hourly history exist only in this aggregate, .*; raw data begins \\S+",
                    "~ history\\.highest: none → NULL in the copied history",
                    "~ what stands now stays as public\\.by_hour_replaced_\\d{8}_\\d+",
                ].join("\\n"),
            ),
        );
        const plan = planSaid(preview, "by_hour");
        for (const step of [
            "create_continuous_aggregate  ShareRowExclusiveLock on public.readings and its chunks: writers wait",
            "refresh_continuous_aggregate  ExclusiveLock on buckets of public.by_hour_building",
            "copy_history  RowExclusiveLock on public.by_hour_building",
            "pause_jobs",
            "rename  AccessExclusiveLock on public.by_hour: readers and writers wait",
            "guard_history",
            "! REBUILDS: ",
            "! RESTARTS_JOB: ",
        ]) {
            expect(plan).toContain(step);
        }
        expect(plan).not.toContain("LOSES_HISTORY");
        expect(await contents()).toEqual(before);
        expect(await aggregates()).toEqual(["by_hour"]);
    });

    it("is one update, after which there is nothing to change", async () => {
        const before = await query(
            database.owner,
            "SELECT bucket, sensor, total FROM by_hour ORDER BY 1, 2",
        );

        const run = succeeded(await stack.up(changed()));

        expect(changes(run)).toEqual({ by_hour: "update" });
        expect(await query(database.owner, "SELECT bucket, sensor, total FROM by_hour ORDER BY 1, 2")).toEqual(before); // prettier-ignore
        const after = succeeded(await stack.preview(changed(), { expectNoChanges: true }));
        expect(said(after, "by_hour")).toMatch(
            /^the version that was replaced stands as public\.by_hour_replaced_\S+, with 1 job: /,
        );
    });

    it("is undone by the previous version of the program, without computing anything", async () => {
        const run = succeeded(await stack.up(former()));

        expect(changes(run)).toEqual({ by_hour: "update" });
        expect(differences(run, "by_hour")).toContain("has this query: it takes its place again");
        expect(run.statuses.join("\n")).not.toContain("copying");
        succeeded(await stack.preview(former(), { expectNoChanges: true }));
        expect(await aggregates()).toEqual(["by_hour", "by_hour_replaced_…"]);
    });

    it("leaves nothing behind when the aggregate is given up", async () => {
        const giving = readings(database.owner, {
            name: "by_hour",
            acceptLoss: { upToRows: 1000 },
        });
        succeeded(await stack.up(giving));

        succeeded(await stack.up(readings(database.owner)));

        expect(await aggregates()).toEqual([]);
        expect(
            await query(
                database.owner,
                "SELECT proname FROM pg_proc WHERE proname LIKE 'pulumi_timescale%'",
            ),
        ).toEqual([]);
    });
});
