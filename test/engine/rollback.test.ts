import { declaredJobs, Observatory } from "../../components/observatory";
import { aggregates as declarations, queryOf } from "../../components/observatory/aggregates";
import { functions } from "../../components/observatory/functions";
import { helperFunctions, helperViews } from "../../components/observatory/helpers";
import { defaultTarget } from "../../components/observatory/slaTargets";
import type { TestDatabase } from "../helpers/databases";
import { changes, failed, succeeded } from "../helpers/engineRun";
import {
    createEngineStack,
    describeOnServers,
    type EngineStack,
    resourcesOf,
} from "../helpers/engineStack";
import { contents, everything, jobs, query, relations } from "./readings";

const aggregates = declarations.map(({ name }) => name);
/** Those that are computed from raw rows, and hold history that raw data loses; the others are over them. */
const overRaw = aggregates.filter((name) => !/_bins_1(?:day|month)$/.test(name));
const others = [
    ...helperViews([defaultTarget]).map(({ name }) => name),
    ...[...functions("public"), ...helperFunctions("public")].map(({ name }) => name),
];

const tables = ["llm_logs", "llm_metrics", "llm_traces"];

const resources = (objects: readonly string[], op: string): Record<string, string> =>
    Object.fromEntries(objects.map((name) => [name.replaceAll("_", "-"), op]));

/** Older than every refresh window and compression limit reaches, so that no job touches them. */
const insertTraces = `
    INSERT INTO llm_traces (ts, trace_id, span_id, span_name, provider, model, input_type, duration_ms, ttft_ms,
        total_tokens, total_cost_usd, status_code)
    SELECT date_trunc('day', now(), 'UTC') - interval '20 days' + n * interval '47 minutes',
        't' || n, 's', 'chat', 'openai', 'gpt', 'text', 100 + n, n, n, n * 0.01, CASE WHEN n % 5 = 0 THEN 'ERROR' ELSE 'OK' END
    FROM generate_series(1, 60) n`;

describeOnServers("the Observatory with protected data", (server) => {
    let database: TestDatabase;
    let stack: EngineStack;

    const program = (protectData: boolean) => () => {
        new Observatory("observatory", {
            connection: database.owner,
            schema: "public",
            protectData,
        });
        return Promise.resolve({});
    };

    async function expectFilled(): Promise<void> {
        for (const declaration of declarations) {
            const { name } = declaration;
            // A month is there when it is over.
            if (name.endsWith("_1month")) continue;
            const { materialized, computed } = await contents(
                database.owner,
                name,
                queryOf(declaration),
            );
            expect(computed.length).toBeGreaterThan(0);
            expect({ name, rows: materialized }).toEqual({ name, rows: computed });
        }
    }

    /** What nothing else can give again, as it stands. */
    async function standing(): Promise<unknown> {
        const { relations: all, jobs: run } = await everything(database.owner);
        const kept = [...overRaw, ...tables];
        return {
            relations: all.filter(({ relname }) => kept.includes(String(relname))),
            jobs: run.filter(({ relation }) => kept.includes(relation)),
        };
    }

    beforeAll(async () => {
        [database, stack] = await Promise.all([server.createDatabase(), createEngineStack()]);
        succeeded(await stack.up(program(true)));
        await query(database.writer, insertTraces);
    });

    afterAll(async () => {
        await stack?.remove();
        await database?.drop();
    });

    it("refuses a plain destroy in its preview and deletes nothing", async () => {
        const before = await everything(database.owner);

        await expect(stack.cli("destroy", "--yes")).rejects.toThrow(/protect/);

        expect(await everything(database.owner)).toEqual(before);
        expect(resourcesOf(await stack.state()).size).toBe(
            aggregates.length + others.length + tables.length,
        );
    });

    it("is not rolled back past someone's own view, which is named", async () => {
        await query(database.owner, "CREATE VIEW my_dashboard AS SELECT * FROM llm_metrics_1hour");

        const run = failed(await stack.destroy({ excludeProtected: true }));

        expect(run.failure).toContain(
            "continuous aggregate public.llm_metrics_1hour is read by others and was not dropped",
        );
        expect(run.failure).toContain("view public.my_dashboard");
        expect(await relations(database.owner)).toEqual(
            expect.arrayContaining(["llm_metrics_1hour", "my_dashboard", ...tables]),
        );
        expect(
            (await jobs(database.owner)).filter(({ relation }) => relation === "llm_metrics_1hour")
                .length,
        ).toBe(2);
        expect([...resourcesOf(await stack.state()).keys()]).toContain("llm-metrics-1hour");
        await query(database.owner, "DROP VIEW my_dashboard");
    });

    it("is rolled back to its raw data by --exclude-protected", async () => {
        succeeded(await stack.destroy({ excludeProtected: true }));

        expect(await relations(database.owner)).toEqual(tables);
        const left = await jobs(database.owner);
        expect(left.filter(({ relation }) => !tables.includes(relation))).toEqual([]);
        expect(await query(database.owner, "SELECT count(*)::int AS n FROM llm_traces")).toEqual([
            { n: 60 },
        ]);
        expect([...resourcesOf(await stack.state()).keys()].sort()).toEqual(
            tables.map((name) => name.replaceAll("_", "-")),
        );
    });

    it("has its aggregates back, filled, after the next up", async () => {
        const run = succeeded(await stack.up(program(true)));

        expect(changes(run)).toEqual(resources([...aggregates, ...others], "create"));
        await expectFilled();
        expect((await jobs(database.owner)).map(({ scheduled }) => scheduled)).toEqual(
            Array.from({ length: declaredJobs.length }, () => true),
        );
    });

    it("keeps history that raw data no longer has, with its rows and range", async () => {
        await query(
            database.owner,
            "SELECT drop_chunks('llm_traces', older_than => now() - interval '10 days')",
        );
        const before = await standing();

        const run = failed(await stack.destroy({ excludeProtected: true }));

        // The engine starts nothing more after a first error: which of them it had reached is chance.
        const refused = [
            ...run.failure.matchAll(
                /dropping continuous aggregate public\.(\w+) would lose history/g,
            ),
        ].map(([, name]) => name ?? "");
        expect(refused).not.toEqual([]);
        for (const name of refused) {
            const [history] = await query<{ n: number; oldest: string; newest: string }>(
                database.owner,
                `SELECT count(*)::int AS n, min(bucket AT TIME ZONE 'UTC')::text AS oldest, max(bucket AT TIME ZONE 'UTC')::text AS newest
                 FROM ${name}`,
            );
            expect(run.failure).toContain(
                `history exist only in this aggregate, ${history?.n} rows from ${history?.oldest}+00 to ${history?.newest}+00`,
            );
        }
        expect(overRaw).toEqual(expect.arrayContaining(refused));
        expect(run.failure).toContain("acceptLoss");
        expect(await standing()).toEqual(before);
        expect([...resourcesOf(await stack.state()).keys()]).toEqual(
            expect.arrayContaining(Object.keys(resources([...overRaw, ...tables], "same"))),
        );
    });

    it("goes altogether when the protection was taken away", async () => {
        const run = succeeded(await stack.up(program(false)));
        const destroyed = succeeded(await stack.destroy());

        expect(changes(run)).toMatchObject(resources(overRaw, "update"));
        expect(changes(destroyed)).toEqual(
            resources([...aggregates, ...others, ...tables], "delete"),
        );
        expect(await relations(database.owner)).toEqual([]);
        expect((await stack.state()).resources).toEqual([]);
    });
});
