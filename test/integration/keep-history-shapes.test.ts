/**
 * Queries of every shape, changed twice, brought back and destroyed: each keeps its rows, and in the
 * end nothing is left behind.
 */
import { aggregate, type AggregateInputs, expectNoChange, hypertable } from "./declared";
import { onEveryServer, type Row, type Target } from "./onEveryServer";

interface Shape {
    readonly name: string;
    /** With {columns} where the versions differ, over `"Raw"."requests"`. */
    readonly query: string;
    readonly inputs?: Partial<AggregateInputs>;
    /** What all versions say, to be compared. @default - everything but the columns that differ */
    readonly compared: string;
    /** Raw data begins so long ago, and is dropped up to then; intervals. */
    readonly raw?: readonly [from: string, to: string | null];
    /** Statements of the owner when the first version stands. */
    readonly given?: readonly string[];
    readonly givenByAdmin?: readonly string[];
    /** The declared owner, where that is not the login. */
    readonly on?: (target: Target) => boolean;
}

const byHour = `SELECT time_bucket('1 hour', ts) AS bucket, model, count(*) AS n{columns} FROM "Raw".requests GROUP BY 1, 2`;

const shapes: readonly Shape[] = [
    { name: "plain", query: byHour, compared: "bucket, model, n" },
    {
        name: "with a name of 63 bytes",
        query: byHour,
        inputs: { name: `${"n".repeat(58)}äö1` },
        compared: "bucket, model, n",
    },
    {
        name: "with columns that need quotes",
        query: `SELECT time_bucket('1 hour', ts) AS "The ""Bucket"", it's; --", model AS "mo'del", count(*) AS "n, %"{columns} FROM "Raw".requests GROUP BY 1, 2`,
        compared: `"The ""Bucket"", it's; --", "mo'del", "n, %"`,
    },
    {
        name: "with the bucket behind other columns",
        query: `SELECT model, count(*) AS n, time_bucket('1 hour', ts) AS hour{columns} FROM "Raw".requests GROUP BY hour, model`,
        compared: "hour, model, n",
    },
    {
        name: "by the day of a time zone",
        query: `SELECT time_bucket('1 day', ts, 'Europe/Berlin') AS bucket, model, count(*) AS n{columns} FROM "Raw".requests GROUP BY 1, 2`,
        inputs: { refreshPolicy: { startOffset: "5 days", endOffset: "1 day", scheduleInterval: "1 hour" } }, // prettier-ignore
        raw: ["60 days", "20 days"],
        compared: "bucket, model, n",
    },
    {
        name: "by the month",
        query: `SELECT time_bucket('1 month', ts) AS bucket, model, count(*) AS n{columns} FROM "Raw".requests GROUP BY 1, 2`,
        inputs: { refreshPolicy: { startOffset: "3 months", endOffset: "1 day", scheduleInterval: "1 hour" } }, // prettier-ignore
        raw: ["400 days", "150 days"],
        compared: "bucket, model, n",
    },
    {
        name: "by nothing but the bucket",
        query: `SELECT time_bucket('1 hour', ts) AS bucket, count(*) AS n{columns} FROM "Raw".requests GROUP BY 1`,
        compared: "bucket, n",
    },
    {
        name: "by two expressions",
        query: `SELECT time_bucket('1 hour', ts) AS bucket, upper(model) AS upper, CASE WHEN ms > 3 THEN 'slow' END AS speed, count(*) AS n{columns} FROM "Raw".requests GROUP BY 1, 2, 3`,
        compared: "bucket, upper, speed, n",
    },
    {
        name: "with HAVING",
        query: `SELECT time_bucket('1 hour', ts) AS bucket, model, count(*) AS n{columns} FROM "Raw".requests GROUP BY 1, 2 HAVING sum(ms) > 2`,
        compared: "bucket, model, n",
    },
    {
        name: "with a join to a plain table",
        query: `SELECT time_bucket('1 hour', r.ts) AS bucket, m.title, count(*) AS n{columns} FROM "Raw".requests r JOIN "Raw".models m ON m.model = r.model GROUP BY 1, 2`,
        compared: "bucket, title, n",
    },
    {
        name: "that shows raw rows as well",
        query: byHour,
        inputs: { materializedOnly: false },
        compared: "bucket, model, n",
    },
    {
        name: "whose buckets are compressed",
        query: byHour,
        inputs: { compressionPolicy: { compressAfter: "6 days", segmentBy: ["model"] }, chunkTimeInterval: "1 day" }, // prettier-ignore
        given: [
            "SELECT compress_chunk(c) FROM show_chunks('shaped', older_than => interval '6 days') c",
        ],
        compared: "bucket, model, n",
    },
    {
        name: "in another schema, with comment, grants and index",
        query: byHour,
        inputs: {
            schema: "Else Where",
            comment: `it's "quoted" $$ \\ %`,
            grants: [{ role: "observatory_reader", privileges: ["SELECT"] }],
            indexes: [{ name: `odd "index" of n`, columns: ["n DESC", "bucket"] }],
        },
        compared: "bucket, model, n",
    },
    {
        name: "with grants of another grantor",
        query: byHour,
        inputs: { grants: [{ role: "observatory_reader", privileges: ["SELECT"] }] },
        givenByAdmin: [
            `GRANT SELECT ON shaped TO observatory_writer WITH GRANT OPTION`,
            `SET ROLE observatory_writer; GRANT SELECT ON shaped TO observatory_reader; RESET ROLE`,
        ],
        compared: "bucket, model, n",
    },
    {
        name: "with a policy that refreshes everything up to now",
        query: byHour,
        inputs: { refreshPolicy: { scheduleInterval: "1 hour" } },
        given: [`CALL refresh_continuous_aggregate('shaped', now() - interval '3 hours', NULL)`],
        raw: ["12 days", null],
        compared: "bucket, model, n",
    },
    {
        name: "without a policy, with the open bucket",
        query: byHour,
        inputs: { refreshPolicy: undefined as never },
        given: [`CALL refresh_continuous_aggregate('shaped', now() - interval '3 hours', NULL)`],
        compared: "bucket, model, n",
    },
    { name: "over an empty table", query: byHour, raw: ["-1 days", null], compared: "bucket, model, n" }, // prettier-ignore
    {
        name: "over a table that lost everything",
        query: byHour,
        raw: ["12 days", "-2 days"],
        compared: "bucket, model, n",
    },
];

