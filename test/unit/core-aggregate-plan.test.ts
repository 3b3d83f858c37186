import type { DesiredQuery } from "../../components/timescale/core/aggregate/changes";
import type { InspectedAggregate } from "../../components/timescale/core/aggregate/inspect";
import { markStatement } from "../../components/timescale/core/aggregate/mark";
import { planAggregate } from "../../components/timescale/core/aggregate/plan";
import { explain } from "../../components/timescale/core/errors";
import { describePlan, isEmpty, type Plan } from "../../components/timescale/core/plan/plan";
import {
    desiredCompressionJob,
    desiredRefreshJob,
    desiredRetentionJob,
} from "../../components/timescale/core/policies/policy";
import {
    definitionOf,
    diffOf,
    type Given,
    hourly,
    type Inputs,
    namesOf,
    owner,
    planOf,
    queryAs,
    standing,
    type StandingAggregate,
    standingCompression,
    standingJob,
} from "../helpers/builders";

const refreshPolicy = { startOffset: "3 days", endOffset: "1 hour", scheduleInterval: "1 hour" };
const retentionPolicy = { dropAfter: "37 days" };
const compressionPolicy = {
    compressAfter: "7 days",
    segmentBy: ["model"],
    orderBy: ["bucket DESC"],
};
const grants = [{ role: "observatory_reader", privileges: ["SELECT"] }];
const policies = { refreshPolicy, retentionPolicy, compressionPolicy };
const everything = { ...policies, comment: "by hour", chunkTimeInterval: "1 day", grants };

const absent: InspectedAggregate = { kind: "absent", databaseUuid: "5d2e" };

describe("the plan", () => {
    it("is empty for an aggregate that stands as declared", () => {
        const plan = planOf(standing(hourly(everything)), hourly(everything));
        expect(plan).toMatchObject({
            lines: [],
            statements: [],
            fill: false,
            refusals: [],
            notes: [],
            hazards: [],
        });
        expect(isEmpty(plan)).toBe(true);
    });

    it.each<[string, Inputs]>([
        [
            "intervals are spelled differently",
            {
                refreshPolicy: { ...refreshPolicy, startOffset: "72:00:00", endOffset: "PT1H" },
                retentionPolicy: { dropAfter: "888 hours" },
                chunkTimeInterval: "24 hours",
            },
        ],
        [
            "defaults are written out",
            {
                refreshPolicy: { ...refreshPolicy, paused: false, maxRetries: -1 },
                materializedOnly: true,
                schema: "public",
            },
        ],
        [
            "an order is spelled differently",
            { compressionPolicy: { ...compressionPolicy, orderBy: ["bucket desc nulls first"] } },
        ],
        [
            "the query is reformatted",
            {
                query: "SELECT time_bucket('1 hour', ts) AS bucket,\n       count(*) AS n\nFROM m GROUP BY 1",
            },
        ],
        ["grants come in another order", { grants: [...grants].reverse() }],
    ])("is empty when %s", (_what, respelled) => {
        const plan = planOf(standing(hourly(everything)), hourly({ ...everything, ...respelled }));
        expect(describePlan(plan)).toEqual([]);
        expect(isEmpty(plan)).toBe(true);
    });

    it("puts the chunk interval back to the server's own where it is left out", () => {
        const lines = describePlan(
            planOf(standing(hourly({ chunkTimeInterval: "1 day" })), hourly()),
        );
        expect(lines).toEqual(["chunkTimeInterval: 1 day → 70 days"]);
        expect(isEmpty(planOf(standing(hourly()), hourly()))).toBe(true);
    });

    it("is empty when the query is known to be the one of the last apply", () => {
        const actual = standing(hourly(), { definition: " SELECT in the server's words" });
        expect(isEmpty(planOf(actual, hourly(), { desiredQuery: null }))).toBe(true);
    });
});

