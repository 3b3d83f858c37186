/** Versions that a changed query has replaced: they go with their aggregate's name, and come back only whole. */
import { aggregate, type AggregateInputs, type Declared, expectNoChange, hypertable, type HypertableInputs } from "./declared"; // prettier-ignore
import { onEveryServer, type Row } from "./onEveryServer";

const raw: HypertableInputs = {
    name: "requests",
    columns: [
        { name: "ts", type: "timestamptz" },
        { name: "model", type: "text" },
        { name: "ms", type: "int" },
    ],
    timeColumn: "ts",
    chunkTimeInterval: "1 day",
};
const one: AggregateInputs = {
    name: "hourly",
    query: "SELECT time_bucket('1 hour', ts) AS bucket, model, count(*) AS n FROM requests GROUP BY 1, 2",
    refreshPolicy: { startOffset: "2 days", endOffset: "1 hour", scheduleInterval: "1 hour" },
    onQueryChange: "keepHistory",
    acceptLoss: { upToRows: 10_000 },
};
const two: AggregateInputs = { ...one, query: one.query.replace("count(*) AS n", "count(*) AS n, max(ms) AS slowest") }; // prettier-ignore

onEveryServer((target) => {
    let table: Declared<HypertableInputs>;
    let standing: Declared<AggregateInputs>;

    const rows = (name: string): Promise<Row[]> =>
        target.byHand(`SELECT bucket, model, n FROM ${name} ORDER BY 1, 2`);
    const aggregates = async (): Promise<string[]> => {
        const found = await target.byHand(
            "SELECT format('%s.%s', view_schema, view_name) AS view FROM timescaledb_information.continuous_aggregates ORDER BY 1",
        );
        return found.map(({ view }) => String(view).replace(/_\d{8}_\d+$/, "_…"));
    };
    const drop = (days: number): Promise<Row[]> =>
        target.byHand(`SELECT drop_chunks('requests', older_than => interval '${days} days')`);

    beforeAll(async () => {
        await target.byHand("CREATE SCHEMA elsewhere");
    });

    beforeEach(async () => {
        table = hypertable(target, raw);
        await table.up();
        await target.byHand(
            `INSERT INTO requests SELECT t, 'x', 3
             FROM generate_series(date_bin('1 hour', now(), '2000-01-01') - interval '8 days', now(), interval '30 minutes') t`,
        );
        standing = aggregate(target, one);
        await standing.up();
        await drop(6);
    });

    afterEach(async () => {
        const found = await target.byHand(
            "SELECT format('%I.%I', view_schema, view_name) AS view FROM timescaledb_information.continuous_aggregates",
        );
        for (const { view } of found) await target.byHand(`DROP MATERIALIZED VIEW ${String(view)}`);
        await target.byHand("DROP TABLE requests");
    });

    it("are renamed with it, brought back from there, and dropped with it", async () => {
        await standing.up(two);
        const before = await rows("hourly");

        await standing.up({ ...two, name: "by_the_hour" });

        expect(await aggregates()).toEqual(["public.by_the_hour", "public.by_the_hour_replaced_…"]);
        const back = { ...one, name: "by_the_hour" };
        expect(await standing.preview(back)).toEqual([
            "query: changed",
            expect.stringMatching(/_replaced_.* has this query: it takes its place again$/),
            expect.stringMatching(/^what stands now stays as /),
        ]);
        await standing.up(back);
        await expectNoChange(standing, back);
        expect(await rows("by_the_hour")).toEqual(before);
        await standing.remove();
        expect(await aggregates()).toEqual([]);
    });

    it("are dropped where that is said together with another name", async () => {
        await standing.up(two);
        const desired = { ...two, name: "by_the_hour", history: { replacedVersions: "drop" as const } }; // prettier-ignore

        await standing.up(desired);

        await expectNoChange(standing, desired);
        expect(await aggregates()).toEqual(["public.by_the_hour"]);
    });

    it("go along where query, name and schema change at once", async () => {
        await standing.up(two);
        const before = await rows("hourly");
        const third = { ...two, schema: "elsewhere", name: "by_the_hour", query: two.query.replace("count(*) AS n", "count(*) AS n, min(ms) AS quickest") }; // prettier-ignore

        await standing.up(third);

        await expectNoChange(standing, third);
        expect(await rows("elsewhere.by_the_hour")).toEqual(before);
        expect(await aggregates()).toEqual([
            "elsewhere.by_the_hour",
            "elsewhere.by_the_hour_replaced_…",
            "elsewhere.by_the_hour_replaced_…",
        ]);
        await standing.up({ ...one, schema: "elsewhere", name: "by_the_hour" });
        expect(await rows("elsewhere.by_the_hour")).toEqual(before);
        await standing.remove();
        expect(await aggregates()).toEqual([]);
    });

    it("are refused where they lack rows that raw data can no longer give", async () => {
        await standing.up(two);
        // A late row that the new version alone has computed.
        await target.byHand("INSERT INTO requests VALUES (date_trunc('day', now()) - interval '5 days 12 hours', 'x', 1)"); // prettier-ignore
        await target.byHand("CALL refresh_continuous_aggregate('hourly', date_trunc('day', now()) - interval '5 days 12 hours', date_trunc('day', now()) - interval '5 days')"); // prettier-ignore
        await drop(3);
        const before = await rows("hourly");

        await expect(standing.up(one)).rejects.toMatchObject({
            code: "version_incomplete",
            detail: expect.stringMatching(/^rows of 1 buckets from /) as string,
        });

        expect(await rows("hourly")).toEqual(before);
        await standing.up(two);
        await expectNoChange(standing, two);
    });

    it("are copied from where a late row has brought back the chunk that was dropped last", async () => {
        await table.up({ ...raw, retentionPolicy: { dropAfter: "6 days" } });
        const [{ oldest } = {}] = await target.byHand("SELECT min(range_start)::text AS oldest FROM timescaledb_information.chunks WHERE hypertable_name = 'requests'"); // prettier-ignore
        await target.byHand(`INSERT INTO requests VALUES ('${String(oldest)}'::timestamptz - interval '12 hours', 'y', 1)`); // prettier-ignore
        const before = await rows("hourly");

        await standing.up({ ...two, query: two.query.replace("count(*) AS n,", "count(ms) AS n,") }); // prettier-ignore

        expect(await rows("hourly")).toEqual(before);
    });
});
