import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

import type { Connection } from "../../components/timescale";
import type { TestDatabase } from "../helpers/databases";
import { changes, failed, succeeded } from "../helpers/engineRun";
import {
    createEngineStack,
    describeOnServers,
    type EngineStack,
    resourcesOf,
} from "../helpers/engineStack";
import { type Link, openLink, whyNoLink } from "./link";
import { byHour, contents, insertReadings, query, readings, refreshJob } from "./readings";

/** An integer square overflows from 46,341 on. */
const squares = byHour.replace("sum(value)", "sum(value * value)");
const byDay = byHour.replace("1 hour", "1 day");

const overflowing = {
    name: "squares",
    query: squares,
    // The rule that would keep it from failing.
    waive: [{ rule: "integer_product", reason: "the failure is what is tested" }],
} as const;
const cut = { name: "cut_off", query: byHour };
const killed = {
    name: "killed",
    query: byDay,
    refreshPolicy: { startOffset: "3 days", endOffset: "1 day", scheduleInterval: "1 hour" },
};

const interrupted = {
    name: "interrupted",
    query: byDay,
    refreshPolicy: { startOffset: "3 days", endOffset: "1 day", scheduleInterval: "1 hour" },
};

/** What a fill sends for each window. */
const refresh = /CALL \S*refresh_continuous_aggregate/;
const window = /CALL \S*refresh_continuous_aggregate[^\0]*/;