describe("creating", () => {
    it("goes in the order in which the server takes it, and fills last", () => {
        const plan = planOf(absent, hourly(everything), { before: null });
        expect(namesOf(plan)).toEqual([
            "create_continuous_aggregate",
            "mark_first_fill",
            "set_chunk_time_interval",
            "enable_compression",
            "add_refresh_policy",
            "add_compression_policy",
            "add_retention_policy",
            "comment",
            "grant",
        ]);
        expect(plan.fill).toBe(true);
        expect(describePlan(plan)).toEqual([
            "create the continuous aggregate",
            "chunkTimeInterval: the server's default → 1 day",
            'compression: off → segmentBy model orderBy "bucket" DESC NULLS FIRST',
            "refreshPolicy: none → startOffset 3 days, endOffset 1 hour, every 1 hour",
            "compressionPolicy: none → compressAfter 7 days, every 12 hours",
            "retentionPolicy: none → dropAfter 37 days, every 1 day",
            'comment: none → "by hour"',
            "grants.observatory_reader: none → SELECT",
            "fill it, oldest buckets first",
        ]);
    });

    it("needs two statements when nothing but name and query is declared", () => {
        expect(namesOf(planOf(absent, hourly(), { before: null }))).toEqual([
            "create_continuous_aggregate",
            "mark_first_fill",
        ]);
    });

    it("makes the aggregate without data, under any name", () => {
        const desired = hourly({
            schema: 'Odd "Schema"',
            name: "Robert'; --",
            query: "SELECT time_bucket('1 h', ts) AS b FROM m GROUP BY 1; -- the end",
        });
        expect(planOf(absent, desired, { before: null }).statements[0]).toEqual({
            name: "create_continuous_aggregate",
            sql: [
                `CREATE MATERIALIZED VIEW "Odd ""Schema"""."Robert'; --"`,
                "WITH (timescaledb.continuous, timescaledb.materialized_only = true)",
                "AS",
                "SELECT time_bucket('1 h', ts) AS b FROM m GROUP BY 1",
                "WITH NO DATA",
            ].join("\n"),
        });
    });

    it("says that no index is wanted for grouping columns only then", () => {
        const desired = hourly({ createGroupIndexes: false });

        expect(planOf(absent, desired, { before: null }).statements[0]?.sql).toContain(
            "WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false)",
        );
        // On one that stands there is nothing to do.
        expect(planOf(standing(hourly()), desired).statements).toEqual([]);
    });

    it("keeps the refresh job waiting for the first fill, and no other job", () => {
        const { statements } = planOf(absent, hourly(policies), { before: null });
        const scheduled = statements
            .filter(({ name }) => name.startsWith("add_"))
            .map(({ name, sql, values }) => {
                const position = Number(/scheduled => \$(\d+)::bool/.exec(sql)?.[1]);
                return [name, values?.[position - 1]];
            });
        expect(scheduled).toEqual([
            ["add_refresh_policy", false],
            ["add_compression_policy", true],
            ["add_retention_policy", true],
        ]);
    });

    it("happens again for a managed aggregate that someone dropped", () => {
        expect(namesOf(planOf(absent, hourly()))[0]).toBe("create_continuous_aggregate");
    });
});

describe("the mark of the first fill", () => {
    it("is a comment on a table that only the catalog knows", () => {
        const name = { schema: 'Odd "Schema"', name: "Robert'; --" };
        expect(markStatement(name, "it's not filled").sql).toBe(`DO $mark$
DECLARE materialization regclass := (
    SELECT format('%I.%I', h.schema_name, h.table_name)::regclass
    FROM _timescaledb_catalog.continuous_agg a
    JOIN _timescaledb_catalog.hypertable h ON h.id = a.mat_hypertable_id
    WHERE a.user_view_schema = 'Odd "Schema"' AND a.user_view_name = 'Robert''; --');
BEGIN
    EXECUTE format('COMMENT ON TABLE %s IS %L', materialization, 'it''s not filled');
END
$mark$`);
    });

    it("is cleared with NULL", () => {
        expect(markStatement({ schema: "s", name: "n" }, null).sql).toContain(
            "materialization, NULL);",
        );
    });

    it("is not cut short by a name that holds its own quote", () => {
        const { sql } = markStatement(
            { schema: "s", name: "a$mark$; DROP TABLE m; $mark_$" },
            null,
        );
        expect(sql.startsWith("DO $mark__$\n")).toBe(true);
        expect(sql.split("$mark__$")).toHaveLength(3);
        expect(sql.endsWith("END\n$mark__$")).toBe(true);
    });
});

