import { explain } from "../../components/timescale/core/errors";
import type { InspectedHypertable } from "../../components/timescale/core/hypertable/inspect";
import { planHypertable } from "../../components/timescale/core/hypertable/plan";
import type { DesiredHypertable } from "../../components/timescale/core/hypertable/spec";
import { describePlan, isEmpty } from "../../components/timescale/core/plan/plan";
import {
    desiredCompressionJob,
    desiredRetentionJob,
} from "../../components/timescale/core/policies/policy";
import type { ActualColumn } from "../../components/timescale/core/relation/relation";
import {
    diffOfTable,
    type Inputs,
    metrics,
    namesOf,
    planOfTable,
    standingJob,
    type StandingTable,
    standingTable,
} from "../helpers/builders";

const ts = { name: "ts", type: "timestamptz", nullable: false };
const value = { name: "value", type: "double precision" };
const model = {
    name: "model",
    type: "text",
    nullable: false,
    default: "'any'",
    comment: "of the LLM",
};
const retentionPolicy = { dropAfter: "90 days" };
const compressionPolicy = { compressAfter: "7 days", segmentBy: ["model"], orderBy: ["ts DESC"] };
const everything = {
    columns: [ts, value, model],
    primaryKey: ["model", "ts"],
    chunkTimeInterval: "1 day",
    indexes: [
        { columns: ["value DESC", "ts"] },
        { name: "by_model", columns: ["model"], method: "hash" },
    ],
    retentionPolicy,
    compressionPolicy,
    comment: "measurements",
    grants: [{ role: "observatory_writer", privileges: ["SELECT", "INSERT"] }],
};

const absent: InspectedHypertable = { kind: "absent", databaseUuid: "5d2e" };

describe("the plan", () => {
    it("is empty for a table that stands as declared", () => {
        const plan = planOfTable(standingTable(metrics(everything)), metrics(everything));
        expect(plan).toMatchObject({
            lines: [],
            statements: [],
            fill: false,
            refusals: [],
            notes: [],
            hazards: [],
        });
    });

    it("is empty for a killed run's table, which nobody manages yet", () => {
        const plan = planOfTable(standingTable(metrics(everything)), metrics(everything), {
            before: null,
        });
        expect(isEmpty(plan)).toBe(true);
    });

    it.each<[string, Inputs]>([
        [
            "types are spelled differently",
            {
                columns: [
                    { ...ts, type: "TIMESTAMP  WITH TIME ZONE" },
                    { ...value, type: "float8" },
                    model,
                ],
            },
        ],
        [
            "defaults are spelled differently",
            { columns: [ts, value, { ...model, default: "('any'::text)" }] },
        ],
        [
            "columns of the key are called nullable",
            { columns: [{ ...ts, nullable: true }, value, { ...model, nullable: true }] },
        ],
        [
            "intervals are spelled differently",
            { chunkTimeInterval: "24:00:00", retentionPolicy: { dropAfter: "2160 hours" } },
        ],
        [
            "an order is written out",
            {
                indexes: [
                    { columns: ["value desc nulls first", '"ts" ASC'] },
                    everything.indexes[1],
                ],
            },
        ],
        [
            "an index is given the name it has",
            {
                indexes: [
                    { ...everything.indexes[0], name: "metrics_value_ts_idx" },
                    everything.indexes[1],
                ],
            },
        ],
        [
            "a hash index is given an order, which it has not",
            {
                indexes: [
                    everything.indexes[0],
                    { name: "by_model", columns: ["model DESC"], method: "hash" },
                ],
            },
        ],
    ])("is empty when %s", (_what, respelled) => {
        const plan = planOfTable(
            standingTable(metrics(everything)),
            metrics({ ...everything, ...respelled }),
        );
        expect(describePlan(plan)).toEqual([]);
        expect(isEmpty(plan)).toBe(true);
    });

    it("is empty for columns whose names need quotes", () => {
        const odd = {
            columns: [
                { ...ts, name: 'the "time"' },
                { ...value, name: "Value" },
            ],
            timeColumn: 'the "time"',
            primaryKey: ["Value", 'the "time"'],
            indexes: [{ columns: ['"the ""time""" DESC', "Value"] }],
        };
        expect(isEmpty(planOfTable(standingTable(metrics(odd)), metrics(odd)))).toBe(true);
    });

    it("is empty for a negative default, which the catalog has in quotes", () => {
        const columns = [ts, { ...value, default: "-1" }];
        const actual = standingTable(metrics({ columns }));
        const printed = actual.columns.map((column): ActualColumn =>
            column.default === null ? column : { ...column, default: "'-1'::integer" },
        );
        expect(isEmpty(planOfTable({ ...actual, columns: printed }, metrics({ columns })))).toBe(
            true,
        );
    });
});

