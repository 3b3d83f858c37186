/** The database of the original deployment: imported as it stands, and brought in place to what it should be. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import {
    dashboardAggregates as aggregates,
    queryOf,
} from "../../components/observatory/aggregates";
import { hypertables } from "../../components/observatory/hypertables";
import { explain, TimescaleError } from "../../components/timescale/core/errors";
import { refuse } from "../../components/timescale/core/plan/converging";
import { aggregate, expectNoChange, hypertable } from "./declared";
import { expectNothingToChange, imported, lines } from "./importing";
import { onEveryServer, type Row, type Target } from "./onEveryServer";
import { snapshot } from "./snapshot";

const original = readFileSync(join(__dirname, "../fixtures/original-deployment.sql"), "utf8");

/** Ten requests an hour over the last days, of which the aggregates are then filled. */
const requests = `
    INSERT INTO llm_traces (ts, trace_id, span_id, span_name, provider, model, input_type, duration_ms, status_code)
    SELECT date_trunc('hour', now()) - n * interval '6 minutes', 't' || n, 's', 'chat', 'openai', 'm' || n % 3, 'text',
        n % 5000, (ARRAY['OK', 'OK', 'ERROR', 'UNSET'])[1 + n % 4]
    FROM generate_series(1, 600) n`;

async function deploy(target: Target): Promise<void> {
    await target.byHand(original);
    await target.byHand(requests);
    for (const { name } of aggregates) {
        await target.byHand(
            `CALL refresh_continuous_aggregate('${name}', now() - interval '4 days', now() - interval '1 hour')`,
        );
    }
}

async function contents(target: Target): Promise<readonly Row[][]> {
    const rows: Row[][] = [];
    for (const { name } of [...aggregates, ...hypertables]) {
        rows.push(await target.byHand(`SELECT x::text FROM ${name} x ORDER BY 1`));
    }
    return rows;
}