describe("a change", () => {
    const changed = (was: Inputs, will: Inputs): Plan =>
        planOf(standing(hourly({ ...policies, ...was })), hourly({ ...policies, ...will }));

    it.each<[string, Inputs, Inputs, string[], string[]]>([
        [
            "of materializedOnly alters the view",
            {},
            { materializedOnly: false },
            ["materializedOnly: true → false"],
            ["set_materialized_only"],
        ],
        [
            "of chunkTimeInterval is for new chunks",
            { chunkTimeInterval: "10 days" },
            { chunkTimeInterval: "1 day" },
            ["chunkTimeInterval: 10 days → 1 day"],
            ["set_chunk_time_interval"],
        ],
        [
            "of a refresh policy keeps the job",
            {},
            { refreshPolicy: { ...refreshPolicy, startOffset: "4 days", paused: true } },
            ["refreshPolicy.startOffset: 3 days → 4 days", "refreshPolicy.paused: false → true"],
            ["alter_refresh_policy"],
        ],
        [
            "of a retention policy keeps the job",
            {},
            { retentionPolicy: { dropAfter: "90 days" } },
            ["retentionPolicy.dropAfter: 37 days → 90 days"],
            ["alter_retention_policy"],
        ],
        [
            "of compression's columns alters settings and leaves the job",
            {},
            { compressionPolicy: { ...compressionPolicy, segmentBy: ["provider", "model"] } },
            [
                'compression: segmentBy model orderBy "bucket" DESC NULLS FIRST → segmentBy provider, model orderBy "bucket" DESC NULLS FIRST',
            ],
            ["enable_compression"],
        ],
        [
            "of compressAfter alters the job and leaves the settings",
            {},
            { compressionPolicy: { ...compressionPolicy, compressAfter: "9 days" } },
            ["compressionPolicy.compressAfter: 7 days → 9 days"],
            ["alter_compression_policy"],
        ],
        ["that adds a comment", {}, { comment: "it's" }, [`comment: none → "it's"`], ["comment"]],
        ["that takes a comment away", { comment: "x" }, {}, [`comment: "x" → none`], ["comment"]],
        [
            "of grants revokes and grants",
            { grants: [{ role: "r", privileges: ["SELECT", "UPDATE"] }] },
            { grants: [{ role: "r", privileges: ["SELECT", "DELETE"] }] },
            ["grants.r: none → DELETE", "grants.r: UPDATE → removed"],
            ["revoke", "grant"],
        ],
        [
            "that adds all policies enables compression first, and adds in the server's order",
            { refreshPolicy: undefined, retentionPolicy: undefined, compressionPolicy: undefined },
            {},
            [
                'compression: off → segmentBy model orderBy "bucket" DESC NULLS FIRST',
                "refreshPolicy: none → startOffset 3 days, endOffset 1 hour, every 1 hour",
                "compressionPolicy: none → compressAfter 7 days, every 12 hours",
                "retentionPolicy: none → dropAfter 37 days, every 1 day",
            ],
            [
                "enable_compression",
                "add_refresh_policy",
                "add_compression_policy",
                "add_retention_policy",
            ],
        ],
    ])("%s", (_what, was, will, lines, names) => {
        const plan = changed(was, will);
        expect(describePlan(plan)).toEqual(lines);
        expect(namesOf(plan)).toEqual(names);
        expect(plan).toMatchObject({ fill: false, refusals: [], notes: [] });
    });

    it("of materializedOnly is one statement, under any name", () => {
        const desired = hourly({ name: 'we"ird', materializedOnly: false });
        const actual = standing(desired, { materializedOnly: true });
        expect(planOf(actual, desired).statements).toEqual([
            {
                name: "set_materialized_only",
                sql: 'ALTER MATERIALIZED VIEW "public"."we""ird" SET (timescaledb.materialized_only = false)',
            },
        ]);
    });

    it("of several things comes in one plan, structure before policies before words", () => {
        const plan = changed(
            { comment: "old" },
            {
                materializedOnly: false,
                refreshPolicy: { ...refreshPolicy, endOffset: "2 hours" },
                comment: "new",
                grants,
            },
        );
        expect(namesOf(plan)).toEqual([
            "set_materialized_only",
            "alter_refresh_policy",
            "comment",
            "grant",
        ]);
    });

    it("of the name renames first, so that everything else is done under the new one", () => {
        const plan = planOf(
            standing(hourly()),
            hourly({ schema: "app", name: "by_hour", comment: "x" }),
        );
        expect(describePlan(plan)).toEqual([
            "name: public.hourly → app.by_hour",
            'comment: none → "x"',
        ]);
        expect(plan.statements.map(({ sql }) => sql)).toEqual([
            'ALTER MATERIALIZED VIEW "public"."hourly" SET SCHEMA "app"',
            'ALTER MATERIALIZED VIEW "app"."hourly" RENAME TO "by_hour"',
            `COMMENT ON VIEW "app"."by_hour" IS 'x'`,
        ]);
    });
});

