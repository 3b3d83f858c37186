import type { TestDatabase } from "../helpers/databases";
import { changes, failed, said, succeeded } from "../helpers/engineRun";
import {
    createEngineStack,
    describeOnServers,
    type EngineStack,
    resourcesOf,
} from "../helpers/engineStack";
import { byHour, everything, query, readings, refreshJob } from "./readings";

const policy = { startOffset: "1 day", endOffset: "1 hour", scheduleInterval: "5 minutes" };
const slower = { ...policy, scheduleInterval: "10 minutes" };

const respelled = `
    -- the same by another hand
    select TIME_BUCKET('60 minutes', "readings".ts) as bucket, readings.sensor, COUNT(*) n,
        sum(value) as total
    from public.readings group by 1, 2;`;

describeOnServers("a changed aggregate", (server) => {
    let database: TestDatabase;
    let stack: EngineStack;

    beforeAll(async () => {
        [database, stack] = await Promise.all([server.createDatabase(), createEngineStack()]);
        succeeded(
            await stack.up(readings(database.owner, { name: "by_hour", refreshPolicy: policy })),
        );
    });

    afterAll(async () => {
        await stack?.remove();
        await database?.drop();
    });

    it("has its policy altered in place", async () => {
        const { owner } = database;
        const before = await refreshJob(owner, "by_hour");

        const run = succeeded(
            await stack.up(readings(owner, { name: "by_hour", refreshPolicy: slower })),
        );

        expect(changes(run)).toEqual({ by_hour: "update" });
        expect(said(run, "by_hour")).toContain(
            "refreshPolicy.scheduleInterval: 00:05:00 → 10 minutes",
        );
        expect(await refreshJob(owner, "by_hour")).toMatchObject({
            id: before.id,
            schedule: "00:10:00",
            scheduled: true,
        });
    });

    it("is unchanged when its query is only spelled otherwise", async () => {
        const program = readings(database.owner, {
            name: "by_hour",
            query: respelled,
            refreshPolicy: { ...slower, startOffset: "24 hours", scheduleInterval: "600 seconds" },
        });

        const run = succeeded(await stack.up(program, { expectNoChanges: true }));

        expect(said(run, "by_hour")).toBe("");
    });

    it("with another query goes through preview, which says that up will refuse", async () => {
        const program = readings(database.owner, {
            name: "by_hour",
            query: byHour.replace("sum(value)", "max(value)"),
            refreshPolicy: policy,
        });
        const before = await everything(database.owner);
        const state = resourcesOf(await stack.state());

        const preview = succeeded(await stack.preview(program));
        const run = failed(await stack.up(program));

        expect(changes(preview)).toEqual({ by_hour: "update" });
        for (const text of [said(preview, "by_hour"), run.failure]) {
            expect(text).toContain("the query of continuous aggregate public.by_hour has changed");
            expect(text).toMatch(/-.*sum\((readings\.)?value\)[^]*\+.*max\((readings\.)?value\)/);
            expect(text).toContain("hint:");
        }
        expect(said(preview, "by_hour")).toContain("up will refuse this");
        expect(await everything(database.owner)).toEqual(before);
        expect(resourcesOf(await stack.state())).toEqual(state);
    });

    it("is created again when someone has dropped it", async () => {
        const { owner } = database;
        const program = readings(owner, { name: "by_hour", refreshPolicy: policy });
        await query(owner, "DROP MATERIALIZED VIEW by_hour");

        const run = succeeded(await stack.up(program));

        expect(said(run, "by_hour")).toContain("create the continuous aggregate");
        expect(changes(run)).toEqual({ by_hour: "update" });
        expect(await refreshJob(owner, "by_hour")).toMatchObject({
            schedule: "00:05:00",
            scheduled: true,
        });
    });
});