onEveryServer((target) => {
    beforeAll(() => deploy(target), 120_000);

    it("is imported with its mistakes, and bringing it up changes nothing", async () => {
        const found = await imported(target.database.owner);

        expect(found.declared.map(({ resource }) => resource)).toEqual(
            expect.arrayContaining([
                ...["llm-logs", "llm-metrics", "llm-traces", "llm-error-summary"],
                ...["llm-metrics-1day", "llm-metrics-1hour", "llm-metrics-1min"],
                ...["llm-percentiles-approximate", "llm-percentiles-realtime"],
                "compare-model-percentiles",
            ]),
        );
        expect(found.declared[0]!.inputs).toMatchObject({
            name: "llm_logs",
            primaryKey: ["ts", "trace_id", "span_id"],
            grants: [
                { role: "observatory_reader", privileges: ["SELECT"] },
                {
                    role: "observatory_writer",
                    privileges: ["DELETE", "INSERT", "SELECT", "UPDATE"],
                },
            ],
        });
        const table = (name: string) =>
            found.declared.find(({ inputs }) => inputs["name"] === name)?.inputs;
        // Fifteen, and the one that create_hypertable makes.
        expect(table("llm_traces")?.["indexes"]).toHaveLength(16);
        expect(table("llm_error_summary")).not.toHaveProperty("retentionPolicy");
        expect(table("llm_error_summary")?.["query"]).toContain("min(");
        expect(lines(found.undeclared)).toEqual([
            "public.schema_migrations: plain table: there is no resource for it; it is kept",
            "what observatory_owner will make in schema public: default privileges: there is no resource for it; it is kept",
        ]);
        await expectNothingToChange(target, found.declared);
    });

    it("has its aggregates refused with the difference and the choices, and loses nothing", async () => {
        const [before, rows] = [await snapshot(target), await contents(target)];
        for (const declaration of aggregates) {
            const { file: _file, ...inputs } = declaration;
            const one = aggregate(target, { ...inputs, query: queryOf(declaration), adopt: true });

            const { plan } = await one.plan();
            const [refusal] = plan.refusals;

            expect(plan.refusals).toHaveLength(1);
            const text = explain(refusal!);
            expect(text).toContain(declaration.name);
            expect(text).toMatch(/^ *[-+] .*/m);
            expect(refusal!.hint).toMatch(/onQueryChange: "keepHistory"/);
            expect(() => refuse(plan.refusals)).toThrow(TimescaleError);
            await expect(one.up()).rejects.toThrow(refusal!.message);
        }
        expect(await contents(target)).toEqual(rows);
        expect(await snapshot(target)).toEqual(before);
    });

    it("shows what is wrong with the original's counting of errors", async () => {
        const summary = aggregates.find(({ name }) => name === "llm_error_summary")!;
        const { file: _file, ...inputs } = summary;

        const { plan } = await aggregate(target, {
            ...inputs,
            query: queryOf(summary),
            adopt: true,
        }).plan();

        const text = [...plan.refusals.map((it) => explain(it))].join("\n");
        expect(text).toMatch(/- .*min\(.*error_message/);
        expect(text).toMatch(/\+ .*last\(/);
    });

    it("has its hypertables corrected in place, with every row kept", async () => {
        const rows = await contents(target);
        for (const inputs of hypertables) {
            const refused = hypertable(target, inputs);
            const adopted = hypertable(target, { ...inputs, adopt: true });
            if (inputs.name === "llm_logs") {
                await expect(refused.up()).rejects.toThrow("exists already and differs");
            }
            const preview = await adopted.preview();

            await adopted.up();
            await expectNoChange(adopted);

            expect(preview).toEqual(expect.arrayContaining([`comment: none → ${inputs.comment}`]));
            expect(preview).toEqual(
                expect.arrayContaining([
                    "grants.observatory_reader: SELECT → removed",
                    "grants.observatory_writer: DELETE → removed",
                    "grants.observatory_writer: UPDATE → removed",
                ]),
            );
            if (inputs.name === "llm_logs") {
                expect(preview).toEqual(
                    expect.arrayContaining(["primaryKey: ts, trace_id, span_id → none"]),
                );
            }
        }
        expect(await contents(target)).toEqual(rows);
        // What made both ids mandatory is gone: two lines of one instant, without ids.
        await target.byHand(
            "INSERT INTO llm_logs (ts, log_level, message) VALUES (now(), 'INFO', 'a'), (now(), 'INFO', 'b')",
        );
    });

    it("has its policies and chunks corrected in place", async () => {
        const logs = hypertables.find(({ name }) => name === "llm_logs")!;
        const shorter = hypertable(target, {
            ...logs,
            chunkTimeInterval: "12 hours",
            retentionPolicy: { dropAfter: "30 days" },
            adopt: true,
        });

        expect(await shorter.preview()).toEqual([
            "chunkTimeInterval: 24:00:00 → 12 hours",
            "retentionPolicy.dropAfter: 37 days → 30 days",
        ]);
        await shorter.up();
        await expectNoChange(shorter);
    });

    it("has its aggregates corrected by a rebuild, once what reads them is out of the way, from the raw rows that are there", async () => {
        const declared = aggregates.map((declaration) => {
            const { file: _file, ...inputs } = declaration;
            const query = queryOf(declaration);
            return aggregate(target, { ...inputs, query, adopt: true, onQueryChange: "rebuild" });
        });
        // The original's own view stands in the way of one, and is named.
        await expect(declared[0]!.up()).rejects.toMatchObject({
            code: "query_changed",
            detail: expect.stringContaining(
                "it is read by view public.llm_percentiles_approximate",
            ) as string,
        });
        await target.byHand("DROP VIEW llm_percentiles_approximate");

        for (const one of declared) {
            await one.up();
            await expectNoChange(one);
        }

        // An integer product would stop the refresh from here on, and UNSET no longer counts as an error.
        await target.byHand(
            `INSERT INTO llm_traces (ts, trace_id, span_id, span_name, provider, model, input_type, duration_ms, status_code)
             VALUES (date_trunc('hour', now()) - interval '5 hours', 'long', 's', 'chat', 'openai', 'm0', 'text', 2000000, 'UNSET')`,
        );
        await target.byHand(
            "CALL refresh_continuous_aggregate('llm_metrics_1hour', now() - interval '9 hours', now() - interval '1 hour')",
        );
        const [sums] = await target.byHand(
            "SELECT sum(request_count) = sum(success_count + error_count + unset_count) AS complete FROM llm_metrics_1hour",
        );
        expect(sums).toEqual({ complete: true });
    });
});