describeOnServers(
    "an up that fails in the middle",
    (server) => {
        let database: TestDatabase;
        let link: Link;
        let stack: EngineStack;
        let connection: Connection;

        beforeAll(async () => {
            [database, stack] = await Promise.all([server.createDatabase(), createEngineStack()]);
            // What is tested is what happens when nothing comes back; see failover.test.ts.
            stack.stack.workspace.envVars["PULUMI_TIMESCALE_FAILOVER_SECONDS"] = "0";
            link = await openLink(database.owner);
            connection = link.through(database.owner);
            succeeded(await stack.up(readings(connection)));
            await insertReadings(database.owner);
        });

        afterAll(async () => {
            await stack?.remove();
            await link?.close();
            await database?.drop();
        });

        /** Stands, filled up to somewhere, and waits for the next `up`. */
        async function expectUnfinished(name: string, definition: string): Promise<void> {
            const { materialized, computed } = await contents(database.owner, name, definition);
            expect(materialized.length).toBeGreaterThan(0);
            expect(computed).toEqual(expect.arrayContaining(materialized));
            expect(computed.length).toBeGreaterThan(materialized.length);
            expect((await refreshJob(database.owner, name)).scheduled).toBe(false);
        }

        async function expectFinished(name: string, definition: string): Promise<void> {
            const { materialized, computed } = await contents(database.owner, name, definition);
            expect(materialized).toEqual(computed);
            expect((await refreshJob(database.owner, name)).scheduled).toBe(true);
        }

        it("because of the data keeps what stands, and is finished when the data is right", async () => {
            const bad = "ts = date_trunc('day', now(), 'UTC') - interval '2 days 19 hours'";
            await query(database.owner, `UPDATE readings SET value = 46341 WHERE ${bad}`);

            const run = failed(await stack.up(readings(connection, overflowing)));

            expect(run.failure).toMatch(/integer out of range.*22003/);
            expect(run.failure).toContain("cast to a wider one before aggregating");
            expect(run.statuses).toContainEqual(
                expect.stringMatching(/^squares: filling: .*, \d+ of \d+ days/),
            );
            const resource = resourcesOf(await stack.state()).get("squares");
            expect(resource?.initErrors?.join("\n")).toContain("integer out of range");
            expect(
                await query(database.owner, "SELECT count(*)::int AS n FROM squares"),
            ).not.toEqual([{ n: 0 }]);
            expect((await refreshJob(database.owner, "squares")).scheduled).toBe(false);

            await query(database.owner, `UPDATE readings SET value = 46340 WHERE ${bad}`);
            const next = succeeded(await stack.up(readings(connection, overflowing)));

            expect(changes(next)).toEqual({ squares: "update" });
            await expectFinished("squares", squares);
        });

        it("because the connection breaks keeps what stands, and is finished by the next", async () => {
            const program = readings(connection, overflowing, cut);
            const running = stack.up(program);
            await link.hold(refresh, 3, running);
            await link.cut();
            const run = failed(await running);
            await link.restore();

            expect(run.failure).toContain("the connection broke while working on");
            expect(run.failure).toContain("run the same command again");
            await expectUnfinished("cut_off", byHour);
            const resource = resourcesOf(await stack.state()).get("cut_off");
            expect(resource?.initErrors?.length).toBe(1);

            const next = succeeded(await stack.up(program));

            expect(changes(next)).toEqual({ cut_off: "update" });
            await expectFinished("cut_off", byHour);
        });

        it("because the engine is killed leaves no process behind and loses nothing", async () => {
            const program = readings(connection, overflowing, cut, killed);
            const windows = link.record(window);
            const running = stack.up(program);
            await link.hold(refresh, 3, running);
            const children = stack.kill();
            const ended = await secondsUntilEnded(children);
            failed(await running);
            const state = await stack.state();

            expect(children.length).toBeGreaterThan(0);
            expect(ended).toBeLessThan(2);
            await expectUnfinished("killed", byDay);
            expect(resourcesOf(state).has("killed")).toBe(false);
            expect(state.pendingOperations).toBe(1);

            // The killed engine has left its lock on the backend.
            link.release();
            expect(failed(await stack.up(program)).failure).toMatch(/lock/);
            await stack.stack.cancel();
            const next = succeeded(await stack.up(program));

            expect(changes(next)).toEqual({ killed: "create" });
            await expectFinished("killed", byDay);
            // The third was sent, and never arrived: it is the first of those that are made up for.
            const [first, second, third, ...rest] = windows.map(bounds);
            expect(rest[0]?.[0]).toBe(third?.[0]);
            expect(first?.[1]).toBe(second?.[0]);
            expect(second?.[1]).toBe(third?.[0]);
        });

        it("because of Ctrl-C ends after the window that runs, and is finished by the next", async () => {
            const program = readings(connection, overflowing, cut, killed, interrupted);
            const windows = link.record(window);
            const running = stack.up(program);
            await link.hold(refresh, 2, running);
            stack.interrupt();
            // As long as this window takes.
            await sleep(2000);
            link.resume();
            const run = failed(await running);

            expect(windows).toHaveLength(2);
            expect(run.statuses).toContainEqual(
                expect.stringMatching(
                    /^interrupted: stopping after this window; the next run goes on; filling: /,
                ),
            );
            expect(run.failure).toContain("the fill of public.interrupted was stopped");
            await expectUnfinished("interrupted", byDay);
            const resource = resourcesOf(await stack.state()).get("interrupted");
            expect(resource?.initErrors?.join("\n")).toContain("was stopped");

            const next = succeeded(await stack.up(program));

            expect(changes(next)).toEqual({ interrupted: "update" });
            expect(bounds(windows[2])[0]).toBe(bounds(windows[1])[1]);
            await expectFinished("interrupted", byDay);
        });

        it("has left nothing to do in the end", async () => {
            const program = readings(connection, overflowing, cut, killed, interrupted);

            // The engine remembers what it was killed at until it is told to forget.
            succeeded(await stack.refresh({ clearPendingCreates: true, expectNoChanges: true }));
            succeeded(await stack.preview(program, { expectNoChanges: true }));

            const state = await stack.state();
            expect(state.pendingOperations).toBe(0);
            expect(state.resources.flatMap(({ initErrors }) => initErrors ?? [])).toEqual([]);
            for (const [place, content] of await stack.traces()) {
                expect([place, content.includes(connection.password)]).toEqual([place, false]);
            }
        });
    },
    ({ admin }) => (admin === undefined ? undefined : whyNoLink(admin)),
);

/** From when to when a window goes. */
function bounds(call = ""): string[] {
    return call.match(/\d{4}-\d\d-\d\dT[\d:.]+Z/g) ?? [];
}

/** Until none of these processes runs; one that nobody has collected yet counts as ended. */
async function secondsUntilEnded(processes: readonly number[]): Promise<number> {
    const started = Date.now();
    while (Date.now() - started < 30_000) {
        const states = execFileSync("ps", ["-A", "-o", "pid=,stat="], { encoding: "utf8" })
            .split("\n")
            .map((line) => line.trim().split(/\s+/));
        const running = states.filter(
            ([pid, state = ""]) => processes.includes(Number(pid)) && !state.startsWith("Z"),
        );
        if (running.length === 0) break;
        await sleep(50);
    }
    return (Date.now() - started) / 1000;
}
