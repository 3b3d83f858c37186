import { declaredJobs, Observatory } from "../../components/observatory";
import { aggregates } from "../../components/observatory/aggregates";
import { functions } from "../../components/observatory/functions";
import { helperFunctions, helperViews } from "../../components/observatory/helpers";
import { hypertables } from "../../components/observatory/hypertables";
import { defaultTarget } from "../../components/observatory/slaTargets";
import { providerText } from "../../components/timescale/resource";
import type { TestDatabase } from "../helpers/databases";
import { changes, differences, said, succeeded } from "../helpers/engineRun";
import {
    createEngineStack,
    describeOnServers,
    type EngineStack,
    resourcesOf,
} from "../helpers/engineStack";
import { jobs, query, refreshJob, relations } from "./readings";

const relationNames = [...aggregates, ...hypertables, ...helperViews([defaultTarget])].map(
    ({ name }) => name,
);
const functionNames = [...functions("public"), ...helperFunctions("public")].map(
    ({ name }) => name,
);
const names = [...relationNames, ...functionNames].map((name) => name.replaceAll("_", "-")).sort();

const objects = [...relationNames].sort();

describeOnServers("the Observatory", (server) => {
    // The embedded server checks no password, so that this one can be looked for.
    const planted = "planted-b5f1c2aa7e04";
    let database: TestDatabase;
    let stack: EngineStack;
    let password: string;

    const program = () => {
        const observatory = new Observatory("observatory", {
            connection: { ...database.owner, password },
            schema: "public",
            protectData: false,
        });
        return Promise.resolve({ aggregates: observatory.aggregates });
    };

    beforeAll(async () => {
        [database, stack] = await Promise.all([server.createDatabase(), createEngineStack()]);
        password = server.kind === "embedded" ? planted : database.owner.password;
    });

    afterAll(async () => {
        await stack?.remove();
        await database?.drop();
    });

    it("stands after one up", async () => {
        const run = succeeded(await stack.up(program));

        expect(changes(run)).toEqual(Object.fromEntries(names.map((name) => [name, "create"])));
        expect(await relations(database.owner)).toEqual(objects);
        const aggregates = await query(
            database.owner,
            `SELECT view_name::text AS name FROM timescaledb_information.continuous_aggregates
             WHERE view_owner = 'observatory_owner' ORDER BY 1`,
        );
        expect(aggregates.map(({ name }) => name)).toEqual(
            aggregates.map(({ name }) => name).sort(),
        );
        // Refresh and retention for each aggregate, retention and compression for each table, and the
        // compression of bins by hour and day.
        expect((await jobs(database.owner)).map(({ scheduled }) => scheduled)).toEqual(
            Array.from({ length: declaredJobs.length }, () => true),
        );
    });

    it("has one constant line as its provider, and no password in clear text anywhere", async () => {
        const resources = [...resourcesOf(await stack.state()).values()];
        const traces = [...(await stack.traces())];
        const places = (text: string): string[] =>
            traces.filter(([, content]) => content.includes(text)).map(([place]) => place);

        expect(resources.map(({ outputs }) => outputs?.["__provider"])).toEqual(
            names.map(() => providerText),
        );
        expect(providerText).toBe(
            'exports.handler=()=>require("module").createRequire(process.cwd()+"/")("pulumi-timescale/provider");',
        );
        // What is looked through is the right thing.
        expect(places("llm_metrics_1min").length).toBeGreaterThan(1);
        expect(places(password)).toEqual([]);
        expect(places(Buffer.from(password).toString("base64").replace(/=+$/, ""))).toEqual([]);
    });

    it("is found unchanged by a second up and by preview", async () => {
        const up = succeeded(await stack.up(program, { expectNoChanges: true }));
        const preview = succeeded(await stack.preview(program, { expectNoChanges: true }));

        for (const run of [up, preview]) {
            expect(run.steps.map(({ name }) => name).sort()).toEqual(names);
            expect(run.steps.filter(({ op }) => op !== "same")).toEqual([]);
            expect(run.diagnostics).toEqual([]);
        }
    });

    it("shows what someone changed by hand in a plain preview, and up puts it back", async () => {
        const { owner } = database;
        const job = await refreshJob(owner, "llm_metrics_1min");
        await query(owner, `SELECT alter_job(${job.id}, schedule_interval => '7 minutes')`);
        await query(owner, "GRANT INSERT ON llm_metrics_1hour TO observatory_writer");
        await query(owner, "SELECT set_chunk_time_interval('llm_logs', interval '2 days')");
        await query(owner, "DROP MATERIALIZED VIEW llm_error_summary");

        const preview = succeeded(await stack.preview(program));
        const refresh = succeeded(await stack.refresh());
        const run = succeeded(await stack.up(program));

        expect(changes(preview)).toEqual({
            "llm-metrics-1min": "update",
            "llm-metrics-1hour": "update",
            "llm-logs": "update",
            "llm-error-summary": "update",
        });
        expect(differences(preview, "llm-metrics-1min")).toBe(
            "~ refreshPolicy.scheduleInterval: 00:07:00 → 30 seconds",
        );
        expect(differences(preview, "llm-metrics-1hour")).toBe(
            "~ grants.observatory_writer: INSERT → removed",
        );
        expect(differences(preview, "llm-logs")).toBe("~ chunkTimeInterval: 48:00:00 → 1 day");
        expect(said(preview, "llm-error-summary")).toContain("create the continuous aggregate");
        expect(changes(refresh)).toEqual({
            ...changes(preview),
            "llm-error-summary": "delete",
        });
        expect(changes(run)).toEqual({
            "llm-metrics-1min": "update",
            "llm-metrics-1hour": "update",
            "llm-logs": "update",
            "llm-error-summary": "create",
        });
        expect(await refreshJob(owner, "llm_metrics_1min")).toMatchObject({
            id: job.id,
            schedule: "00:00:30",
        });
        expect(await relations(owner)).toEqual(objects);
    });

    it("shows what the server lets anyone do without a word, in preview as in refresh, and puts it back in the same jobs", async () => {
        const { owner } = database;
        const jobs = await Promise.all(["llm_metrics_1min", "llm_latency_bins_1month", "llm_metrics_1day", "llm_error_summary"].map((name) => refreshJob(owner, name))); // prettier-ignore
        const columns = await query<{ list: string }>(
            owner,
            `SELECT string_agg(format('NULL::%s AS %I', format_type(atttypid, atttypmod), attname), ', ' ORDER BY attnum) AS list
             FROM pg_attribute WHERE attrelid = 'llm_metrics_1min'::regclass AND attnum > 0`,
        );
        await query(owner, `CREATE OR REPLACE VIEW llm_metrics_1min AS SELECT ${columns[0]?.list}`);
        await query(owner, "ALTER MATERIALIZED VIEW llm_latency_bins_1month RENAME TO mine");
        await query(owner, "ALTER MATERIALIZED VIEW llm_metrics_1day RENAME COLUMN request_count TO mine"); // prettier-ignore
        await query(owner, `SELECT alter_job(${jobs[3]?.id}, scheduled => false)`);
        await query(owner, "ALTER TABLE llm_logs RENAME TO logs");

        const preview = succeeded(await stack.preview(program));
        const refreshing = succeeded(await stack.preview(program, { refresh: true }));
        const refresh = succeeded(await stack.refresh());
        const run = succeeded(await stack.up(program));

        const lines: Readonly<Record<string, string>> = {
            "llm-metrics-1min":
                "~ view: another query, by CREATE OR REPLACE VIEW → the view that TimescaleDB made",
            "llm-latency-bins-1month": "~ name: public.mine → public.llm_latency_bins_1month",
            "llm-metrics-1day": "~ columns.mine: mine → request_count",
            "llm-error-summary": "~ refreshPolicy.paused: true → false",
            "llm-logs": "~ name: public.logs → public.llm_logs",
        };
        for (const [name, line] of Object.entries(lines)) {
            expect([name, differences(preview, name)]).toEqual([name, line]);
            // What the inputs cannot say, such as a view that was replaced, a refresh says as well.
            for (const other of [refreshing, refresh]) expect(said(other, name)).toContain(line);
        }
        const updates = Object.fromEntries(Object.keys(lines).map((name) => [name, "update"]));
        for (const done of [preview, run]) expect(changes(done)).toEqual(updates);
        expect(
            await Promise.all(["llm_metrics_1min", "llm_latency_bins_1month", "llm_metrics_1day", "llm_error_summary"].map((name) => refreshJob(owner, name))), // prettier-ignore
        ).toEqual(jobs);
        expect(await relations(owner)).toEqual(objects);
        expect(changes(succeeded(await stack.preview(program, { expectNoChanges: true })))).toEqual(
            {},
        );
    });

    it("is found unchanged by refresh as well, and by the preview after it", async () => {
        const refresh = succeeded(await stack.refresh({ expectNoChanges: true }));
        const preview = succeeded(await stack.preview(program, { expectNoChanges: true }));

        expect([refresh.diagnostics, preview.diagnostics]).toEqual([[], []]);
    });

    it("without protection is removed by one destroy, data included", async () => {
        await query(
            database.owner,
            "INSERT INTO llm_logs (ts, log_level, message) VALUES (now(), 'info', 'hello')",
        );

        const run = succeeded(await stack.destroy());

        expect(changes(run)).toEqual(Object.fromEntries(names.map((name) => [name, "delete"])));
        expect(await relations(database.owner)).toEqual([]);
        expect(await jobs(database.owner)).toEqual([]);
        expect((await stack.state()).resources).toEqual([]);
    });
});
