import { loadDemo } from "../../commands/demo/load";
import { models } from "../../commands/demo/workload";
import { aggregates, dashboardAggregates, queryOf } from "../../components/observatory/aggregates";
import { functions } from "../../components/observatory/functions";
import { hypertables } from "../../components/observatory/hypertables";
import { withClient } from "../helpers/clients";
import { type TestDatabase, testServers } from "../helpers/databases";

const names = aggregates.map(({ name }) => name);

/** The raw table and the aggregates as the program declares them, without policies. */
async function declare({ owner }: TestDatabase): Promise<void> {
    const traces = hypertables.find(({ name }) => name === "llm_traces");
    const columns = (traces?.columns ?? []).map(({ name, type, nullable, default: value }) =>
        [
            name,
            type,
            nullable === false ? "NOT NULL" : "",
            value === undefined ? "" : `DEFAULT ${value}`,
        ].join(" "),
    );
    await withClient(owner, async (client) => {
        await client.query(
            `CREATE TABLE llm_traces (${columns.join(", ")}, PRIMARY KEY (ts, trace_id, span_id))`,
        );
        await client.query(
            "SELECT create_hypertable('llm_traces', 'ts', chunk_time_interval => interval '1 day')",
        );
        await client.query("GRANT SELECT, INSERT ON llm_traces TO observatory_writer");
        for (const declaration of aggregates) {
            const { name } = declaration;
            await client.query(
                `CREATE MATERIALIZED VIEW ${name} WITH (timescaledb.continuous, timescaledb.materialized_only = true)
                 AS ${queryOf(declaration)} WITH NO DATA`,
            );
            await client.query(`GRANT SELECT ON ${name} TO observatory_reader`);
        }
        for (const { definition } of functions("public")) await client.query(definition);
    });
}

describe.each(testServers().map((server) => [server.name, server] as const))("%s", (_, server) => {
    let database: TestDatabase;
    const said: string[] = [];
    const reported: string[] = [];

    const load = (days: number) =>
        loadDemo({
            ...database,
            aggregates: names.map((name) => `public.${name}`),
            report: (text) => reported.push(text),
            say: (text) => said.push(text),
            days,
        });

    const count = async (sql: string) =>
        await withClient(database.owner, async (client) => {
            const { rows } = await client.query<{ readonly n: number }>(sql);
            return rows[0]?.n ?? -1;
        });

    beforeAll(async () => {
        database = await server.createDatabase();
        await declare(database);
    }, 60_000);

    afterAll(async () => {
        await database.drop();
    }, 60_000);

    it("loads the traces, fills the aggregates and shows the first lines of each", async () => {
        const { traces, inserted } = await load(2);

        expect(traces).toBeGreaterThan(8000);
        expect(inserted).toBe(traces);
        expect(await count("SELECT count(*)::int AS n FROM llm_traces")).toBe(traces);
        const raw = `FROM llm_traces WHERE ts < time_bucket('1 hour', now())`;
        expect(await count("SELECT sum(request_count)::int AS n FROM llm_metrics_1hour")).toBe(
            await count(`SELECT count(*)::int AS n ${raw}`),
        );
        expect(await count("SELECT sum(error_count)::int AS n FROM llm_error_summary")).toBe(
            await count(`SELECT count(*)::int AS n ${raw} AND status_code = 'ERROR'`),
        );
        expect(said.slice(0, -1).map((text) => text.split("\n")[0])).toEqual(
            dashboardAggregates.map(({ name }) => `public.${name}`),
        );
        expect(said.slice(0, -1).every((text) => text.trim().split("\n").length === 7)).toBe(true);
        const percentiles = said.at(-1)?.trim().split("\n") ?? [];
        expect(percentiles[0]).toMatch(/^public.llm_percentiles from .* to .* UTC$/);
        expect(percentiles[1]).toMatch(/^ *model +request count +p50 ms +p95 ms +p99 ms/);
        expect(percentiles.slice(2).map((line) => line.trim().split(/ +/)[0])).toEqual(
            models.map(({ model }) => model).sort(),
        );
        expect(reported.some((text) => /inserting traces: [\d,]+ of [\d,]+ \(/.test(text))).toBe(
            true,
        );
    }, 120_000);

    it("adds nothing to what is there, and only what a gap lacks", async () => {
        const before = await count("SELECT count(*)::int AS n FROM llm_traces");
        await withClient(database.owner, (client) =>
            client.query(
                "DELETE FROM llm_traces WHERE ts >= now() - interval '5 hours' AND ts < now() - interval '4 hours'",
            ),
        );
        const missing = before - (await count("SELECT count(*)::int AS n FROM llm_traces"));

        const { inserted } = await load(2);

        expect(inserted).toBeGreaterThanOrEqual(missing);
        // Time has passed since the first load, which brings a few more.
        expect(inserted).toBeLessThan(missing + 500);
        expect(await count("SELECT count(DISTINCT trace_id)::int AS n FROM llm_traces")).toBe(
            await count("SELECT count(*)::int AS n FROM llm_traces"),
        );
    }, 120_000);

    it("does not refresh into the future", async () => {
        const ahead = await count(
            "SELECT count(*)::int AS n FROM llm_metrics_1min WHERE bucket > now() - interval '1 minute'",
        );

        expect(ahead).toBe(0);
    });
});
