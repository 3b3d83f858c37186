import type { Connection } from "../../components/timescale";
import type { TestDatabase } from "../helpers/databases";
import { failed, type Run, succeeded } from "../helpers/engineRun";
import { createEngineStack, describeOnServers, type EngineStack } from "../helpers/engineStack";
import { byHour, everything, readings } from "./readings";

/** How often the engine reports this about the resource. */
function count(run: Run, name: string, text: string): number {
    const errors = run.diagnostics.filter((one) => one.severity === "error" && one.name === name);
    return errors.filter(({ message }) => message.includes(text)).length;
}

describeOnServers("bad input", (server) => {
    let database: TestDatabase;
    let stack: EngineStack;
    let before: unknown;

    beforeAll(async () => {
        [database, stack] = await Promise.all([server.createDatabase(), createEngineStack()]);
        succeeded(await stack.up(readings(database.owner)));
        before = await everything(database.owner);
    });

    afterEach(async () => {
        expect(await everything(database.owner)).toEqual(before);
    });

    afterAll(async () => {
        await stack?.remove();
        await database?.drop();
    });

    it("in several properties gives each problem once, and all of them together", async () => {
        const aggregate = {
            name: "bad",
            refreshPolicy: {
                startOffset: "2 hours",
                endOffset: "1 hour",
                scheduleInterval: "5 minutes",
            },
            retentionPolicy: { dropAfter: "soon" },
            retention_policy: { dropAfter: "1 year" },
        };

        const run = failed(await stack.up(readings(database.owner, aggregate)));

        for (const problem of [
            "refreshPolicy covers 1 hour, and the bucket is 1 hour",
            "retentionPolicy.dropAfter is not an interval",
            "there is no property retention_policy",
        ]) {
            expect([problem, count(run, "bad", problem)]).toEqual([problem, 1]);
        }
        expect(run.failure).toContain(`set refreshPolicy.startOffset to at least "3 hours"`);
        expect(run.failure).toContain("write retentionPolicy");
    });

    it("in the query is told from its text", async () => {
        const text = "SELECT sensor, count(*) FROM readings GROUP BY 1; DROP TABLE readings";

        const run = failed(await stack.up(readings(database.owner, { name: "bad", query: text })));

        expect(count(run, "bad", "the query has no time_bucket")).toBe(1);
        expect(count(run, "bad", "the query holds more than one statement")).toBe(1);
    });

    it("that only the server can tell is told by preview in the server's words", async () => {
        const text = byHour.replace("sum(value)", "summ(value)");

        const run = failed(
            await stack.preview(readings(database.owner, { name: "bad", query: text })),
        );

        expect(count(run, "bad", "function summ(integer) does not exist")).toBe(1);
    });

    it("with one name for two resources is told by preview", async () => {
        const program = readings(
            database.owner,
            { resource: "one", name: "twice" },
            { resource: "two", name: "twice" },
        );

        const run = failed(await stack.preview(program));

        const told = run.diagnostics.filter(({ message }) =>
            message.includes("public.twice is declared twice"),
        );
        expect(told).toHaveLength(1);
        expect(told[0]?.message).toContain(
            'by ContinuousAggregate "one" and ContinuousAggregate "two", in one database',
        );
    });

    it("that is a URL instead of a connection is shown nowhere", async () => {
        const url = "postgres://owner:planted-5d0c77@localhost/llm_observatory";

        const run = failed(await stack.preview(readings(url as unknown as Connection)));

        expect(count(run, "readings", "connection must be an object")).toBe(1);
        for (const [place, content] of await stack.traces()) {
            expect([place, content.includes("planted-5d0c77")]).toEqual([place, false]);
        }
    });
});
