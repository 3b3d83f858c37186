/** How rows of an old version become rows of a new one. */
import {
    type History,
    mapHistory,
    type Version,
} from "../../components/timescale/core/aggregate/keepHistory/mapping";

type Columns = Readonly<Record<string, string>>;

/** Both in the server's words, over the same table. @param columns name to expression */
function version(bucket: string, columns: Columns, keys: readonly string[]): Version {
    const items = [
        `time_bucket(${bucket}, t.ts) AS bucket`,
        ...keys.map((key) => `t.${key}`),
        ...Object.entries(columns).map(([name, expression]) => `${expression} AS ${name}`),
    ];
    return {
        definition: ` SELECT ${items.join(",\n    ")}\n   FROM t\n  GROUP BY (time_bucket(${bucket}, t.ts));`,
        columns: [
            { name: "bucket", type: "timestamp with time zone" },
            ...keys.map((name) => ({ name, type: "text" })),
            ...Object.keys(columns).map((name) => ({ name, type: "bigint" })),
        ],
        groupColumns: keys,
    };
}

const hour = "'01:00:00'::interval";
const day = "'1 day'::interval";
const standing = version(hour, { n: "count(*)", total: "sum(t.ms)", slow: "max(t.ms)", mean: "avg(t.ms)" }, ["model", "provider"]); // prettier-ignore

function mapped(will: Version, history: History = {}) {
    const result = mapHistory(standing, will, history, "public.hourly");
    if ("problems" in result) {
        return { problems: result.problems.map(({ code, message, detail }) => [code, message, detail]) }; // prettier-ignore
    }
    const { columns, groupBy, empty, dropped } = result.mapping;
    return {
        columns: Object.fromEntries(columns.map(({ name, expression }) => [name, expression])),
        groupBy,
        empty,
        dropped,
    };
}

describe("the history of a changed query", () => {
    it("is carried over by name; what is new is empty, what is gone is said", () => {
        const will = version(hour, { n: "count(*)", cost: "sum(t.cost)" }, ["model", "provider"]);

        expect(mapped(will)).toEqual({
            columns: {
                bucket: `time_bucket(${hour}, "bucket")`,
                model: '"model"',
                provider: '"provider"',
                n: '"n"',
                cost: "NULL::bigint",
            },
            groupBy: undefined,
            empty: ["cost"],
            dropped: ["total", "slow", "mean"],
        });
    });

    it("takes declared values and former names", () => {
        const will = version(hour, { requests: "count(*)", cost: "sum(t.cost)" }, ["model", "provider", "region"]); // prettier-ignore

        expect(
            mapped(will, {
                defaults: { cost: 0, region: "it's none" },
                renamed: { requests: "n" },
            }),
        ).toMatchObject({
            columns: { requests: '"n"', cost: "'0'::bigint", region: "'it''s none'::text" },
            empty: [],
            dropped: ["total", "slow", "mean"],
        });
    });

    it("is rolled up where the bucket grows, as far as the whole follows from the parts", () => {
        const will = version(day, { n: "count(*)", total: "sum(t.ms)", slow: "max(t.ms)" }, ["model", "provider"]); // prettier-ignore

        expect(mapped(will)).toMatchObject({
            columns: {
                bucket: `time_bucket(${day}, "bucket")`,
                n: 'sum("n")::bigint',
                total: 'sum("total")::bigint',
                slow: 'max("slow")::bigint',
            },
            groupBy: [`time_bucket(${day}, "bucket")`, '"model"', '"provider"'],
        });
    });

    it("is rolled up where a grouping column goes", () => {
        const will = version(hour, { n: "count(*)" }, ["model"]);

        expect(mapped(will)).toMatchObject({
            columns: { model: '"model"', n: 'sum("n")::bigint' },
            groupBy: [`time_bucket(${hour}, "bucket")`, '"model"'],
            dropped: ["provider", "total", "slow", "mean"],
        });
    });

    it("is refused where an average would have to be made of averages, unless it is said how", () => {
        const will = version(day, { n: "count(*)", mean: "avg(t.ms)" }, ["model", "provider"]);

        expect(mapped(will)).toEqual({
            problems: [
                [
                    "history_roll_up",
                    "column mean of public.hourly has no roll-up for its history",
                    "several buckets become one, and avg(t.ms) does not follow from the parts: only count, sum, min and max do",
                ],
            ],
        });
        expect(mapped(will, { rollUp: { mean: "sum(total) / nullif(sum(n), 0)" } })).toMatchObject({
            columns: { mean: "(sum(total) / nullif(sum(n), 0))::bigint" },
        });
    });

    it.each([
        ["a shorter one", "'00:30:00'::interval"],
        ["no multiple", "'01:30:00'::interval"],
    ])("is refused where the new bucket is %s", (_what, bucket) => {
        const will = version(bucket, { n: "count(*)" }, ["model", "provider"]);

        expect(mapped(will)).toMatchObject({ problems: [["history_bucket", expect.anything(), expect.stringContaining("whole multiple")]] }); // prettier-ignore
    });

    it("does not take a column for another one of the same name", () => {
        const will = version(day, { n: "max(t.n)" }, ["model", "provider"]);

        expect(mapped(will)).toMatchObject({ problems: [["history_roll_up", expect.anything(), expect.anything()]] }); // prettier-ignore
    });

    it("names every column that neither version has", () => {
        const will = version(hour, { n: "count(*)" }, ["model", "provider"]);

        expect(
            mapped(will, {
                defaults: { nn: 1 },
                renamed: { n: "count" },
                rollUp: { x: "sum(n)" },
            }),
        ).toMatchObject({
            problems: [
                ["history_column", "history.defaults of public.hourly names no column", expect.stringMatching(/^nn is no column of the new query/)], // prettier-ignore
                ["history_column", "history.renamed of public.hourly names no column", expect.stringMatching(/^count is no column of the standing query/)], // prettier-ignore
                ["history_column", "history.rollUp of public.hourly names no column", expect.anything()], // prettier-ignore
            ],
        });
    });
});
