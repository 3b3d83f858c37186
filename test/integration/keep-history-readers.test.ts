/** Readers and writers during a change that keeps history: none of them fails, and no row is missing. */
import { Client } from "pg";

import { clientConfig } from "../../components/timescale/core/connection/tls";
import { aggregate, type AggregateInputs, expectNoChange, hypertable } from "./declared";
import { onServersWithSessions } from "./onEveryServer";

const hourly: AggregateInputs = {
    name: "hourly",
    query: "SELECT time_bucket('1 hour', ts) AS bucket, model, count(*) AS n, sum(ms) AS total FROM requests GROUP BY 1, 2",
    refreshPolicy: { startOffset: "2 days", endOffset: "1 hour", scheduleInterval: "5 minutes" },
};
const changed: AggregateInputs = {
    ...hourly,
    query: hourly.query.replace("sum(ms)", "max(ms) AS slowest, sum(ms)"),
    onQueryChange: "keepHistory",
};

onServersWithSessions("readers and writers during a change of query", (target) => {
    /** Repeats the statement on a connection of its own until it is told to stop. */
    const repeating = async (
        text: string,
        each: (row: Record<string, unknown>) => void,
    ): Promise<{ stop(): Promise<number> }> => {
        const client = new Client(clientConfig(target.database.owner));
        await client.connect();
        let stopped = false;
        let times = 0;
        const running = (async () => {
            while (!stopped) {
                const { rows } = await client.query<Record<string, unknown>>(text);
                each(rows[0] ?? {});
                times += 1;
            }
        })();
        return {
            stop: async () => {
                stopped = true;
                await running;
                await client.end();
                return times;
            },
        };
    };

    it("see every row at every moment, there and back", async () => {
        await hypertable(target, {
            name: "requests",
            columns: [
                { name: "ts", type: "timestamptz" },
                { name: "model", type: "text" },
                { name: "ms", type: "int" },
            ],
            timeColumn: "ts",
            chunkTimeInterval: "1 day",
        }).up();
        await target.byHand(
            `INSERT INTO requests SELECT t, model, 7
             FROM generate_series(now() - interval '40 days', now(), interval '1 minute') t, (VALUES ('x'), ('y')) models (model)`,
        );
        const standing = aggregate(target, hourly);
        await standing.up();
        await target.byHand("SELECT drop_chunks('requests', older_than => interval '15 days')");
        await target.byHand("CREATE VIEW daily AS SELECT date_trunc('day', bucket) AS day, sum(n) AS n FROM hourly GROUP BY 1"); // prettier-ignore
        const read = "SELECT count(*) AS rows, sum(n) AS n, max(bucket) AS newest, (SELECT sum(n) FROM daily) AS daily FROM hourly"; // prettier-ignore
        const [before] = await target.byHand(read);
        const seen = new Set<string>();

        const reader = await repeating(read, (row) => seen.add(JSON.stringify(row)));
        const writer = await repeating("INSERT INTO requests VALUES (now(), 'x', 7)", () => undefined); // prettier-ignore
        await standing.up(changed);
        await standing.up(hourly);
        const reads = await reader.stop();
        const writes = await writer.stop();

        expect(reads).toBeGreaterThan(10);
        expect(writes).toBeGreaterThan(10);
        expect([...seen]).toEqual([JSON.stringify(before)]);
        await expectNoChange(standing);
    }, 120_000);
});