describe("a policy", () => {
    it("that is no longer declared is removed, its job before its settings", () => {
        const plan = planOf(standing(hourly(policies)), hourly(), { before: hourly(policies) });
        expect(describePlan(plan)).toEqual([
            "compressionPolicy: job 1003 → removed",
            "refreshPolicy: job 1001 → removed",
            "retentionPolicy: job 1002 → removed",
            'compression: segmentBy model orderBy "bucket" DESC NULLS FIRST → off',
        ]);
        expect(namesOf(plan)).toEqual([
            "remove_compression_policy",
            "remove_refresh_policy",
            "remove_retention_policy",
            "disable_compression",
        ]);
        expect(plan.notes).toEqual([]);
    });

    it("that was never declared is reported and kept", () => {
        const plan = planOf(standing(hourly(policies)), hourly());
        expect(isEmpty(plan)).toBe(true);
        expect(plan.notes.map(({ message }) => message)).toEqual([
            "a compression policy (job 1003) stands on it that the program does not declare: it is kept",
            "a refresh policy (job 1001) stands on it that the program does not declare: it is kept",
            "a retention policy (job 1002) stands on it that the program does not declare: it is kept",
        ]);
    });

    it("that someone removed by hand is added again", () => {
        const actual = standing(hourly(policies), {
            jobs: [standingJob(desiredRetentionJob(retentionPolicy))],
        });
        const plan = planOf(actual, hourly(policies));
        expect(namesOf(plan)).toEqual(["add_refresh_policy", "add_compression_policy"]);
        const { sql, values } = plan.statements[0] ?? { sql: "" };
        // There is no fill to wait for.
        expect(values?.[Number(/scheduled => \$(\d+)/.exec(sql)?.[1]) - 1]).toBe(true);
    });

    it("that stands twice loses its later job", () => {
        const job = standingJob(desiredRefreshJob(refreshPolicy));
        const actual = standing(hourly({ refreshPolicy }), { jobs: [job, { ...job, id: 1009 }] });
        const plan = planOf(actual, hourly({ refreshPolicy }));
        expect(describePlan(plan)).toEqual(["refreshPolicy (it stands twice): job 1009 → removed"]);
        expect(plan.statements).toEqual([
            { name: "delete_job", sql: "SELECT delete_job($1)", values: [1009] },
        ]);
    });

    it("that stands twice and is no longer declared loses both", () => {
        const job = standingJob(desiredRefreshJob(refreshPolicy));
        const actual = standing(hourly(), { jobs: [job, { ...job, id: 1009 }] });
        const plan = planOf(actual, hourly(), { before: hourly({ refreshPolicy }) });
        expect(plan.statements.map(({ name, values }) => [name, ...(values ?? [])])).toEqual([
            ["remove_refresh_policy", '"public"."hourly"'],
            ["delete_job", 1009],
        ]);
    });

    it("is no other job that runs on the aggregate", () => {
        const job = standingJob(desiredRefreshJob(refreshPolicy), { procedure: "custom_job" });
        const plan = planOf(standing(hourly(), { jobs: [job] }), hourly());
        expect(isEmpty(plan)).toBe(true);
        expect(plan.notes).toEqual([]);
    });

    it("whose settings someone changed by hand is put back", () => {
        const actual = standing(hourly(policies), {
            compression: {
                segmentBy: [],
                orderBy: ["bucket"],
                orderByDesc: [false],
                orderByNullsFirst: [false],
            },
        });
        expect(describePlan(planOf(actual, hourly(policies)))).toEqual([
            'compression: segmentBy nothing orderBy "bucket" ASC NULLS LAST → segmentBy model orderBy "bucket" DESC NULLS FIRST',
        ]);
    });

    it("of compression is enabled again where someone switched it off", () => {
        const actual = standing(hourly(policies), { compressed: false, compression: null });
        expect(namesOf(planOf(actual, hourly(policies)))).toEqual(["enable_compression"]);
    });
});

