/** The view that TimescaleDB made over an aggregate's buckets is known from any other, whatever its query is. */
import { aggregate, expectNoChange, hypertable } from "./declared";
import { onEveryServer } from "./onEveryServer";

const bucket = "time_bucket('1 hour', r.ts)";

const queries: readonly (readonly [string, string])[] = [
    ["one group", `SELECT ${bucket} AS bucket, count(*) AS n FROM r GROUP BY 1`],
    ["names of the server's own", `SELECT ${bucket}, count(*), sum(v) FROM r GROUP BY 1`],
    [
        "conditions on rows and on groups",
        `SELECT ${bucket} AS bucket, model, count(*) FILTER (WHERE v > 1) AS n FROM r
         WHERE v > 0 OR model = 'x' GROUP BY 1, 2 HAVING count(*) > 0 AND sum(v) > 0`,
    ],
    [
        "a group that is no column",
        `SELECT ${bucket} AS bucket, count(*) AS n FROM r GROUP BY 1, model`,
    ],
    [
        "names that need quotes, and the bucket last",
        `SELECT count(*) AS "n.; (""x"")", upper(model) AS "select", ${bucket} AS "B (x) AND; y" FROM r GROUP BY 2, 3`,
    ],
    [
        "months of a time zone",
        "SELECT time_bucket('1 month', ts, 'Europe/Berlin') AS bucket, count(*) AS n FROM r GROUP BY 1",
    ],
    [
        "an order",
        `SELECT ${bucket} AS bucket, model, count(*) AS n FROM r GROUP BY 1, 2 ORDER BY 2 DESC, 1`,
    ],
    [
        "an alias and texts that look like a view's",
        `SELECT time_bucket('1 hour', "A b".ts) AS bucket, CASE WHEN sum(v) > 0 THEN 'UNION ALL' ELSE E'a\\nUNION ALL\\nb' END AS n
         FROM r "A b" GROUP BY 1`,
    ],
    [
        "a join",
        `SELECT ${bucket} AS bucket, d.label, count(*) AS n FROM r JOIN d ON d.model = r.model GROUP BY 1, 2`,
    ],
];

onEveryServer((target) => {
    beforeAll(async () => {
        for (const [name, type] of [
            ["r", "timestamptz"],
            ["s", "timestamp(3)"],
            ["t", "date"],
        ] as const) {
            await hypertable(target, {
                name,
                columns: [
                    { name: "ts", type },
                    { name: "model", type: "text" },
                    { name: "v", type: "int" },
                ],
                timeColumn: "ts",
            }).up();
        }
        await target.byHand("CREATE TABLE d (model text, label text)");
    });

    const ofOtherTimes = ["s", "t"].map(
        (table) =>
            [
                `times of another type, in ${table}`,
                `SELECT time_bucket('1 day', ts) AS bucket, count(*) AS n FROM ${table} GROUP BY 1`,
            ] as const,
    );
    it.each([...queries, ...ofOtherTimes])(
        "over %s, from one with a condition more",
        async (_, query) => {
            for (const materializedOnly of [true, false]) {
                const declared = aggregate(target, { name: "mine", query, materializedOnly });
                await declared.up();
                await expectNoChange(declared);

                const [shape] = await target.byHand(
                    "SELECT pg_get_viewdef('mine'::regclass) AS text",
                );
                const text = String(shape?.["text"]).replace(/;$/, "");
                await target.byHand(
                    `CREATE OR REPLACE VIEW mine AS SELECT * FROM (${text}) x WHERE now() > '2026-01-01'`,
                );
                expect(await declared.preview()).toEqual([
                    "view: another query, by CREATE OR REPLACE VIEW → the view that TimescaleDB made",
                ]);
                await declared.up();
                await expectNoChange(declared);

                const switched = { ...declared.inputs, materializedOnly: !materializedOnly };
                await declared.up(switched);
                await expectNoChange(declared, switched);
                await declared.remove();
            }
        },
    );

    it("from one with a condition in its very place", async () => {
        const query = `SELECT ${bucket} AS bucket, count(*) AS n FROM r GROUP BY 1`;
        const declared = aggregate(target, { name: "mine", query });
        await declared.up();
        const [shape] = await target.byHand("SELECT pg_get_viewdef('mine'::regclass) AS text");
        const text = String(shape?.["text"]).replace(/;$/, "");
        for (const other of [
            `${text} WHERE n > 0`,
            `${text} LIMIT 1`,
            text.replace(/\S*\bn(?=\n)/, "n + 0 AS n"),
        ]) {
            await target.byHand(`CREATE OR REPLACE VIEW mine AS ${other}`);
            expect(await declared.preview()).toHaveLength(1);
            await declared.up();
            await expectNoChange(declared);
        }
    });
});