describe("creating", () => {
    it("goes in the order in which the server takes it", () => {
        const plan = planOfTable(absent, metrics(everything), { before: null });
        expect(namesOf(plan)).toEqual([
            "create_table",
            "create_hypertable",
            "comment_column",
            "create_index",
            "create_index",
            "enable_compression",
            "add_compression_policy",
            "add_retention_policy",
            "comment",
            "grant",
        ]);
        expect(describePlan(plan)).toEqual([
            "create the hypertable",
            "columns.model.comment: none → of the LLM",
            "indexes.metrics_value_ts_idx: none → btree (value DESC, ts)",
            "indexes.by_model: none → hash (model)",
            'compression: off → segmentBy model orderBy "ts" DESC NULLS FIRST',
            "compressionPolicy: none → compressAfter 7 days, every 12 hours",
            "retentionPolicy: none → dropAfter 90 days, every 1 day",
            "comment: none → measurements",
            "grants.observatory_writer: none → INSERT",
            "grants.observatory_writer: none → SELECT",
        ]);
        expect(plan.fill).toBe(false);
    });

    it("quotes every name, and passes types and defaults on as they are", () => {
        const desired = metrics({
            schema: 'Odd "Schema"',
            name: "Robert'; --",
            columns: [
                { ...ts, name: 'we"ird' },
                { name: "select", type: "numeric(12,8)", default: "-1" },
            ],
            timeColumn: 'we"ird',
            primaryKey: ["select", 'we"ird'],
            indexes: [
                { columns: ['"we""ird" DESC', "select"], where: '"select" > 0' },
                { name: "i", columns: ["select DESC"], method: "brin" },
            ],
        });
        const table = `"Odd ""Schema"""."Robert'; --"`;
        expect(planOfTable(absent, desired, { before: null }).statements).toEqual([
            {
                name: "create_table",
                sql: [
                    `CREATE TABLE ${table} (`,
                    '    "we""ird" timestamptz NOT NULL,',
                    '    "select" numeric(12,8) DEFAULT (-1),',
                    '    PRIMARY KEY ("select", "we""ird")',
                    ")",
                ].join("\n"),
            },
            {
                name: "create_hypertable",
                sql: "SELECT create_hypertable($1::regclass, $2::name, chunk_time_interval => $3::interval, create_default_indexes => false)",
                values: [table, 'we"ird', "7 days"],
            },
            {
                name: "create_index",
                sql: `CREATE INDEX "Robert'; --_we""ird_select_idx" ON ${table} USING "btree" ("we""ird" DESC NULLS FIRST, "select" ASC NULLS LAST) WHERE "select" > 0`,
            },
            { name: "create_index", sql: `CREATE INDEX "i" ON ${table} USING "brin" ("select")` },
        ]);
    });
});

describe("creating without a key", () => {
    it("makes a table without one", () => {
        expect(planOfTable(absent, metrics(), { before: null }).statements[0]?.sql).toBe(
            [
                'CREATE TABLE "public"."metrics" (',
                '    "ts" timestamptz NOT NULL,',
                '    "value" double precision',
                ")",
            ].join("\n"),
        );
    });
});