onEveryServer((target) => {
    const nothing = async (): Promise<Row[]> => target.asAdmin(
        `SELECT 'aggregate' AS what, user_view_name::text AS name FROM _timescaledb_catalog.continuous_agg
         UNION ALL SELECT 'job', id || proc_name FROM _timescaledb_config.bgw_job WHERE id >= 1000 AND hypertable_id IS NOT NULL
         UNION ALL SELECT 'function', proname::text FROM pg_proc WHERE proname LIKE 'pulumi_timescale%'`,
    ); // prettier-ignore

    beforeAll(async () => {
        await target.byHand(`CREATE SCHEMA "Raw"`);
        await target.byHand(`CREATE SCHEMA "Else Where"`);
    });

    beforeEach(async () => {
        const rows = await target.byHand(
            "SELECT format('%I.%I', user_view_schema, user_view_name) AS view FROM _timescaledb_catalog.continuous_agg ORDER BY mat_hypertable_id DESC",
        );
        for (const { view } of rows) await target.byHand(`DROP MATERIALIZED VIEW ${String(view)}`);
        await target.byHand(`DROP TABLE IF EXISTS "Raw".requests CASCADE`);
        await target.byHand(`DROP TABLE IF EXISTS "Raw".models`);
        await hypertable(target, {
            schema: "Raw",
            name: "requests",
            columns: [
                { name: "ts", type: "timestamptz" },
                { name: "model", type: "text" },
                { name: "ms", type: "int" },
            ],
            timeColumn: "ts",
            chunkTimeInterval: "1 day",
        }).up();
        await target.byHand(`CREATE TABLE "Raw".models (model text PRIMARY KEY, title text)`);
        await target.byHand(`INSERT INTO "Raw".models VALUES ('x', 'The X'), ('y', 'The Y')`);
    });

    it.each(shapes.map((shape) => [shape.name, shape] as const))(
        "an aggregate %s",
        async (
            _,
            {
                query,
                inputs = {},
                compared,
                raw = ["12 days", "6 days"],
                given = [],
                givenByAdmin = [],
            },
        ) => {
            const of = (columns: string): AggregateInputs => ({
                name: "shaped",
                query: query.replace("{columns}", columns),
                refreshPolicy: {
                    startOffset: "2 days",
                    endOffset: "1 hour",
                    scheduleInterval: "1 hour",
                },
                onQueryChange: "keepHistory",
                acceptLoss: { upToRows: 100_000 },
                ...inputs,
            });
            const [one, two, three] = [of(""), of(", max(ms) AS slowest"), of(", sum(ms) AS total, max(ms) AS slowest")] as const; // prettier-ignore
            const [from, to] = raw;
            await target.byHand(
                `INSERT INTO "Raw".requests SELECT t, model, extract(hour FROM t)::int
                 FROM generate_series(date_bin('1 hour', now(), '2000-01-01') - interval '${from}', now(), interval '30 minutes') t,
                     (VALUES ('x'), ('y'), (NULL)) models (model)`,
            );
            const standing = aggregate(target, one);
            await standing.up();
            if (to !== null) await target.byHand(`SELECT drop_chunks('"Raw".requests', older_than => now() - interval '${to}')`); // prettier-ignore
            for (const text of given) await target.byHand(text);
            for (const text of givenByAdmin) await target.asAdmin(text);
            const name = `"${one.schema ?? "public"}"."${one.name}"`;
            const contents = (): Promise<Row[]> => target.byHand(`SELECT ${compared} FROM ${name} ORDER BY ${compared}`); // prettier-ignore
            const before = await contents();
            if (raw[0] !== "-1 days") expect(before.length).toBeGreaterThan(10);

            for (const inputs of [two, three, one, two, one]) {
                await standing.up(inputs);
                expect(await contents()).toEqual(before);
                await expectNoChange(standing, inputs);
            }
            const dropped = { ...one, history: { replacedVersions: "drop" as const } };
            await standing.up(dropped);
            expect(await contents()).toEqual(before);
            await standing.up(three);
            await expectNoChange(standing, three);
            expect(await contents()).toEqual(before);
            await standing.remove();
            expect(await nothing()).toEqual([]);
        },
        120_000,
    );
});
