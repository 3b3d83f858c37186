/** A changed query of an aggregate that others are computed from: they are exchanged with it. */
import { aggregate, type AggregateInputs, type Declared, expectNoChange, hypertable } from "./declared"; // prettier-ignore
import { onEveryServer, type Row } from "./onEveryServer";

const hourly: AggregateInputs = {
    name: "hourly",
    query: "SELECT time_bucket('1 hour', ts) AS bucket, model, count(*) AS n, sum(ms) AS total FROM requests GROUP BY 1, 2",
    refreshPolicy: { startOffset: "2 days", endOffset: "1 hour", scheduleInterval: "5 minutes" },
    grants: [{ role: "observatory_reader", privileges: ["SELECT"] }],
};
const daily: AggregateInputs = {
    name: "daily",
    query: "SELECT time_bucket('1 day', bucket) AS day, model, sum(n)::bigint AS hourly, sum(total) AS total FROM hourly GROUP BY 1, 2",
    refreshPolicy: { startOffset: "7 days", endOffset: "1 day", scheduleInterval: "1 hour" },
    compressionPolicy: { compressAfter: "10 days", segmentBy: ["model"] },
    indexes: [{ columns: ["total DESC"] }],
    comment: "by the day",
    grants: [{ role: "observatory_reader", privileges: ["SELECT"] }],
};
const monthly: AggregateInputs = {
    name: "monthly",
    query: "SELECT time_bucket('30 days', d.day) AS period, sum(d.hourly)::bigint AS n FROM daily d GROUP BY 1",
    materializedOnly: false,
};
const changed: AggregateInputs = {
    ...hourly,
    query: "SELECT time_bucket('1 hour', ts) AS bucket, model, count(*) AS n, max(ms) AS slowest, sum(ms) AS total FROM requests GROUP BY 1, 2",
    onQueryChange: "keepHistory",
};

onEveryServer((target) => {
    let standing: { top: Declared<AggregateInputs>; over: Declared<AggregateInputs>[] };

    const contents = async (): Promise<Row[][]> => [
        await target.byHand("SELECT bucket, model, n, total FROM hourly ORDER BY 1, 2"),
        await target.byHand("SELECT day, model, hourly, total FROM daily ORDER BY 1, 2"),
        await target.byHand("SELECT period, n FROM monthly ORDER BY 1"),
        await target.byHand("SELECT * FROM shares ORDER BY 1, 2"),
    ];
    const aggregates = async (): Promise<unknown[]> => {
        const rows = await target.byHand(
            "SELECT view_name FROM timescaledb_information.continuous_aggregates ORDER BY 1",
        );
        return rows.map(({ view_name: view }) => String(view).replace(/_\d{8}_\d+$/, "_…"));
    };

    beforeEach(async () => {
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
            `INSERT INTO requests SELECT t, model, extract(hour FROM t)::int
             FROM generate_series(date_bin('1 day', now(), '2000-01-01') - interval '20 days', now(), interval '20 minutes') t,
                 (VALUES ('x'), ('y')) models (model)`,
        );
        const [top, ...over] = [hourly, daily, monthly].map((inputs) => aggregate(target, inputs));
        for (const one of [top, ...over]) await one?.up();
        if (top === undefined) throw new Error("there is one");
        standing = { top, over };
        await target.byHand(
            `CREATE VIEW shares AS SELECT h.model, d.day, sum(h.n) AS of_hours, max(d.hourly) AS of_day
             FROM hourly h JOIN daily d ON d.day = time_bucket('1 day', h.bucket) AND d.model = h.model GROUP BY 1, 2`,
        );
        await target.byHand("SELECT drop_chunks('requests', older_than => interval '6 days')");
    }, 60_000);

    afterEach(async () => {
        await target.byHand("DROP VIEW shares");
        const rows = await target.byHand(
            "SELECT user_view_name AS view FROM _timescaledb_catalog.continuous_agg ORDER BY raw_hypertable_id DESC",
        );
        for (const { view } of rows) await target.byHand(`DROP MATERIALIZED VIEW ${String(view)}`);
        await target.byHand("DROP TABLE requests");
    });

    it("exchanges all of them in one go, with views over several, and leaves nothing to change", async () => {
        const before = await contents();

        const preview = await standing.top.preview(changed);
        await standing.top.up(changed);

        expect(preview).toEqual([
            "query: changed",
            expect.stringContaining("build it beside, as public.hourly_building"),
            "history.slowest: none → NULL in the copied history",
            "continuous aggregate public.daily reads the new version: it is built again over it",
            "continuous aggregate public.monthly reads the new version: it is built again over it",
            "view public.shares reads the new version",
            expect.stringContaining("what stands now stays as public.hourly_replaced_"),
        ]);
        expect(await contents()).toEqual(before);
        await expectNoChange(standing.top, changed);
        for (const one of standing.over) await expectNoChange(one);
        expect(await aggregates()).toEqual(["daily", "daily_replaced_…", "hourly", "hourly_replaced_…", "monthly", "monthly_replaced_…"]); // prettier-ignore
    });

    it("brings all of them back", async () => {
        const before = await contents();
        await standing.top.up(changed);

        await standing.top.up(hourly);

        expect(await contents()).toEqual(before);
        await expectNoChange(standing.top);
        for (const one of standing.over) await expectNoChange(one);
        expect(await aggregates()).toHaveLength(6);
    });

    it("drops all replaced versions when that is said, those on top first", async () => {
        await standing.top.up(changed);

        await standing.top.up({ ...changed, history: { replacedVersions: "drop" } });

        expect(await aggregates()).toEqual(["daily", "hourly", "monthly"]);
        for (const one of standing.over) await expectNoChange(one);
    });

    it("stops before the exchange where an aggregate over it has other totals than its new version", async () => {
        await target.byHand(
            "DELETE FROM daily WHERE model = 'x' AND day = date_bin('1 day', now(), '2000-01-01') - interval '3 days'",
        );

        await expect(standing.top.up(changed)).rejects.toMatchObject({
            code: "verification_failed",
            object: "public.daily",
        });

        expect(await aggregates()).toEqual(["daily", "daily_building", "hourly", "hourly_building", "monthly", "monthly_building"]); // prettier-ignore
    });

    it("is exchanged where a column has another meaning, and so other totals above", async () => {
        const other: AggregateInputs = {
            ...changed,
            query: hourly.query.replace("sum(ms) AS total", "sum(2 * ms) AS total"),
            history: { defaults: { total: "0" } },
        };

        await standing.top.up(other);

        const [row] = await target.byHand(
            `SELECT d.total = 2 * (SELECT sum(ms) FROM requests WHERE model = 'x' AND ts >= d.day AND ts < d.day + interval '1 day') AS doubled
             FROM daily d WHERE model = 'x' AND day = date_bin('1 day', now(), '2000-01-01') - interval '3 days'`,
        );
        expect(row).toEqual({ doubled: true });
    });

    it("is refused before it begins where an aggregate over it reads a column that vanishes", async () => {
        const without: AggregateInputs = {
            ...changed,
            query: changed.query.replace(", sum(ms) AS total", ""),
        };

        await expect(standing.top.up(without)).rejects.toMatchObject({
            code: "dependant_not_repointed",
            detail: expect.stringContaining(
                "continuous aggregate public.daily reads public.hourly and cannot read its new version",
            ) as string,
        });

        expect(await aggregates()).toEqual(["daily", "hourly", "monthly"]);
        await expectNoChange(standing.top);
    });
});