describe("a change", () => {
    it.each<[string, Inputs, Inputs, string[], string[]]>([
        [
            "that adds a column adds its comment too",
            { columns: [ts, value] },
            { columns: [ts, value, model] },
            ["columns.model: none → text", "columns.model.comment: none → of the LLM"],
            [
                `ALTER TABLE "public"."metrics" ADD COLUMN "model" text NOT NULL DEFAULT ('any')`,
                `COMMENT ON COLUMN "public"."metrics"."model" IS 'of the LLM'`,
            ],
        ],
        [
            "that drops a column names it",
            { columns: [ts, value, model] },
            { columns: [ts, value], dropColumns: ["model"] },
            ["columns.model: kept → dropped with its data"],
            ['ALTER TABLE "public"."metrics" DROP COLUMN "model"'],
        ],
        [
            "of defaults sets and drops them",
            { columns: [ts, { ...value, default: "0" }, { ...model, default: "'any'" }] },
            { columns: [ts, { ...value }, { ...model, default: "'some'" }] },
            ["columns.value.default: 0 → none", "columns.model.default: 'any' → 'some'"],
            [
                'ALTER TABLE "public"."metrics" ALTER COLUMN "value" DROP DEFAULT',
                `ALTER TABLE "public"."metrics" ALTER COLUMN "model" SET DEFAULT 'some'`,
            ],
        ],
        [
            "of nullability goes both ways",
            { columns: [ts, value, model] },
            { columns: [ts, { ...value, nullable: false }, { ...model, nullable: true }] },
            ["columns.value.nullable: true → false", "columns.model.nullable: false → true"],
            [
                'ALTER TABLE "public"."metrics" ALTER COLUMN "value" SET NOT NULL',
                'ALTER TABLE "public"."metrics" ALTER COLUMN "model" DROP NOT NULL',
            ],
        ],
        [
            "that takes a column's comment away",
            { columns: [ts, { ...value, comment: "x" }] },
            { columns: [ts, value] },
            ["columns.value.comment: x → none"],
            ['COMMENT ON COLUMN "public"."metrics"."value" IS NULL'],
        ],
        [
            "of chunkTimeInterval is for new chunks",
            {},
            { chunkTimeInterval: "1 day" },
            ["chunkTimeInterval: 7 days → 1 day"],
            ["SELECT set_chunk_time_interval($1::regclass, $2::interval)"],
        ],
        [
            "of the comment",
            {},
            { comment: "it's" },
            ["comment: none → it's"],
            [`COMMENT ON TABLE "public"."metrics" IS 'it''s'`],
        ],
        [
            "of grants",
            { grants: [{ role: "public", privileges: ["SELECT"] }] },
            {},
            ["grants.public: SELECT → removed"],
            ['REVOKE SELECT ON "public"."metrics" FROM PUBLIC'],
        ],
    ])("%s", (_what, was, will, lines, sql) => {
        const plan = planOfTable(standingTable(metrics(was)), metrics(will), {
            before: metrics(was),
        });
        expect(describePlan(plan)).toEqual(lines);
        expect(plan.statements.map((statement) => statement.sql)).toEqual(sql);
        expect(plan.refusals).toEqual([]);
    });

    it("of the name renames first", () => {
        const plan = planOfTable(standingTable(metrics()), metrics({ name: "m", comment: "x" }));
        expect(plan.statements.map(({ sql }) => sql)).toEqual([
            'ALTER TABLE "public"."metrics" RENAME TO "m"',
            `COMMENT ON TABLE "public"."m" IS 'x'`,
        ]);
    });

    it("of the name takes the names of indexes with it, and builds none anew", () => {
        const indexes = [{ columns: ["value DESC"] }, { name: "by_ts", columns: ["ts"] }];
        const plan = planOfTable(
            standingTable(metrics({ indexes })),
            metrics({ schema: "app", name: "m", indexes }),
            { before: metrics({ indexes }) },
        );
        expect(plan.statements.map(({ sql }) => sql)).toEqual([
            'ALTER TABLE "public"."metrics" SET SCHEMA "app"',
            'ALTER TABLE "app"."metrics" RENAME TO "m"',
            'ALTER INDEX "app"."metrics_value_idx" RENAME TO "m_value_idx"',
        ]);
        expect(describePlan(plan)).toEqual([
            "name: public.metrics → app.m",
            "indexes.m_value_idx: metrics_value_idx → m_value_idx",
        ]);
        expect(plan.notes).toEqual([]);
    });

    it("of several things makes columns before indexes before policies", () => {
        const will = {
            columns: [ts, value, model],
            indexes: [{ columns: ["model"] }],
            chunkTimeInterval: "1 day",
            retentionPolicy,
            compressionPolicy,
            comment: "x",
        };
        expect(namesOf(planOfTable(standingTable(metrics()), metrics(will)))).toEqual([
            "add_column",
            "comment_column",
            "create_index",
            "set_chunk_time_interval",
            "enable_compression",
            "add_compression_policy",
            "add_retention_policy",
            "comment",
        ]);
    });
});

