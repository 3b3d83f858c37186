/** The query of an aggregate: spelling is no change, meaning is one, and what stands under its name is looked at. */
import { TimescaleError } from "../../components/timescale/core/errors";
import {
    aggregate,
    type AggregateInputs,
    type Declared,
    expectNoChange,
    hypertable,
} from "./declared";
import { everyNames, hourly, type Names, quoted, rawTable } from "./names";
import { onEveryServer, type Target } from "./onEveryServer";

type Rewrite = (query: string, it: Names, names: Names) => string;

const spellings: readonly (readonly [string, Rewrite])[] = [
    ["the same text", (query) => query],
    [
        "other spacing",
        (query) => `\n\t ${query.replace(/ AS |\n/g, (found) => `\n\t ${found}   `)}  `,
    ],
    [
        "other case of keywords and functions",
        (query) =>
            query
                .replace(/\b(SELECT|FROM|WHERE|GROUP BY|AS|IN|FILTER)\b/g, (word) =>
                    word.toLowerCase(),
                )
                .replace(/\b(time_bucket|count|sum)\b/g, (word) => word.toUpperCase()),
    ],
    [
        "comments",
        (query) =>
            `-- hourly; it's\n/* nested /* ; */ */ ${query.replace("FROM", "/* from */ FROM -- here\n")} -- end;`,
    ],
    ["a trailing semicolon", (query) => `${query} ;\n`],
    ["ordinals", (query) => query.replace(/GROUP BY .*/, "GROUP BY 1, 2")],
    ["an interval in other words", (query) => query.replace("'1 hour'", "'60 minutes'")],
    ["an interval with a cast", (query) => query.replace("'1 hour'", "interval '01:00:00'")],
    ["= ANY for IN", (query) => query.replace("IN (1, 2)", "= ANY (ARRAY[1, 2])")],
    ["<> in its other spelling", (query) => query.replace("<>", "!=")],
    [
        "needless parentheses",
        (query, it) => query.replace(`sum(${it.value})`, `(sum((${it.value})))`),
    ],
    [
        "a schema left out",
        (query, it) => query.replace(it.table, it.table.slice(it.schema.length + 1)),
    ],
    [
        "columns with their table's name",
        (query, it) => {
            const table = it.table.slice(it.schema.length + 1);
            return query.replace(`sum(${it.value})`, `sum(${table}.${it.value})`);
        },
    ],
    ["quotes around plain names", (query) => query.replace(/\b(bucket|total)\b/g, '"$1"')],
    ["AS left out", (query) => query.replace("AS total", "total")],
];

const meanings: readonly (readonly [string, Rewrite, string])[] = [
    // The server keeps the order of grouping, which changes nothing; it cannot be told from what does.
    [
        "another order of grouping",
        (query, it) => query.replace(/GROUP BY .*/, `GROUP BY ${it.model}, 1`),
        "GROUP BY",
    ],
    ["another bucket", (query) => query.replace("'1 hour'", "'2 hours'"), "02:00:00"],
    ["another aggregate", (query) => query.replace("sum(", "max("), "max("],
    ["another condition", (query) => query.replace("<> ''", "<> 'x'"), "'x'::text"],
    [
        "a column more",
        (query) =>
            query.replace("count(*) AS requests,", "count(*) AS requests, avg(cost) AS cost,"),
        "AS cost",
    ],
    ["a column less", (query) => query.replace("count(*) AS requests,", ""), "- "],
    [
        "other order of columns",
        (query, it) =>
            query.replace(
                `count(*) AS requests,\n    sum(${it.value}) AS total,`,
                `sum(${it.value}) AS total, count(*) AS requests,`,
            ),
        "total",
    ],
];

async function refusal(work: Promise<unknown>): Promise<TimescaleError> {
    const error = await work.then(
        () => undefined,
        (thrown: unknown) => thrown,
    );
    if (!(error instanceof TimescaleError)) throw new Error(`no refusal: ${String(error)}`);
    return error;
}

/** Everything that a refused `up` could have touched. */
async function catalogOf(target: Target): Promise<unknown> {
    return target.asAdmin(`
        SELECT a.*, (SELECT json_agg(j ORDER BY j.id) FROM _timescaledb_config.bgw_job j
                     WHERE j.hypertable_id = a.mat_hypertable_id) AS jobs
        FROM _timescaledb_catalog.continuous_agg a ORDER BY a.mat_hypertable_id`);
}