describe("a first fill that was stopped", () => {
    const filling = { marker: { filling: true } };
    const waiting = standingJob(desiredRefreshJob(refreshPolicy), { scheduled: false });

    it("is finished, and its waiting refresh job is no drift", () => {
        const actual = standing(hourly({ refreshPolicy }), { ...filling, jobs: [waiting] });
        const plan = planOf(actual, hourly({ refreshPolicy }));
        expect(describePlan(plan)).toEqual(["fill it, oldest buckets first"]);
        expect(plan.statements).toEqual([]);
        expect(plan.fill).toBe(true);
        expect(isEmpty(plan)).toBe(false);
    });

    it("lets a refresh policy that is altered meanwhile go on waiting", () => {
        const actual = standing(hourly({ refreshPolicy }), { ...filling, jobs: [waiting] });
        const plan = planOf(
            actual,
            hourly({ refreshPolicy: { ...refreshPolicy, endOffset: "2 hours" } }),
        );
        expect(namesOf(plan)).toEqual(["alter_refresh_policy"]);
        expect(plan.statements[0]?.values?.[5]).toBe(false);
    });

    it("does not excuse a retention job that someone paused", () => {
        const paused = standingJob(desiredRetentionJob(retentionPolicy), { scheduled: false });
        const actual = standing(hourly({ retentionPolicy }), { ...filling, jobs: [paused] });
        expect(describePlan(planOf(actual, hourly({ retentionPolicy })))).toEqual([
            "retentionPolicy.paused: true → false",
            "fill it, oldest buckets first",
        ]);
    });

    it("is over for a refresh job that someone paused later", () => {
        const actual = standing(hourly({ refreshPolicy }), { jobs: [waiting] });
        const plan = planOf(actual, hourly({ refreshPolicy }));
        expect(describePlan(plan)).toEqual(["refreshPolicy.paused: true → false"]);
        expect(plan.statements[0]?.values?.[5]).toBe(true);
    });
});

describe("an aggregate that was kept", () => {
    it("is taken back under its name, with its policies, and filled up", () => {
        const kept = standing(hourly({ refreshPolicy }), {
            name: { schema: "public", name: "hourly_kept_20260131_7" },
            jobs: [],
            marker: { filling: false, keptFrom: "public.hourly" },
        });
        const plan = planOf(kept, hourly({ refreshPolicy }), {
            before: null,
        });
        expect(describePlan(plan)).toEqual([
            "name: public.hourly_kept_20260131_7 → public.hourly",
            "refreshPolicy: none → startOffset 3 days, endOffset 1 hour, every 1 hour",
            "take it back into service",
            "fill it, oldest buckets first",
        ]);
        expect(namesOf(plan)).toEqual(["rename", "add_refresh_policy", "mark_first_fill"]);
        expect(plan.fill).toBe(true);
        const add = plan.statements[1];
        expect(add?.values?.[Number(/scheduled => \$(\d+)/.exec(add.sql)?.[1]) - 1]).toBe(false);
    });
});

