/** What an import leaves out: it is listed with its reason, and stays as it is. */
import { Client } from "pg";

import { clientConfig } from "../helpers/clients";
import { aggregate, hypertable } from "./declared";
import { expectNothingToChange, imported, lines } from "./importing";
import { onEveryServer, onServersWithSessions, type Target } from "./onEveryServer";

const columns = [
    { name: "ts", type: "timestamptz", nullable: false },
    { name: "a", type: "integer" },
    { name: "b", type: "text" },
] as const;
const refreshPolicy = { startOffset: "3 days", endOffset: "1 hour", scheduleInterval: "1 hour" };
const byHour = "SELECT time_bucket('1 hour', ts) AS bucket, count(*) AS n FROM raw GROUP BY 1";

async function makeTable(target: Target, name: string, more: object = {}): Promise<void> {
    await hypertable(target, { name, columns, timeColumn: "ts", ...more }).up();
}

/** Statements by the superuser, one by one. */
async function run(target: Target, ...statements: readonly string[]): Promise<void> {
    for (const statement of statements) await target.asAdmin(statement);
}

onEveryServer((target) => {
    let found: Awaited<ReturnType<typeof imported>>;
    /** What is listed of an object. */
    const listed = (object: string): string[] =>
        lines(found.undeclared.filter((it) => it.object === object)).map((line) =>
            line.slice(object.length + 2),
        );
    const inputsOf = (name: string): Readonly<Record<string, unknown>> | undefined =>
        found.declared.find(({ inputs }) => inputs["name"] === name)?.inputs;

    beforeAll(async () => {
        await makeTable(target, "raw", { retentionPolicy: { dropAfter: "90 days" } });
        const tables = ["with_parts", "granted", "passed_on", "bare", "secured", "twice", "theirs"];
        for (const name of tables) await makeTable(target, name);
        for (const name of ["sound", "replaced", "unreadable", "kept", "doubled"]) {
            await aggregate(target, { name, query: byHour, refreshPolicy }).up();
        }
        await aggregate(target, { name: "kept_too", query: byHour, onDelete: "keep" }).up();
        const keep = aggregate(target, { name: "dated", query: byHour, onDelete: "keep" });
        await keep.up();
        await keep.remove();
        await run(
            target,
            // Parts that no property says.
            "CREATE TABLE plain (id int PRIMARY KEY)",
            "ALTER TABLE with_parts ADD CONSTRAINT positive CHECK (a > 0)",
            "ALTER TABLE with_parts ADD CONSTRAINT refers FOREIGN KEY (a) REFERENCES plain",
            "ALTER TABLE with_parts ADD CONSTRAINT once UNIQUE (ts, a)",
            "ALTER TABLE with_parts ADD COLUMN twice_a int GENERATED ALWAYS AS (a * 2) STORED",
            "ALTER TABLE with_parts ADD COLUMN counted bigint GENERATED ALWAYS AS IDENTITY",
            'ALTER TABLE with_parts ADD COLUMN sorted text COLLATE "C"',
            "ALTER TABLE with_parts SET (autovacuum_vacuum_scale_factor = 0.1)",
            "CREATE FUNCTION noticed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
            "CREATE TRIGGER notices BEFORE INSERT ON with_parts FOR EACH ROW EXECUTE FUNCTION noticed()",
            "CREATE INDEX on_expression ON with_parts (lower(b))",
            "CREATE INDEX of_class ON with_parts (b text_pattern_ops)",
            "CREATE INDEX including ON with_parts (a) INCLUDE (b)",
            "CREATE INDEX filled ON with_parts (a) WITH (fillfactor = 70)",
            "CREATE UNIQUE INDEX unique_too ON with_parts (ts, b)",
            "CREATE INDEX ordinary ON with_parts (a) WHERE a > 1",
            "ALTER TABLE secured ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY mine ON secured USING (a = 1)",
            // Privileges that declaring the object would revoke.
            "GRANT SELECT (a) ON granted TO observatory_reader",
            "GRANT SELECT ON passed_on TO observatory_reader WITH GRANT OPTION",
            // Tables cut in another way.
            "CREATE TABLE numbered (n bigint NOT NULL, v int)",
            "SELECT create_hypertable('numbered', 'n', chunk_time_interval => 1000)",
            "CREATE TABLE spread (ts timestamptz NOT NULL, v int)",
            "SELECT create_hypertable('spread', 'ts', 'v', 2)",
            // Policies that no property says, and jobs that are none.
            "ALTER TABLE bare SET (timescaledb.compress)",
            "CREATE PROCEDURE act(job_id int, config jsonb) LANGUAGE plpgsql AS 'BEGIN END'",
            "SELECT add_job('act', '1 hour')",
            // As two adds at the same time leave it behind.
            `INSERT INTO _timescaledb_config.bgw_job SELECT (jsonb_populate_record(j, '{"id": 9000}')).*
             FROM _timescaledb_config.bgw_job j WHERE proc_name = 'policy_refresh_continuous_aggregate'
             AND hypertable_id = (SELECT mat_hypertable_id FROM _timescaledb_catalog.continuous_agg WHERE user_view_name = 'doubled')`,
            // Aggregates that are not what they were.
            "CREATE OR REPLACE VIEW replaced AS SELECT now() AS bucket, 1::bigint AS n",
            `UPDATE _timescaledb_catalog.continuous_agg SET direct_view_name = 'nowhere' WHERE user_view_name = 'unreadable'`,
            // Others' objects.
            "ALTER TABLE theirs OWNER TO observatory_writer",
            "CREATE SCHEMA closed",
            "CREATE TABLE closed.t (a int)",
            // Kinds that have no resource.
            "CREATE MATERIALIZED VIEW materialized AS SELECT 1 AS a",
            "CREATE SEQUENCE counter",
            "CREATE TYPE colour AS ENUM ('red')",
            "CREATE DOMAIN positive AS int CHECK (value > 0)",
            "CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int)",
            "CREATE VIEW checked AS SELECT a FROM raw WHERE a > 1 WITH CHECK OPTION",
            "CREATE VIEW ruled AS SELECT a FROM raw",
            "CREATE RULE ignores AS ON INSERT TO ruled DO INSTEAD NOTHING",
            "COMMENT ON COLUMN ruled.a IS 'mine'",
            "ALTER VIEW checked OWNER TO observatory_owner",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO observatory_reader",
        );
        found = await imported(target.database.owner);
    }, 120_000);

    it("declares what remains, so that nothing changes", async () => {
        expect(found.declared.map(({ inputs }) => inputs["name"])).toEqual(
            expect.arrayContaining(["raw", "with_parts", "bare", "secured", "sound", "theirs"]),
        );
        await expectNothingToChange(target, found.declared);
    });

    it("lists parts of a hypertable that no property says", () => {
        expect(listed("public.with_parts")).toEqual([
            'collation "C" of column sorted: the column is declared without it; it is kept',
            "UNIQUE constraint once: no property says it; it is kept",
            "CHECK constraint positive: no property says it; it is kept",
            "foreign key constraint refers: no property says it; it is kept",
            "generated column twice_a: the column is not declared, and kept",
            "identity column counted: the column is declared without it; it is kept",
            "storage parameter autovacuum_vacuum_scale_factor=0.1: no property says it; it is kept",
            "trigger notices: no property says it; it is kept",
            "index filled: it has storage parameters: fillfactor=70; it is kept",
            "index including: it has INCLUDE columns; it is kept",
            "index of_class: it has an operator class that is not the default; it is kept",
            "index on_expression: it is on an expression; it is kept",
            "index unique_too: it is unique; it is kept",
        ]);
        expect(inputsOf("with_parts")).toMatchObject({
            columns: [
                { name: "ts" },
                { name: "a" },
                { name: "b" },
                { name: "counted" },
                { name: "sorted" },
            ],
            indexes: [{ name: "ordinary", columns: ["a"], where: "a > 1" }],
        });
        expect(listed("public.secured")).toEqual([
            "row security policy mine: no property says it; it is kept",
            "row security: no property says it; it is kept",
        ]);
    });

    it("lists hypertables that are cut in another way", () => {
        expect(listed("public.numbered")).toEqual(["hypertable: its time column is an integer"]);
        expect(listed("public.spread")).toEqual(["hypertable: it is partitioned in 2 dimensions"]);
    });

    it("leaves out objects with privileges that a declaration would revoke", () => {
        expect(listed("public.granted")).toEqual([
            "hypertable: declaring it would change it: grants.observatory_reader: SELECT (a) → removed",
        ]);
        expect(listed("public.passed_on")).toEqual(
            [
                "hypertable: declaring it would change it: grants.observatory_reader: SELECT with grant option, and what was granted with it → removed",
            ].map((line) => expect.stringContaining(line.slice(0, 90))),
        );
        expect(inputsOf("granted")).toBeUndefined();
    });

    it("lists policies that no property says, and jobs that are none", () => {
        expect(listed("public.bare")).toEqual([
            "compression: it is on without a compression policy",
        ]);
        expect(listed("public.doubled")).toEqual([
            "refresh policy (job N, 9000): it stands more than once; remove all but one",
        ]);
        expect(inputsOf("doubled")).toBeDefined();
        expect(inputsOf("doubled")).not.toHaveProperty("refreshPolicy");
        expect(lines(found.undeclared)).toContainEqual(
            "job N (public.act): user-defined action: there is no resource for it; it is kept",
        );
    });

    it("lists aggregates that are not what they were, and why", () => {
        expect(listed("public.replaced")).toEqual([
            expect.stringMatching(
                /^continuous aggregate: CREATE OR REPLACE VIEW has put another query in its place; its buckets are in _timescaledb_internal\._materialized_hypertable_\d+$/,
            ),
        ]);
        expect(found.undeclared.filter(({ why }) => why.includes("it was kept when"))).toHaveLength(
            1,
        );
    });

    it("lists what cannot be read, and reads the rest", () => {
        expect(listed("public.unreadable")).toEqual([
            expect.stringMatching(
                /^continuous aggregate: it could not be read: .*nowhere.* \(42P01\)$/,
            ),
        ]);
    });

    it("declares another role's object with its owner, and says so", () => {
        expect(inputsOf("theirs")).toMatchObject({ owner: "observatory_writer" });
        expect(found.declarations.find(({ name }) => name.name === "theirs")?.remarks).toEqual([
            "Belongs to observatory_writer: before anything of it can change, GRANT that role to the login.",
        ]);
    });

    it("lists what stands on a view, and views with options of another kind", () => {
        expect(listed("public.checked")).toEqual([
            "view: declaring it would change it: checkOption: cascaded → removed",
        ]);
        expect(listed("public.ruled")).toEqual([
            "rule ignores: no property says it; it is kept while the view is not made anew",
            "comment of column a: no property says it; it is kept while the view is not made anew",
        ]);
        expect(inputsOf("ruled")).toBeDefined();
    });

    it("lists kinds that have no resource, and schemas that are closed", () => {
        const all = lines(found.undeclared).filter((line) =>
            /plain|materialized|counter|colour|positive: |total|default|closed|act\(/.test(line),
        );
        expect(all).toEqual(
            expect.arrayContaining([
                "public.plain: plain table: there is no resource for it; it is kept",
                "public.materialized: materialized view: there is no resource for it; it is kept",
                "public.counter: sequence: there is no resource for it; it is kept",
                "public.colour: enum type: there is no resource for it; it is kept",
                "public.positive: domain: there is no resource for it; it is kept",
                "public.total(integer): aggregate function: there is no resource for it; it is kept",
                "closed: schema: observatory_owner has no USAGE on it, so nothing in it was read",
                "what postgres will make in schema public: default privileges: there is no resource for it; it is kept",
            ]),
        );
    });
});

onServersWithSessions("an import beside a lock", (target) => {
    it("lists the object that is locked, and reads the rest", async () => {
        await makeTable(target, "raw");
        await aggregate(target, { name: "one", query: byHour }).up();
        await aggregate(target, { name: "other", query: byHour }).up();
        const holder = new Client(clientConfig(target.database.admin));
        await holder.connect();
        await holder.query("BEGIN; LOCK TABLE one IN ACCESS EXCLUSIVE MODE");
        try {
            const found = await imported(target.database.owner);

            expect(found.declared.map(({ inputs }) => inputs["name"])).toEqual(["raw", "other"]);
            expect(lines(found.undeclared)).toEqual([
                expect.stringContaining(
                    "public.one: continuous aggregate: it could not be read: canceling statement due to lock timeout",
                ),
            ]);
        } finally {
            await holder.end();
        }
    });
});