onEveryServer((target) => {
    describe.each(everyNames)("%s", (_, names) => {
        const it_ = quoted(names);
        const inputs = hourly(names);
        let standing: Declared<AggregateInputs>;

        beforeAll(async () => {
            if (names.schema !== "public") await target.byHand(`CREATE SCHEMA ${it_.schema}`);
            await hypertable(target, rawTable(names)).up();
            standing = aggregate(target, inputs);
            await standing.up();
        }, 60_000);

        afterAll(async () => {
            await target.byHand(`DROP MATERIALIZED VIEW IF EXISTS ${it_.aggregate}`);
        });

        it.each(spellings)("%s is no change", async (_name, rewrite) => {
            const query = rewrite(inputs.query, it_, names);

            await expectNoChange(standing, { ...inputs, query });
        });

        it.each(meanings)("%s is refused, and shown", async (_name, rewrite, shown) => {
            const query = rewrite(inputs.query, it_, names);
            expect(query).not.toBe(inputs.query);
            const before = await catalogOf(target);

            const { plan } = await standing.plan({ ...inputs, query });
            expect(plan.statements).toEqual([]);
            expect(plan.refusals.map(({ code }) => code)).toEqual(["query_changed"]);

            const error = await refusal(standing.up({ ...inputs, query, comment: "other" }));
            expect(error.code).toBe("query_changed");
            expect(error.detail).toContain("--- in the database");
            expect(error.detail).toContain("+++ declared");
            expect(error.detail).toContain(shown);
            expect(await catalogOf(target)).toEqual(before);
            await expectNoChange(standing, inputs);
        });

        it("is shown with the columns that appear, vanish and change type", async () => {
            const query = inputs.query
                .replace("count(*) AS requests,", "avg(cost) AS cost,")
                .replace(`sum(${it_.value})`, `sum(${it_.value}::bigint)`);

            const { plan } = await standing.plan({ ...inputs, query });

            expect(plan.lines).toMatchObject([
                {
                    code: "query",
                    property: "query",
                    columns: [
                        { name: "requests", was: "bigint", will: null },
                        { name: "total", was: "bigint", will: "numeric" },
                        { name: "cost", was: null, will: "numeric" },
                    ],
                },
            ]);
        });

        it("is taken over without a state when it is the same", async () => {
            const again = aggregate(target, inputs);
            const before = await catalogOf(target);

            await again.up();

            expect(await catalogOf(target)).toEqual(before);
            await expectNoChange(again);
        });

        it.each([false, true])("is not taken over when it differs, adopt: %s", async (adopt) => {
            const query = inputs.query.replace("'1 hour'", "'2 hours'");

            const error = await refusal(aggregate(target, { ...inputs, query, adopt }).up());

            expect(error.code).toBe(adopt ? "query_changed" : "exists_and_differs");
            expect(error.detail).toContain("02:00:00");
        });

        it("is seen when it belongs to somebody else", async () => {
            await target.asAdmin(`ALTER MATERIALIZED VIEW ${it_.aggregate} OWNER TO CURRENT_USER`);

            const error = await refusal(standing.up());

            expect(error.code).toBe("another_owner");
            expect(error.hint).toContain(`ALTER MATERIALIZED VIEW`);
            const [statement] =
                /ALTER MATERIALIZED VIEW .* OWNER TO \S+/.exec(error.hint ?? "") ?? [];
            await target.asAdmin(statement ?? "");
            await expectNoChange(standing);
        });

        it("is seen when a job belongs to somebody else", async () => {
            const job = `(SELECT min(id) FROM _timescaledb_config.bgw_job WHERE proc_name = 'policy_retention'
                          AND hypertable_id = (SELECT mat_hypertable_id FROM _timescaledb_catalog.continuous_agg))`;
            await target.asAdmin(
                `UPDATE _timescaledb_config.bgw_job SET owner = CURRENT_USER::regrole WHERE id = ${job}`,
            );

            const error = await refusal(standing.up());

            expect(error.code).toBe("another_job_owner");
            const [statement] = /SELECT delete_job\(\d+\)/.exec(error.hint ?? "") ?? [];
            await target.asAdmin(statement ?? "");
            expect(await standing.preview()).toEqual([
                "retentionPolicy: none → dropAfter 210 days, every 1 day",
            ]);
            await standing.up();
            await expectNoChange(standing);
        });

        it.each([
            ["view", `VIEW NAME AS SELECT 1 AS a`],
            ["plain table", `TABLE NAME (a int)`],
            ["materialized view", `MATERIALIZED VIEW NAME AS SELECT 1 AS a`],
            ["sequence", `SEQUENCE NAME`],
        ])("does not take the place of a %s", async (kind, text) => {
            const inTheWay = { ...inputs, name: `${names.aggregate} ${kind}` };
            const name = quoted({ ...names, aggregate: inTheWay.name }).aggregate;
            await target.byHand(`CREATE ${text.replace("NAME", name)}`);

            const error = await refusal(aggregate(target, inTheWay).up());

            expect(error.code).toBe("another_relation");
            expect(error.message).toContain(`exists already, and is a ${kind}`);
            expect(error.detail).toContain("it belongs to observatory_owner");
            await target.byHand(`DROP ${kind.replace("plain ", "")} ${name}`);
        });
    });
});