describe("a column that is not declared", () => {
    it("is reported and kept: it holds data", () => {
        const plan = planOfTable(
            standingTable(metrics({ columns: [ts, value, model] })),
            metrics(),
            {
                before: metrics({ columns: [ts, value, model] }),
            },
        );
        expect(isEmpty(plan)).toBe(true);
        expect(plan.notes.map(({ message }) => message)).toEqual([
            "column model stands on it that the program does not declare: it is kept",
        ]);
    });

    it("is not missed when it is to be dropped and is gone already", () => {
        expect(
            isEmpty(planOfTable(standingTable(metrics()), metrics({ dropColumns: ["model"] }))),
        ).toBe(true);
    });
});

describe("an index", () => {
    const indexes = [{ columns: ["value"] }];
    const withIndex = metrics({ indexes });

    it("that is no longer declared is dropped", () => {
        const plan = planOfTable(standingTable(withIndex), metrics(), { before: withIndex });
        expect(describePlan(plan)).toEqual(["indexes.metrics_value_idx: btree (value) → removed"]);
        expect(plan.statements).toEqual([
            { name: "drop_index", sql: 'DROP INDEX "public"."metrics_value_idx"' },
        ]);
    });

    it("that was never declared lends no other its name", () => {
        const desired = metrics({ indexes: [{ name: "by_value", columns: ["value"] }] });
        const plan = planOfTable(standingTable(withIndex), desired);
        expect(namesOf(plan)).toEqual(["create_index"]);
    });

    it("that was never declared is reported and kept", () => {
        const plan = planOfTable(standingTable(withIndex), metrics());
        expect(isEmpty(plan)).toBe(true);
        expect(plan.notes.map(({ message }) => message)).toEqual([
            "index metrics_value_idx stands on it that the program does not declare: it is kept",
        ]);
    });

    it("whose method is written in capitals is the same", () => {
        const capitals = metrics({ indexes: [{ columns: ["value"], method: "BTREE" }] });
        expect(isEmpty(planOfTable(standingTable(withIndex), capitals))).toBe(true);
    });

    it("that someone dropped by hand is made again", () => {
        expect(namesOf(planOfTable(standingTable(metrics()), withIndex))).toEqual(["create_index"]);
    });

    it.each<[string, Inputs, string]>([
        ["other columns", { columns: ["ts"] }, "btree (ts)"],
        ["more columns", { columns: ["value", "ts"] }, "btree (value, ts)"],
        ["another order", { columns: ["value DESC"] }, "btree (value DESC)"],
        ["nulls elsewhere", { columns: ["value NULLS FIRST"] }, "btree (value NULLS FIRST)"],
        ["another method", { columns: ["value"], method: "brin" }, "brin (value)"],
        [
            "a condition",
            { columns: ["value"], where: "value > 0" },
            "btree (value) where value > 0",
        ],
    ])("with %s is made anew", (_what, index, will) => {
        const desired = metrics({ indexes: [{ name: "metrics_value_idx", ...index }] });
        const plan = planOfTable(standingTable(withIndex), desired);
        expect(namesOf(plan)).toEqual(["drop_index", "create_index"]);
        expect(describePlan(plan)).toEqual([`indexes.metrics_value_idx: btree (value) → ${will}`]);
    });

    it("with what no index can declare is made anew", () => {
        const actual = standingTable(withIndex);
        const indexes = actual.indexes.map((index) => ({ ...index, extras: "INCLUDE columns" }));
        expect(describePlan(planOfTable({ ...actual, indexes }, withIndex))).toEqual([
            "indexes.metrics_value_idx: btree (value) with INCLUDE columns → btree (value)",
        ]);
    });

    it("whose condition changed is made anew, and not where it is only spelled differently", () => {
        const where = (condition: string): DesiredHypertable =>
            metrics({ indexes: [{ columns: ["value"], where: condition }] });
        const actual = standingTable(where("value > 0 AND model = 'a'::text"));
        expect(isEmpty(planOfTable(actual, where("value > 0 and model = 'a'")))).toBe(true);
        expect(namesOf(planOfTable(actual, where("value > 0 AND model = 'A'")))).toEqual([
            "drop_index",
            "create_index",
        ]);
    });

    it("that an interrupted build left invalid is made anew", () => {
        const actual = standingTable(withIndex);
        const broken = actual.indexes.map((index) => ({ ...index, valid: false }));
        expect(describePlan(planOfTable({ ...actual, indexes: broken }, withIndex))).toEqual([
            "indexes.metrics_value_idx: left invalid by an interrupted build → btree (value)",
        ]);
    });

    it("of the primary key is none of these", () => {
        const keyed = metrics({ primaryKey: ["ts"] });
        const plan = planOfTable(standingTable(keyed), keyed);
        expect(plan.notes).toEqual([]);
        expect(plan.statements).toEqual([]);
    });
});