describe("a refusal", () => {
    function refusals(actual: InspectedAggregate, desired = hourly(), given: Given = {}): string[] {
        const plan = planOf(actual, desired, given);
        expect(isEmpty(plan)).toBe(false);
        return plan.refusals.map(explain);
    }
    const other = "SELECT time_bucket('1 hour', ts) AS bucket,\n    max(v) AS v\nFROM m GROUP BY 1";

    it("of a changed query shows the change, and what it would cost", () => {
        const definition = "SELECT bucket,\n    count(*) AS n\n   FROM m;";
        const will = "SELECT bucket,\n    max(v) AS n\n   FROM m;";
        const actual = standing(hourly(), { definition });
        expect(refusals(actual, hourly(), { desiredQuery: queryAs(will) })).toEqual([
            [
                "the query of continuous aggregate public.hourly has changed (query_changed)",
                "  detail: TimescaleDB can only drop and create it again, and history that raw data no longer has would be gone",
                "--- in the database",
                "+++ declared",
                "@@ -1,3 +1,3 @@",
                " SELECT bucket,",
                "-    count(*) AS n",
                "+    max(v) AS n",
                "    FROM m;",
                '  hint:   set onQueryChange: "keepHistory", which builds the new version beside this one and keeps its history, or declare the new one under another name, or put the query back',
            ].join("\n"),
        ]);
    });

    it("of an aggregate with another query that nobody manages asks for another name", () => {
        const [text] = refusals(standing(hourly()), hourly({ query: other }), { before: null });
        expect(text).toContain(
            "a continuous aggregate public.hourly with another query exists already (exists_and_differs)",
        );
    });

    it("is no answer to the same aggregate that nobody manages: a killed run leaves it behind", () => {
        const actual = standing(hourly(everything));
        expect(isEmpty(planOf(actual, hourly(everything), { before: null }))).toBe(true);
    });

    it("of another query is not silenced by adopt", () => {
        const plan = planOf(standing(hourly()), hourly({ query: other, adopt: true }), {
            before: null,
        });
        expect(plan.refusals.map(({ code }) => code)).toEqual(["query_changed"]);
    });

    it("names the relation that has taken the name, and its owner", () => {
        const table: InspectedAggregate = {
            kind: "other",
            databaseUuid: "5d2e",
            relation: "table",
            owner: "bob",
        };
        expect(refusals(table)).toEqual([
            [
                "public.hourly exists already, and is a table (another_relation)",
                "  detail: it belongs to bob; a continuous aggregate cannot take its place",
                "  hint:   choose another name, or rename or drop what stands there",
            ].join("\n"),
        ]);
        expect(planOf(table, hourly()).statements).toEqual([]);
    });

    it("names the views that an orphaned aggregate's may be, where several could", () => {
        const candidates = [
            { schema: "public", name: "a" },
            { schema: "app", name: 'we"ird' },
        ];
        const actual = standing(hourly(), { view: { state: "missing", candidates } });
        expect(refusals(actual)).toEqual([
            [
                "the view of continuous aggregate public.hourly is gone (orphan)",
                `  detail: TimescaleDB's catalog still knows it, and several views read its buckets: public.a, app."we""ird"`,
                '  hint:   rename the one that it was back with ALTER TABLE … RENAME TO "hourly", or drop the others',
            ].join("\n"),
        ]);
    });

    it("shows the columns that appear, vanish and change type", () => {
        const will = queryAs("SELECT other", {
            columns: [
                { name: "bucket", type: "timestamp with time zone" },
                { name: "n", type: "numeric" },
                { name: "total", type: "bigint" },
            ],
        });
        const actual = standing(hourly(), {
            columns: [
                { name: "bucket", type: "timestamp with time zone" },
                { name: "model", type: "text" },
                { name: "n", type: "bigint" },
            ],
        });
        const [text] = refusals(actual, hourly(), { desiredQuery: will });
        expect(text).toContain(
            "column model text vanishes\ncolumn n becomes numeric, was bigint\ncolumn total bigint appears",
        );
    });

    it("of an aggregate from before TimescaleDB 2.7 says how to migrate it", () => {
        const [text] = refusals(standing(hourly(), { finalized: false }));
        expect(text).toContain(`run CALL cagg_migrate('"public"."hourly"') first`);
    });

    it.each<[string, Partial<StandingAggregate>, string, string]>([
        [
            "a view that was replaced",
            { view: { state: "replaced", fits: false } },
            "hijacked",
            "the view of continuous aggregate public.hourly was replaced",
        ],
        ["another owner", { owner: "bob" }, "another_owner", "public.hourly belongs to bob"],
    ])("of %s says so", (_what, given, code, message) => {
        const { refusals: found, statements } = planOf(standing(hourly(), given), hourly());
        expect(found.map((error) => [error.code, error.message, error.object])).toEqual([
            [code, message, "public.hourly"],
        ]);
        expect(statements).toEqual([]);
    });

    it("of another owner quotes the owner that it should be", () => {
        const { refusals: found } = planOf(standing(hourly()), hourly(), { owner: 'we"ird' });
        expect(found[0]?.hint).toBe(
            'run ALTER MATERIALIZED VIEW "public"."hourly" OWNER TO "we""ird" as a superuser, or declare owner: "observatory_owner"',
        );
    });

    it("of a job that a change of owner left behind names it", () => {
        const job = standingJob(desiredRefreshJob(refreshPolicy), { owner: "bob" });
        const plan = planOf(
            standing(hourly({ refreshPolicy }), { jobs: [job] }),
            hourly({ refreshPolicy }),
        );
        expect(plan.refusals.map(explain)).toEqual([
            [
                "job 1001 of public.hourly still belongs to bob (another_job_owner)",
                "  detail: a change of owner leaves the jobs behind; they then fail with: must be owner of view",
                "  hint:   run SELECT delete_job(1001) as bob or a superuser; the next deployment adds the policy again",
            ].join("\n"),
        ]);
        expect(plan.statements).toEqual([]);
        expect(isEmpty(plan)).toBe(false);
    });

    it("keeps a window of less than two buckets from a job that is altered, which the server would not", () => {
        const narrow = { ...refreshPolicy, startOffset: "2 hours" };
        const plan = planOf(standing(hourly({ refreshPolicy })), hourly({ refreshPolicy: narrow }));
        expect(plan.refusals.map(({ code, message }) => [code, message])).toEqual([
            ["refresh_window", "refreshPolicy covers 1 hour, and the bucket is 1 hour"],
        ]);
    });

    it("measures the window in the bucket that stands, of whatever width", () => {
        const actual = standing(hourly({ refreshPolicy }), { bucketWidth: "2 days" });
        const { refusals: found } = planOf(actual, hourly({ refreshPolicy }));
        expect(found.map(({ detail }) => detail)).toEqual([
            "the refresh window (startOffset 3 days - endOffset 1 hour) must span at least two buckets: 4 days",
        ]);
        const unknown = standing(hourly({ refreshPolicy }), { bucketWidth: null });
        expect(planOf(unknown, hourly({ refreshPolicy })).refusals).toEqual([]);
    });

    it("does not hide another, nor the changes that would follow", () => {
        const actual = standing(hourly(), {
            owner: "bob",
            view: { state: "replaced", fits: false },
        });
        const plan = planOf(actual, hourly({ query: other, comment: "new" }));
        expect(plan.refusals.map(({ code }) => code)).toEqual([
            "hijacked",
            "query_changed",
            "another_owner",
        ]);
        expect(describePlan(plan)).toEqual([
            expect.stringMatching(/^query: SELECT/),
            'comment: none → "new"',
        ]);
    });

    it("is not needed of what belongs to the login", () => {
        expect(planOf(standing(hourly(), { owner }), hourly(), { owner }).refusals).toEqual([]);
    });
});

