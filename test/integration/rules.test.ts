/** Rules on the live database: what the catalog says of sources, readers, products, compression and jobs. */
import { nothingDeclared } from "../../components/timescale/core/rules/finding";
import {
    aggregate,
    type AggregateInputs,
    type Declared,
    hypertable,
    type HypertableInputs,
} from "./declared";
import { onEveryServer } from "./onEveryServer";

const raw: HypertableInputs = {
    name: "requests",
    columns: [
        { name: "ts", type: "timestamptz", nullable: false },
        { name: "model", type: "text" },
        { name: "v", type: "int" },
        { name: "w", type: "smallint" },
    ],
    timeColumn: "ts",
    chunkTimeInterval: "1 day",
};

const hourly: AggregateInputs = {
    name: "hourly",
    query: "SELECT time_bucket('1 hour', ts) AS bucket, model, count(*) AS n, avg(v) AS mean FROM requests GROUP BY 1, 2",
    refreshPolicy: { startOffset: "10 days", endOffset: "1 hour", scheduleInterval: "1 minute" },
};

type Told = readonly (readonly [string, string | undefined])[];

/** Codes of refusals and rules of notes. */
async function told<Inputs extends object>(
    declared: Declared<Inputs>,
    inputs?: Inputs,
    rules = nothingDeclared,
): Promise<Told> {
    declared.rules = rules;
    const { plan } = await declared.plan(inputs);
    return [
        ...plan.refusals.map(({ code }) => ["refuse", code] as const),
        ...plan.notes.map(({ code, rule }) => [code, rule] as const),
    ];
}