describe("the primary key", () => {
    it.each<[string, Inputs, Inputs, string, string[]]>([
        [
            "is dropped",
            { primaryKey: ["ts", "value"] },
            {},
            "primaryKey: ts, value → none",
            ['ALTER TABLE "public"."metrics" DROP CONSTRAINT "metrics_pkey"'],
        ],
        [
            "is added",
            {},
            { primaryKey: ["ts"] },
            "primaryKey: none → ts",
            ['ALTER TABLE "public"."metrics" ADD PRIMARY KEY ("ts")'],
        ],
        [
            "is made anew in another order",
            { primaryKey: ["ts", "value"] },
            { primaryKey: ["value", "ts"] },
            "primaryKey: ts, value → value, ts",
            [
                'ALTER TABLE "public"."metrics" DROP CONSTRAINT "metrics_pkey"',
                'ALTER TABLE "public"."metrics" ADD PRIMARY KEY ("value", "ts")',
            ],
        ],
    ])("%s in place", (_what, was, will, line, sql) => {
        const plan = planOfTable(standingTable(metrics(was)), metrics(will));
        expect(describePlan(plan)[0]).toBe(line);
        expect(
            plan.statements
                .filter(({ name }) => name.endsWith("primary_key"))
                .map((statement) => statement.sql),
        ).toEqual(sql);
    });

    it("changes with compression off for the moment, where the server alters none under it", () => {
        const was = metrics({ primaryKey: ["ts", "value"], compressionPolicy });
        const plan = planOfTable(standingTable(was), metrics({ compressionPolicy }), {
            before: was,
            altersCompressed: false,
        });
        expect(namesOf(plan)).toEqual([
            "disable_compression",
            "drop_primary_key",
            "alter_nullable",
            "enable_compression",
        ]);
        expect(describePlan(plan)).toEqual([
            "primaryKey: ts, value → none",
            "columns.value.nullable: false → true",
        ]);
    });

    it("whose column is nullable again when it goes is named with it", () => {
        const plan = planOfTable(
            standingTable(metrics({ primaryKey: ["ts", "value"] })),
            metrics(),
        );
        expect(describePlan(plan)).toEqual([
            "primaryKey: ts, value → none",
            "columns.value.nullable: false → true",
        ]);
    });
});