describe("the view", () => {
    it.each<[string, StandingAggregate["view"], string, string[]]>([
        [
            "that was replaced",
            { state: "replaced", fits: true },
            "view: another query, by CREATE OR REPLACE VIEW → the view that TimescaleDB made",
            [
                'CREATE OR REPLACE VIEW "public"."hourly" AS\nSELECT "bucket", "n"\nFROM "_timescaledb_internal"."_materialized_hypertable_7"',
            ],
        ],
        [
            "that was dropped",
            { state: "missing", candidates: [] },
            "view: dropped, and the aggregate orphaned → the view that TimescaleDB made",
            [
                'CREATE OR REPLACE VIEW "public"."hourly" AS\nSELECT "bucket", "n"\nFROM "_timescaledb_internal"."_materialized_hypertable_7"',
            ],
        ],
        [
            "that was renamed",
            { state: "renamed", to: { schema: "app", name: 'we"ird' } },
            'view: renamed to app."we""ird" by ALTER TABLE, which orphans the aggregate → the view that TimescaleDB made',
            [
                'ALTER TABLE "app"."we""ird" SET SCHEMA "public"',
                'ALTER TABLE "public"."we""ird" RENAME TO "hourly"',
            ],
        ],
    ])("%s is put back over its buckets", (_what, view, text, sql) => {
        const plan = planOf(standing(hourly(), { view }), hourly());
        expect(describePlan(plan)).toEqual([text]);
        expect(plan.statements.map((statement) => statement.sql)).toEqual(sql);
        expect(plan.refusals).toEqual([]);
    });

    it("of a real-time aggregate is written by the server itself", () => {
        const desired = hourly({ materializedOnly: false });
        const actual = standing(desired, { view: { state: "replaced", fits: true } });
        expect(namesOf(planOf(actual, desired))).toEqual([
            "create_model_aggregate",
            "restore_real_time_view",
        ]);
    });
});