onEveryServer((target) => {
    let table: Declared<HypertableInputs>;
    let standing: Declared<AggregateInputs>;

    const materialization = `(SELECT mat_hypertable_id FROM _timescaledb_catalog.continuous_agg WHERE user_view_name = 'hourly')`;
    const refreshJob = `(SELECT id FROM _timescaledb_config.bgw_job WHERE hypertable_id = ${materialization}
        AND proc_name = 'policy_refresh_continuous_aggregate')`;
    const everything = () =>
        target.byHand(
            `SELECT (SELECT array_agg(relname ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')) AS relations,
                (SELECT jsonb_agg(j ORDER BY id) FROM _timescaledb_config.bgw_job j) AS jobs`,
        );

    beforeAll(async () => {
        table = hypertable(target, raw);
        await table.up();
        await target.byHand(
            `INSERT INTO requests SELECT t, 'm' || m, 1, 2
             FROM generate_series(now() - interval '12 days', now(), interval '1 hour') t, generate_series(1, 20) m`,
        );
        standing = aggregate(target, hourly);
        standing.rules = nothingDeclared;
        await standing.up();
    }, 60_000);

    it("say nothing of a sound aggregate, and cost no statement that writes", async () => {
        expect(await told(standing)).toEqual([]);
        expect((await standing.plan()).plan.statements).toEqual([]);
        expect(await told(table)).toEqual([]);
    });

    describe("over a source with retention that the program does not declare", () => {
        beforeAll(() =>
            target.byHand("SELECT add_retention_policy('requests', interval '9 days')"),
        );
        afterAll(() => target.byHand("SELECT remove_retention_policy('requests')"));

        it("refuse refreshes that reach further back, before anything is done", async () => {
            const before = await everything();
            const wide = aggregate(target, { ...hourly, name: "wide" });
            const unbounded = { endOffset: "1 hour", scheduleInterval: "1 hour" };

            for (const declared of [wide, standing]) {
                expect(await told(declared)).toEqual([
                    ["refuse", "refresh_beyond_source_retention"],
                ]);
                await expect(declared.up()).rejects.toMatchObject({
                    code: "refresh_beyond_source_retention",
                    detail: expect.stringContaining(
                        "is 10 days, and public.requests drops after 9 days",
                    ) as string,
                });
            }
            expect(await told(wide, { ...hourly, name: "wide", refreshPolicy: unbounded })).toEqual(
                [["refuse", "unbounded_refresh_over_retention"]],
            );
            expect(await everything()).toEqual(before);
        });

        it("leave it to the program where that declares the source, and to a waiver", async () => {
            expect(
                await told(standing, hourly, { ...nothingDeclared, sourceDeclared: true }),
            ).toEqual([]);
            const waive = [{ rule: "refresh_beyond_source_retention", reason: "tried" }] as const;
            expect(await told(standing, { ...hourly, waive })).toEqual([
                ["waived", "refresh_beyond_source_retention"],
            ]);
            await standing.up({ ...hourly, waive });
        });
    });

    it("refuse retention that would cut into the refreshes of an aggregate that stands", async () => {
        const cut = { ...raw, retentionPolicy: { dropAfter: "9 days" } };

        expect(await told(table, cut)).toEqual([["refuse", "refresh_beyond_source_retention"]]);
        await expect(table.up(cut)).rejects.toMatchObject({
            code: "refresh_beyond_source_retention",
            message: "refreshes of public.hourly reach further back than public.requests is kept",
        });
        const enough = { ...raw, retentionPolicy: { dropAfter: "20 days" } };
        expect(await told(table, enough)).toEqual([]);
        const declaredReaders = ["public.hourly"];
        expect(await told(table, cut, { ...nothingDeclared, declaredReaders })).toEqual([]);
    });

    it.each([
        ["sum(v * v)", true],
        ["sum(abs(v) * w)", true],
        ["max(w * w) + 1", true],
        ["sum((v * w)::bigint)", true],
        ["sum(v::bigint * v)", false],
        ["sum(v * 2)", false],
        ["sum(v) * count(*)", false],
        ["sum(v) FILTER (WHERE v * v > 4)", true],
    ])(
        "know from the server's tree whether %s multiplies integers: %s",
        async (column, expected) => {
            const query = hourly.query.replace("avg(v)", column);
            const one = aggregate(target, { ...hourly, name: "products", query });
            const expectation = expected ? [["refuse", "integer_product"]] : [];

            expect(await told(one)).toEqual(expectation);

            // The same once it stands, without asking the server to read the text.
            one.rules = undefined;
            await one.up();
            expect(await told(one)).toEqual(expectation);
            await one.remove();
        },
    );

    it("know what an undeclared parent's columns are", async () => {
        const query = `SELECT time_bucket('1 day', bucket) AS bucket, avg(mean) AS mean FROM hourly GROUP BY 1`;
        const refreshPolicy = {
            startOffset: "3 days",
            endOffset: "1 day",
            scheduleInterval: "1 hour",
        };
        const child = aggregate(target, { name: "daily", query, refreshPolicy });

        expect(await told(child)).toEqual([
            ["refuse", "average_of_averages"],
            ["rule", "child_window_shorter"],
        ]);
    });

    describe("that are about background jobs", () => {
        const stats = (columns: string) => target.asAdmin(`
            INSERT INTO _timescaledb_internal.bgw_job_stat
                (job_id, last_start, last_finish, next_start, last_successful_finish, last_run_success, total_runs,
                 total_duration, total_duration_failures, total_successes, total_failures, total_crashes,
                 consecutive_failures, consecutive_crashes, flags)
            SELECT ${refreshJob}, now() - last, now(), now(), now(), true, runs, total, '0', runs, 0, 0, 0, 0, 0
            FROM (SELECT ${columns}) x`); // prettier-ignore

        beforeEach(() => target.asAdmin("DELETE FROM _timescaledb_internal.bgw_job_stat"));
        afterAll(() => target.asAdmin("DELETE FROM _timescaledb_internal.bgw_job_stat"));

        it("compare measured run times with the schedule", async () => {
            await stats("interval '2 minutes' AS last, 5 AS runs, interval '10 minutes' AS total");
            expect(await told(standing)).toEqual([["rule", "schedule_too_tight"]]);

            await target.asAdmin("DELETE FROM _timescaledb_internal.bgw_job_stat");
            await stats("interval '30 seconds' AS last, 5 AS runs, interval '10 minutes' AS total");
            expect(await told(standing)).toEqual([]);
        });

        it("add up their work, where there are workers", async () => {
            await stats("interval '1 second' AS last, 1 AS runs, interval '10 hours' AS total");
            expect(await told(standing)).toEqual(
                target.server.kind === "embedded" ? [] : [["rule", "few_background_workers"]],
            );
        });

        it("say nothing of jobs that the login may not act for", async () => {
            await stats("interval '2 minutes' AS last, 5 AS runs, interval '10 minutes' AS total");
            const owner = (name: string) =>
                target.asAdmin(
                    `UPDATE _timescaledb_config.bgw_job SET owner = '${name}' WHERE id = ${refreshJob}`,
                );
            const [{ name } = { name: "" }] = await target.asAdmin(
                "SELECT current_user::text AS name",
            );
            await owner(String(name));
            try {
                const notes = await told(standing);
                expect(notes).not.toContainEqual(["rule", "schedule_too_tight"]);
            } finally {
                await owner("observatory_owner");
            }
        });
    });

    describe("with compressed chunks in the refresh window", () => {
        const limit = "timescaledb.max_tuples_decompressed_per_dml_transaction";

        beforeAll(async () => {
            await target.byHand("ALTER MATERIALIZED VIEW hourly SET (timescaledb.compress = true)");
            await target.byHand("SELECT compress_chunk(c) FROM show_chunks('hourly') c");
            // Jobs see the setting of their owner, and so does the rule, which runs in a session that is older.
            await target.asAdmin(`ALTER ROLE observatory_owner SET ${limit} = 2000`);
        });
        afterAll(() => target.asAdmin(`ALTER ROLE observatory_owner RESET ${limit}`));

        const refresh = (days: number) =>
            target.byHand(
                `CALL refresh_continuous_aggregate('hourly', now() - interval '${days} days', now() - interval '1 hour')`,
            );

        it("predict that a refresh fails, and that it does not", async () => {
            const compressed = (findings: Told) =>
                findings.filter(([, code]) => code === "decompression_limit");
            // Nothing changed: nothing is to be decompressed.
            expect(compressed(await told(standing))).toEqual([]);

            // 20 rows an hour: 960 in two days, 4780 in ten, 5780 in all.
            await target.byHand(
                "UPDATE requests SET v = v + 1 WHERE ts > now() - interval '2 days'",
            );
            expect(compressed(await told(standing))).toEqual([]);
            await target.byHand("UPDATE requests SET v = v + 1");
            const found = compressed(await told(standing));
            // Later versions delete compressed batches as they are.
            const decompresses = target.server.version.startsWith("2.14");
            expect(found).toEqual(decompresses ? [["refuse", "decompression_limit"]] : []);
            if (decompresses) {
                const { plan } = await standing.plan();
                const refusal = plan.refusals.find(({ code }) => code === "decompression_limit");
                const rows = Number(/^(\d+) rows/.exec(refusal?.detail ?? "")?.[1]);
                expect(rows).toBeGreaterThan(4700);
                // Batches are taken apart as a whole.
                expect(rows).toBeLessThanOrEqual(5780);
                expect(refusal?.detail).toContain(`${limit} is 2000`);
            }

            await target.byHand(`SET ${limit} = 2000`);
            const outcome = await refresh(10).then(
                () => "works",
                (error: unknown) => (error as { readonly code?: string }).code,
            );
            expect(outcome).toBe(decompresses ? "53400" : "works");
            // By the remedy that the hint names.
            await target.byHand(`SET ${limit} = 0`);
            await refresh(10);
            await target.byHand(`RESET ${limit}`);
            expect(compressed(await told(standing))).toEqual([]);
        });
    });
});