describe("an index that is built on chunks that stand", () => {
    it("is built outside the transaction, one chunk at a time, and cleared away when that fails", () => {
        const withIndex = metrics({ indexes: [{ columns: ["value"] }] });
        const difference = diffOfTable(standingTable(metrics()), withIndex);
        const plan = planHypertable(difference, withIndex, { perChunk: true });
        expect(plan.statements).toEqual([
            {
                name: "create_index",
                sql: 'CREATE INDEX "metrics_value_idx" ON "public"."metrics" USING "btree" ("value" ASC NULLS LAST) WITH (timescaledb.transaction_per_chunk)',
                outside: { undo: 'DROP INDEX IF EXISTS "public"."metrics_value_idx"' },
            },
        ]);
    });
});

describe("a policy", () => {
    const policies = { columns: [ts, value, model], retentionPolicy, compressionPolicy };

    it("is altered in place", () => {
        const will = { ...policies, retentionPolicy: { dropAfter: "30 days" } };
        const plan = planOfTable(standingTable(metrics(policies)), metrics(will));
        expect(describePlan(plan)).toEqual(["retentionPolicy.dropAfter: 90 days → 30 days"]);
        expect(namesOf(plan)).toEqual(["alter_retention_policy"]);
    });

    it("that is no longer declared is removed", () => {
        const { columns } = policies;
        const plan = planOfTable(standingTable(metrics(policies)), metrics({ columns }), {
            before: metrics(policies),
        });
        expect(namesOf(plan)).toEqual([
            "remove_compression_policy",
            "remove_retention_policy",
            "disable_compression",
        ]);
        expect(plan.statements.at(-1)?.sql).toBe(
            'ALTER TABLE "public"."metrics" SET (timescaledb.compress = false)',
        );
    });

    it("that was never declared is reported and kept", () => {
        const { columns } = policies;
        const plan = planOfTable(standingTable(metrics(policies)), metrics({ columns }));
        expect(isEmpty(plan)).toBe(true);
        expect(plan.notes).toHaveLength(2);
    });

    it("that stands twice loses its later job", () => {
        const job = standingJob(desiredRetentionJob(retentionPolicy));
        const actual = standingTable(metrics({ retentionPolicy }), {
            jobs: [job, { ...job, id: 1009 }],
        });
        expect(planOfTable(actual, metrics({ retentionPolicy })).statements).toEqual([
            { name: "delete_job", sql: "SELECT delete_job($1)", values: [1009] },
        ]);
    });

    it("whose job belongs to someone else is refused", () => {
        const job = standingJob(desiredCompressionJob(compressionPolicy), { owner: "bob" });
        const actual = standingTable(metrics({ ...policies, retentionPolicy: undefined }), {
            jobs: [job],
        });
        const plan = planOfTable(actual, metrics({ ...policies, retentionPolicy: undefined }));
        expect(plan.refusals.map(({ code }) => code)).toEqual(["another_job_owner"]);
    });
});

