/** The rules that are checked without a server are the server's. */
import { hierarchyProblem } from "../../components/timescale/core/aggregate/hierarchy";
import { bucketOf } from "../../components/timescale/core/query/query";
import { relationsIn } from "../../components/timescale/core/relation/relations";
import { onEveryServer } from "./onEveryServer";

const zone = "'Europe/Berlin'";

const widths = [
    ...["7 minutes", "1 hour", "24 hours", "1 day", "36 hours", "1 week", "30 days", "60 days"],
    ...["1 month", "2 months", "3 months", "1 year"],
];

/** Arguments of time_bucket but the column. */
const buckets = [
    ...widths.map((width) => [width]),
    ...["1 hour", "1 day", "1 month"].map((width) => [width, zone]),
];

function select(bucket: readonly string[], from: string, column: string): string {
    const [width, ...rest] = bucket;
    const call = `time_bucket(${[`'${width}'`, column, ...rest].join(", ")})`;
    return `SELECT ${call} AS bucket, count(*) AS n FROM ${from} GROUP BY 1`;
}

function create(name: string, query: string): string {
    return `CREATE MATERIALIZED VIEW ${name} WITH (timescaledb.continuous) AS ${query} WITH NO DATA`;
}

function ours(child: string, parent: string): boolean {
    const problem = hierarchyProblem(
        { title: "child", bucket: bucketOf(child) },
        { title: "parent", bucket: bucketOf(parent) },
    );
    return problem === undefined;
}

/** Each is valid over the tables a, b, "C d" and s.e, and reads what is to be found behind it. */
const queries: readonly (readonly [string, readonly string[]])[] = [
    ["SELECT 1 FROM A, ONLY (b) LEFT JOIN s . e USING (x)", ["a", "b", "s.e"]],
    ['SELECT extract(hour FROM t), trim(both FROM y) FROM "C d" AS a', ["C d"]],
    ["SELECT x IS DISTINCT FROM 1 AS from FROM a WHERE y LIKE ' FROM b' -- FROM b", ["a"]],
    ["SELECT (SELECT max(x) FROM b) FROM ((a JOIN s.e USING (x)))", ["b", "a", "s.e"]],
    ["WITH a AS (SELECT x FROM a), z (q) AS (TABLE a) SELECT 1 FROM a, z, b", ["a", "b"]],
    ["WITH RECURSIVE b AS (SELECT 1 AS x UNION SELECT b.x + 1 FROM b, a) TABLE b", ["a"]],
    ["SELECT 1 FROM ROWS FROM (generate_series(1, 2), unnest('{}'::int[])) r (x, y), a", ["a"]],
    [
        "(SELECT x FROM a) UNION (SELECT x FROM b) EXCEPT (SELECT x FROM (TABLE s.e) q)",
        ["a", "b", "s.e"],
    ],
    ["SELECT 1 FROM a, LATERAL (SELECT x FROM b WHERE b.x = a.x LIMIT 1) c, a d", ["a", "b"]],
];

onEveryServer((target) => {
    beforeAll(async () => {
        await target.byHand("CREATE TABLE m (ts timestamptz NOT NULL)");
        await target.byHand("SELECT create_hypertable('m', 'ts')");
        for (const [index, bucket] of buckets.entries()) {
            await target.byHand(create(`parent_${index}`, select(bucket, "m", "ts")));
        }
        await target.asAdmin("CREATE SCHEMA s AUTHORIZATION observatory_owner");
        for (const name of ["a", "b", '"C d"', "s.e"]) {
            await target.byHand(`CREATE TABLE ${name} (x int, y text, t timestamptz)`);
        }
    });

    it.each([...buckets.entries()])(
        "agrees on which buckets may go over parent_%s of %j",
        async (index, parent) => {
            const over: Record<string, readonly [boolean, boolean]> = {};
            for (const bucket of buckets) {
                const child = select(bucket, `parent_${index}`, "bucket");
                await target.byHand("BEGIN");
                const theirs = await target.byHand(create("child", child)).then(
                    () => true,
                    (error: unknown) => {
                        expect(error).toMatchObject({ code: "0A000" });
                        return false;
                    },
                );
                await target.byHand("ROLLBACK");
                over[bucket.join(" ")] = [ours(child, select(parent, "m", "ts")), theirs];
            }
            const different = Object.entries(over).filter(([, [one, other]]) => one !== other);
            expect(different).toEqual([]);
        },
    );

    it.each(queries)("agrees on what %s reads", async (query, expected) => {
        await target.byHand(`CREATE VIEW v AS ${query}`);
        const rows = await target.byHand(
            `SELECT DISTINCT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname AS name
             FROM pg_rewrite r JOIN pg_depend d ON d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
             JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE r.ev_class = 'v'::regclass AND c.relname <> 'v'`,
        );
        await target.byHand("DROP VIEW v");

        const found = relationsIn(query).map(({ schema, name }) =>
            schema === undefined ? name : `${schema}.${name}`,
        );
        expect(rows.map(({ name }) => name).sort()).toEqual([...found].sort());
        expect(found).toEqual(expected);
    });
});