describe("columns that are only named otherwise", () => {
    const under = (names: readonly string[]): DesiredQuery => ({
        definition: "SELECT otherwise",
        underActualNames: definitionOf(hourly()),
        columns: names.map((name) => ({ name, type: "bigint" })),
    });

    it("are renamed in place", () => {
        const plan = planOf(standing(hourly()), hourly(), {
            desiredQuery: under(["bucket", 'we"ird']),
        });
        expect(describePlan(plan)).toEqual(['columns.n: n → we"ird']);
        expect(plan.statements.map(({ sql }) => sql)).toEqual([
            'ALTER MATERIALIZED VIEW "public"."hourly" RENAME COLUMN "n" TO "we""ird"',
        ]);
    });

    it("change places through names that nobody has", () => {
        const plan = planOf(standing(hourly()), hourly(), {
            desiredQuery: under(["n", "bucket"]),
        });
        expect(plan.statements.map(({ sql }) => sql.replace(/.* RENAME/, "RENAME"))).toEqual([
            'RENAME COLUMN "bucket" TO "pulumi_timescale_column_0"',
            'RENAME COLUMN "n" TO "pulumi_timescale_column_1"',
            'RENAME COLUMN "pulumi_timescale_column_0" TO "n"',
            'RENAME COLUMN "pulumi_timescale_column_1" TO "bucket"',
        ]);
    });

    it("may mean another aggregate where nobody manages this one", () => {
        const plan = planOf(standing(hourly()), hourly(), {
            desiredQuery: under(["bucket", "m"]),
            before: null,
        });
        expect(plan.refusals.map(({ code }) => code)).toEqual(["exists_and_differs"]);
    });
});

describe("the owner", () => {
    it("is given back by a superuser, with jobs of its own", () => {
        const desired = hourly({ refreshPolicy, owner: "app", comment: "x" });
        const job = standingJob(desiredRefreshJob(refreshPolicy), {
            owner: "bob",
            ownedByMember: true,
        });
        const actual = standing(desired, { owner: "bob", superuser: true, jobs: [job] });
        const plan = planAggregate(diffOf(actual, desired, { owner: "app" }), desired, {
            filling: false,
            login: "postgres",
        });
        expect(describePlan(plan)).toEqual([
            "owner: bob → app",
            "refreshPolicy.owner: bob (job 1001) → app (a new job: startOffset 3 days, endOffset 1 hour, every 1 hour)",
        ]);
        expect(namesOf(plan)).toEqual([
            "alter_owner",
            "delete_job",
            "set_role",
            "add_refresh_policy",
        ]);
    });
});

describe("compression", () => {
    it("whose columns are left out takes those that the server would", () => {
        const desired = hourly({ refreshPolicy, compressionPolicy: { compressAfter: "7 days" } });
        const actual = standing(desired, { compressed: false, compression: null });
        expect(describePlan(planOf(actual, desired))).toEqual([
            'compression: off → segmentBy model orderBy "bucket" ASC NULLS LAST',
        ]);
        const created = planOf(absent, desired, { before: null });
        expect(describePlan(created)).toContain(
            "compression: off → segmentBy by default orderBy by default",
        );
    });

    it("whose columns are left out is put back to those that the server would take", () => {
        const desired = hourly({ refreshPolicy, compressionPolicy: { compressAfter: "7 days" } });
        const actual = standing(desired, {
            compression: standingCompression({
                segmentBy: [],
                orderBy: ["n DESC"],
                compressChunkTimeInterval: "10 days",
            }),
        });
        const plan = planOf(actual, desired);
        expect(describePlan(plan)).toEqual([
            'compression: segmentBy nothing orderBy "n" DESC NULLS FIRST compressChunkTimeInterval 10 days → segmentBy model orderBy "bucket" ASC NULLS LAST',
        ]);
        expect(plan.statements[0]?.sql).toContain("timescaledb.compress_chunk_time_interval = '0'");
    });

    it("is not switched off under compressed chunks, which the server would refuse", () => {
        const before = hourly({ refreshPolicy, compressionPolicy });
        const actual = standing(before, { compressedChunks: 4 });
        const plan = planOf(actual, hourly({ refreshPolicy }), { before });
        expect(plan.refusals.map(({ code }) => code)).toEqual(["compressed_chunks"]);
    });

    it("that is off takes the job that was left behind with it", () => {
        const job = standingJob(desiredCompressionJob(compressionPolicy));
        const plan = planOf(standing(hourly(), { jobs: [job] }), hourly());
        expect(describePlan(plan)).toEqual([
            "compressionPolicy (compression is off, so it can only fail): job 1003 → removed",
        ]);
        expect(namesOf(plan)).toEqual(["delete_job"]);
    });

    it("that stands without being declared is left alone", () => {
        const job = standingJob(desiredCompressionJob(compressionPolicy));
        const actual = standing(hourly(), {
            jobs: [job],
            compressed: true,
            compression: { segmentBy: [], orderBy: [], orderByDesc: [], orderByNullsFirst: [] },
        });
        expect(planOf(actual, hourly()).statements).toEqual([]);
    });
});