describe("a refusal", () => {
    const other = metrics({
        columns: [ts, { ...value, type: "real", comment: "x" }, model],
        primaryKey: ["ts"],
        comment: "y",
    });

    it.each<[string, Inputs, string]>([
        [
            "another type",
            { columns: [ts, { ...value, type: "numeric(12,8)" }] },
            "column value is double precision, declared is numeric(12,8)",
        ],
        [
            "another time column",
            { columns: [ts, { ...value, type: "timestamptz" }], timeColumn: "value" },
            "it is partitioned by ts, declared is value",
        ],
    ])("of %s says what stands and what is declared", (_what, will, detail) => {
        const columns = [
            ts,
            "columns" in will && "timeColumn" in will ? { ...value, type: "timestamptz" } : value,
        ];
        const actual = standingTable(metrics({ columns, primaryKey: ["ts"] }));
        const { refusals } = planOfTable(actual, metrics({ primaryKey: ["ts"], ...will }));
        expect(refusals.map(explain)).toContain(
            [
                "public.metrics cannot be changed in place (structure_differs)",
                `  detail: ${detail}`,
                "  hint:   declare what stands in the database, or build a new hypertable under another name and copy the rows",
            ].join("\n"),
        );
    });

    it("of another key under compressed chunks says so, where the server alters none there", () => {
        const was = metrics({ primaryKey: ["ts"], compressionPolicy });
        const will = metrics({ primaryKey: ["ts", "value"], compressionPolicy });
        const actual = standingTable(was, { compressedChunks: 3 });
        const { refusals } = planOfTable(actual, will, { altersCompressed: false });
        expect(refusals.map(({ code, detail }) => [code, detail])).toEqual([
            [
                "compressed_chunks",
                "its primary key is (ts), declared is (ts, value); column value is nullable, declared is the opposite; this version alters neither keys nor nullability under compression, and 3 chunks are compressed",
            ],
        ]);
        expect(planOfTable(actual, will, { altersCompressed: true }).refusals).toEqual([]);
    });

    it("lists everything in which a table that nobody manages differs, once", () => {
        const plan = planOfTable(standingTable(metrics()), other, { before: null });
        expect(plan.refusals.map(explain)).toEqual([
            [
                "a hypertable public.metrics exists already and differs (exists_and_differs)",
                "  detail: column model is missing; its primary key is (), declared is (ts); column value is double precision, declared is real",
                "  hint:   declare it as it stands, choose another name, or set adopt: true to take it over",
            ].join("\n"),
        ]);
    });

    it("of differences does not hide that the table is someone else's", () => {
        const plan = planOfTable(standingTable(metrics(), { owner: "bob" }), other, {
            before: null,
        });
        expect(plan.refusals.map(({ code }) => code)).toEqual([
            "exists_and_differs",
            "another_owner",
        ]);
    });

    it("is not needed for words: comments, policies and grants are taken over", () => {
        const desired = metrics({
            columns: [ts, { ...value, comment: "x" }],
            comment: "y",
            retentionPolicy,
            grants: everything.grants,
        });
        const plan = planOfTable(standingTable(metrics()), desired, { before: null });
        expect(plan.refusals).toEqual([]);
        expect(namesOf(plan)).toEqual([
            "comment_column",
            "add_retention_policy",
            "comment",
            "grant",
        ]);
    });

    it("is lifted by adopt for what can be altered, and for nothing else", () => {
        const adoptable = metrics({
            columns: [ts, { ...value, default: "0" }, model],
            adopt: true,
        });
        const taken = planOfTable(standingTable(metrics()), adoptable, { before: null });
        expect(taken.refusals).toEqual([]);
        expect(namesOf(taken)).toEqual(["add_column", "comment_column", "alter_default"]);
        const plan = planOfTable(
            standingTable(metrics()),
            { ...other, adopt: true },
            { before: null },
        );
        expect(plan.refusals.map(({ detail }) => detail)).toEqual([
            "column value is double precision, declared is real",
        ]);
    });

    it.each<[string, InspectedHypertable, string]>([
        [
            "a plain table",
            { kind: "other", databaseUuid: "5d2e", relation: "plain table", owner: "bob" },
            "another_relation",
        ],
        ["another owner", standingTable(metrics(), { owner: "bob" }), "another_owner"],
    ])("of %s touches nothing", (_what, actual, code) => {
        const plan = planOfTable(actual, metrics());
        expect(plan.refusals.map((error) => error.code)).toEqual([code]);
        expect(plan.statements).toEqual([]);
        expect(isEmpty(plan)).toBe(false);
    });

    it("of another owner quotes both names", () => {
        const actual: StandingTable = standingTable(metrics({ name: 'we"ird' }), { owner: "bob" });
        const { refusals } = planOfTable(actual, metrics({ name: 'we"ird' }));
        expect(refusals[0]?.hint).toBe(
            'run ALTER TABLE "public"."we""ird" OWNER TO "observatory_owner" as a superuser, or declare owner: "bob"',
        );
    });
});
