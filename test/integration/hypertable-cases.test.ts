/** Hypertables: whatever was changed, by hand or in the program, `up` brings them to the declaration. */
import { displayName } from "../../components/timescale/core/identifier";
import { type Case, runCases } from "./cases";
import {
    aggregate,
    type Declared,
    expectNoChange,
    hypertable,
    type HypertableInputs,
} from "./declared";
import { everyNames, hourly, type Names, quoted, rawTable } from "./names";
import { onEveryServer } from "./onEveryServer";

const same: Case<HypertableInputs> = { name: "no-op", expect: () => [] };

const byHand: readonly Case<HypertableInputs>[] = [
    {
        name: "an index dropped",
        given: ({ it }) => [`DROP INDEX ${it.schema}.by_model`],
        expect: ({ names }) => [
            `indexes.by_model: none → btree (${names.model}, ${names.time} DESC)`,
        ],
    },
    {
        name: "indexes of that name on other columns, in another order, of another method",
        given: ({ it }) => [
            `DROP INDEX ${it.schema}.by_model`,
            `DROP INDEX ${it.schema}.by_tags`,
            `CREATE INDEX by_model ON ${it.table} (${it.model}, ${it.time})`,
            `CREATE INDEX by_tags ON ${it.table} (tags)`,
        ],
        expect: ({ names }) => [
            `indexes.by_model: btree (${shown(names.model)}, ${shown(names.time)}) → btree (${names.model}, ${names.time} DESC)`,
            "indexes.by_tags: btree (tags) → gin (tags)",
        ],
    },
    {
        name: "an index that an interrupted build left invalid",
        // The embedded server builds an index in one transaction.
        on: (version) => version.startsWith("2.14"),
        givenByAdmin: ({ it }) => [
            `UPDATE pg_index SET indisvalid = false WHERE indexrelid = '${literal(it.schema)}.by_model'::regclass`,
        ],
        expect: ({ names }) => [
            `indexes.by_model: left invalid by an interrupted build → btree (${names.model}, ${names.time} DESC)`,
        ],
    },
    {
        name: "an index that nobody declared, left invalid",
        // The embedded server builds an index in one transaction.
        on: (version) => version.startsWith("2.14"),
        given: ({ it }) => [`CREATE INDEX mine ON ${it.table} (cost)`],
        givenByAdmin: ({ it }) => [
            `UPDATE pg_index SET indisvalid = false WHERE indexrelid = '${literal(it.schema)}.mine'::regclass`,
        ],
        expect: () => ["indexes.mine: left invalid by an interrupted build → removed"],
    },
    {
        name: "indexes of that name with what no index can declare",
        given: ({ it }) => [
            `DROP INDEX ${it.schema}.by_model`,
            `DROP INDEX ${it.schema}.by_tags`,
            `CREATE INDEX by_model ON ${it.table} (${it.model} text_pattern_ops, ${it.time} DESC) INCLUDE (cost)`,
            `CREATE INDEX by_tags ON ${it.table} USING gin (tags) WITH (fastupdate = off)`,
        ],
        expect: () => [
            expect.stringMatching(
                /^indexes.by_model: .* with INCLUDE columns, another operator class → btree/,
            ),
            "indexes.by_tags: gin (tags) with storage parameters fastupdate=off → gin (tags)",
        ],
    },
    {
        name: "an index renamed by hand",
        given: ({ it }) => [`ALTER INDEX ${it.schema}.by_tags RENAME TO mine`],
        expect: () => ["indexes.by_tags: none → gin (tags)"],
        notes: ["index mine stands on it that the program does not declare: it is kept"],
        then: async (target, { it }) => {
            await target.byHand(`DROP INDEX ${it.schema}.mine`);
        },
    },
    {
        name: "columns renamed by hand, with what stands on them",
        given: ({ it }) => [
            `ALTER TABLE ${it.table} RENAME COLUMN ${it.model} TO mine`,
            `ALTER TABLE ${it.table} RENAME COLUMN ${it.time} TO "Mine too"`,
        ],
        expect: ({ names }) => [
            `columns.Mine too: Mine too → ${names.time}`,
            `columns.mine: mine → ${names.model}`,
        ],
    },
    {
        name: "a column renamed by hand, and another put in its place",
        given: ({ it }) => [
            `ALTER TABLE ${it.table} RENAME COLUMN cost TO mine`,
            `ALTER TABLE ${it.table} ADD COLUMN cost numeric(12, 8)`,
        ],
        // Both hold values: which one is meant, only a person knows.
        expect: () => [],
        notes: ["column mine stands on it that the program does not declare: it is kept"],
        then: async (target, { it }) => {
            await target.byHand(`ALTER TABLE ${it.table} DROP COLUMN cost`);
            await target.byHand(`ALTER TABLE ${it.table} RENAME COLUMN mine TO cost`);
        },
    },
    {
        name: "the table renamed by hand",
        given: ({ it }) => [`ALTER TABLE ${it.table} RENAME TO mine`],
        expect: ({ names: { schema, table } }) => [
            `name: ${displayName({ schema, name: "mine" })} → ${displayName({ schema, name: table })}`,
        ],
    },
    {
        name: "the table moved to another schema by hand",
        given: ({ it }) => [
            `CREATE SCHEMA IF NOT EXISTS ${it.elsewhere}`,
            `ALTER TABLE ${it.table} SET SCHEMA ${it.elsewhere}`,
        ],
        expect: ({ names: { schema, table, elsewhere } }) => [
            `name: ${displayName({ schema: elsewhere, name: table })} → ${displayName({ schema, name: table })}`,
        ],
    },
    {
        name: "the table renamed by hand, and another put in its place",
        given: ({ it }) => [
            `ALTER TABLE ${it.table} RENAME TO mine`,
            `CREATE TABLE ${it.table} (a int)`,
        ],
        expect: () => [],
        refused: ({ names: { schema } }) => ({
            code: "another_relation",
            detail: expect.stringContaining(
                `the hypertable itself stands as ${displayName({ schema, name: "mine" })} now`,
            ) as string,
        }),
        undo: ({ it, names }) => [
            `DROP TABLE ${it.table}`,
            `ALTER TABLE ${it.schema}.mine RENAME TO ${quoted({ ...names, id: names.table }).id}`,
        ],
    },
    {
        name: "an index that nobody declared",
        given: ({ it }) => [`CREATE INDEX mine ON ${it.table} (cost)`],
        expect: () => [],
        notes: ["index mine stands on it that the program does not declare: it is kept"],
        then: async (target, { it }) => {
            await target.byHand(`DROP INDEX ${it.schema}.mine`);
        },
    },
    {
        name: "a column that nobody declared",
        given: ({ it }) => [`ALTER TABLE ${it.table} ADD COLUMN mine int`],
        expect: () => [],
        notes: ["column mine stands on it that the program does not declare: it is kept"],
        then: async (target, { it }) => {
            await target.byHand(`ALTER TABLE ${it.table} DROP COLUMN mine`);
        },
    },
    {
        name: "a column dropped",
        given: ({ it }) => [`ALTER TABLE ${it.table} DROP COLUMN tags`],
        expect: () => ["columns.tags: none → text[]", "indexes.by_tags: none → gin (tags)"],
    },
    {
        name: "a default changed, another removed, another added",
        given: ({ it }) => [
            `ALTER TABLE ${it.table} ALTER COLUMN ${it.model} SET DEFAULT 'other',
                 ALTER COLUMN tags DROP DEFAULT, ALTER COLUMN ${it.value} SET DEFAULT 7`,
        ],
        expect: ({ names }) => [
            `columns.${names.model}.default: 'other'::text → 'none'`,
            `columns.${names.value}.default: 7 → none`,
            "columns.tags.default: none → '{}'",
        ],
    },
    {
        name: "comments changed",
        given: ({ it }) => [
            `COMMENT ON TABLE ${it.table} IS 'mine'`,
            `COMMENT ON COLUMN ${it.table}.${it.model} IS NULL`,
            `COMMENT ON COLUMN ${it.table}.cost IS 'dollars'`,
        ],
        expect: ({ names }) => [
            `columns.${names.model}.comment: none → who's answering`,
            "columns.cost.comment: dollars → none",
            `comment: mine → raw; it's "quoted"`,
        ],
    },
    {
        name: "chunk interval",
        given: ({ it }) => [
            `SELECT set_chunk_time_interval('${literal(it.table)}', interval '12 hours')`,
        ],
        expect: () => ["chunkTimeInterval: 12:00:00 → 1 day"],
    },
    {
        name: "every setting of the retention policy",
        given: ({ job }) => [
            `SELECT alter_job(j.id, config => j.config || '{"drop_after": "1 year"}', schedule_interval => interval '2 days',
                 scheduled => false, max_runtime => interval '0', max_retries => 3, retry_period => interval '1 h',
                 timezone => 'Europe/Berlin', fixed_schedule => true, initial_start => '2031-02-01 00:00:00+00')
             FROM _timescaledb_config.bgw_job j WHERE j.id = ${job("retention")}`,
        ],
        expect: () => [
            "retentionPolicy.dropAfter: 1 year → 90 days",
            "retentionPolicy.scheduleInterval: 2 days → 1 day",
            "retentionPolicy.initialStart: 2031-02-01T00:00:00.000Z → none",
            "retentionPolicy.timezone: Europe/Berlin → none",
            "retentionPolicy.paused: true → false",
            "retentionPolicy.maxRuntime: 00:00:00 → 5 minutes",
            "retentionPolicy.maxRetries: 3 → -1",
            "retentionPolicy.retryPeriod: 01:00:00 → 5 minutes",
        ],
    },
    {
        name: "the retention policy dropped",
        given: ({ it }) => [`SELECT remove_retention_policy('${literal(it.table)}')`],
        expect: () => ["retentionPolicy: none → dropAfter 90 days, every 1 day"],
    },
    {
        name: "the compression policy altered",
        given: ({ job }) => [
            `SELECT alter_job(j.id, config => j.config || '{"compress_after": "1 mon"}', scheduled => false)
             FROM _timescaledb_config.bgw_job j WHERE j.id = ${job("compression")}`,
        ],
        expect: () => [
            "compressionPolicy.compressAfter: 1 mon → 7 days",
            "compressionPolicy.paused: true → false",
        ],
    },
    {
        name: "settings of compression",
        given: ({ it }) => [
            `ALTER TABLE ${it.table} SET (timescaledb.compress, timescaledb.compress_segmentby = '',
                 timescaledb.compress_orderby = '${literal(it.time)} ASC NULLS FIRST')`,
        ],
        expect: ({ names, it }) => [
            `compression: segmentBy nothing orderBy ${it.time === "ts" ? '"ts"' : it.time} ASC NULLS FIRST → segmentBy ${names.model} orderBy ${it.time} DESC NULLS FIRST`,
        ],
    },
    {
        name: "compression switched off",
        given: ({ it }) => [
            `SELECT remove_compression_policy('${literal(it.table)}')`,
            `ALTER TABLE ${it.table} SET (timescaledb.compress = false)`,
        ],
        expect: ({ names, it }) => [
            `compression: off → segmentBy ${names.model} orderBy ${it.time} DESC NULLS FIRST`,
            "compressionPolicy: none → compressAfter 7 days, every 12 hours",
        ],
    },
    {
        name: "compression switched off, and its job left behind",
        given: ({ it }) => [`ALTER TABLE ${it.table} SET (timescaledb.compress = false)`],
        expect: ({ names, it }) => [
            `compression: off → segmentBy ${names.model} orderBy ${it.time} DESC NULLS FIRST`,
        ],
    },
    {
        name: "chunks merged when they are compressed",
        given: ({ it }) => [
            `ALTER TABLE ${it.table} SET (timescaledb.compress, timescaledb.compress_chunk_time_interval = '7 days')`,
        ],
        expect: ({ names, it }) => [
            `compression: segmentBy ${names.model} orderBy ${it.time === "ts" ? '"ts"' : it.time} DESC NULLS FIRST compressChunkTimeInterval 168:00:00 → segmentBy ${names.model} orderBy ${it.time} DESC NULLS FIRST`,
        ],
    },
    {
        name: "rights of its own taken from the owner",
        given: ({ it }) => [`REVOKE SELECT, TRUNCATE ON ${it.table} FROM observatory_owner`],
        expect: () => [
            "grants.observatory_owner: none → SELECT",
            "grants.observatory_owner: none → TRUNCATE",
        ],
    },
    {
        name: "grants",
        given: ({ it }) => [
            `REVOKE INSERT ON ${it.table} FROM observatory_writer`,
            `GRANT TRUNCATE ON ${it.table} TO observatory_writer`,
            `GRANT SELECT ON ${it.table} TO observatory_reader`,
        ],
        expect: () => [
            "grants.observatory_reader: SELECT → removed",
            "grants.observatory_writer: none → INSERT",
            "grants.observatory_writer: TRUNCATE → removed",
        ],
    },
    {
        name: "another owner",
        givenByAdmin: ({ it }) => [`ALTER TABLE ${it.table} OWNER TO CURRENT_USER`],
        expect: () => [],
        refused: () => ({ code: "another_owner" }),
        undoByAdmin: ({ it }) => [`ALTER TABLE ${it.table} OWNER TO observatory_owner`],
    },
];

const inTheProgram: readonly Case<HypertableInputs>[] = [
    {
        name: "types, defaults and intervals in other words are no change",
        desired: (declared) => ({
            ...declared,
            chunkTimeInterval: "24 hours",
            columns: declared.columns.map((column) => ({
                ...column,
                type:
                    { timestamptz: "TIMESTAMP WITH TIME ZONE", int: "INT4" }[column.type] ??
                    column.type.toUpperCase(),
                ...(column.default === "'none'" && { default: "'none'::text" }),
            })),
        }),
        expect: () => [],
    },
    {
        name: "a column less is kept, and dropped when that is said",
        given: ({ it }) => [`ALTER TABLE ${it.table} ADD COLUMN old int, ADD COLUMN older int`],
        desired: (declared) => ({ ...declared, dropColumns: ["old", "older", "never was"] }),
        expect: () => [
            "columns.old: kept → dropped with its data",
            "columns.older: kept → dropped with its data",
        ],
    },
    {
        name: "indexes",
        desired: (declared, { names }) => ({
            ...declared,
            indexes: [
                { name: "by_model", columns: [names.model], where: `cost > 1` },
                { columns: [`${names.value} DESC NULLS LAST`, "cost"] },
            ],
        }),
        expect: ({ names }) => [
            `indexes.by_model: btree (${shown(names.model)}, ${shown(names.time)} DESC) → btree (${names.model}) where cost > 1`,
            `indexes.${names.table}_${names.value}_cost_idx: none → btree (${names.value} DESC NULLS LAST, cost)`,
            "indexes.by_tags: gin (tags) → removed",
        ],
    },
    {
        name: "the condition of an index",
        given: ({ it }) => [
            `DROP INDEX ${it.schema}.by_model`,
            `CREATE INDEX by_model ON ${it.table} (${it.model}) WHERE cost IN (1, 2) AND ${it.model} <> 'x'`,
        ],
        desired: (declared, { names, it }) => ({
            ...declared,
            indexes: [
                {
                    name: "by_model",
                    columns: [names.model],
                    where: `cost = any(array[1, 2]::numeric[]) AND ${it.model} != 'y'`,
                },
                ...declared.indexes!.slice(1),
            ],
        }),
        expect: ({ names }) => [
            expect.stringContaining(
                `indexes.by_model: btree (${shown(names.model)}) where (cost = ANY`,
            ),
        ],
    },
    {
        name: "a default that differs in a cast alone",
        given: ({ it }) => [`ALTER TABLE ${it.table} ALTER COLUMN cost SET DEFAULT random()::int`],
        desired: (declared) => ({
            ...declared,
            columns: declared.columns.map((column) =>
                column.name === "cost" ? { ...column, default: "Random( )" } : column,
            ),
        }),
        expect: () => ["columns.cost.default: (random())::integer → Random( )"],
    },
    {
        name: "the condition of an index in other words is no change",
        given: ({ it }) => [
            `DROP INDEX ${it.schema}.by_model`,
            `CREATE INDEX by_model ON ${it.table} (${it.model}) WHERE cost IN (1, 2) AND ${it.model} <> 'x'`,
        ],
        desired: (declared, { names, it }) => ({
            ...declared,
            indexes: [
                {
                    name: "by_model",
                    columns: [names.model],
                    where: `COST = any (array[1::numeric, 2]) and (${it.model} != 'x'::text)`,
                },
                ...declared.indexes!.slice(1),
            ],
        }),
        expect: () => [],
    },
    {
        name: "a key and nullability under compression",
        desired: ({ primaryKey: _, ...declared }, { names }) => ({
            ...declared,
            columns: declared.columns.map((column) =>
                column.name === names.id ? { name: names.id, type: "text" } : column,
            ),
        }),
        expect: ({ names }) => [
            `primaryKey: ${names.time}, ${names.id} → none`,
            `columns.${names.id}.nullable: false → true`,
        ],
    },
    {
        name: "an empty comment and a grant to the owner mean none",
        desired: (declared) => ({
            ...declared,
            comment: "",
            columns: declared.columns.map((column) => ({ ...column, comment: "" })),
            grants: [...declared.grants!, { role: "observatory_owner", privileges: ["SELECT"] }],
        }),
        expect: ({ names }) => [
            `columns.${names.model}.comment: who's answering → none`,
            `columns.${names.value}.comment: milliseconds → none`,
            `comment: raw; it's "quoted" → none`,
        ],
    },
    {
        name: "policies, grants and comment left out",
        desired: ({
            compressionPolicy: _1,
            retentionPolicy: _2,
            grants: _3,
            comment: _4,
            ...declared
        }) => declared,
        expect: ({ names, it }) => [
            "compressionPolicy: job N → removed",
            "retentionPolicy: job N → removed",
            `compression: segmentBy ${names.model} orderBy ${it.time === "ts" ? '"ts"' : it.time} DESC NULLS FIRST → off`,
            `comment: raw; it's "quoted" → none`,
            "grants.observatory_writer: INSERT → removed",
            "grants.observatory_writer: SELECT → removed",
        ],
        then: async (target, { jobs }) => {
            expect(await target.asAdmin(jobs)).toEqual([]);
        },
    },
    {
        name: "another name and schema, in place, under an aggregate",
        given: ({ it }) => [`CREATE SCHEMA IF NOT EXISTS ${it.elsewhere}`],
        desired: (declared, { names }) => ({ ...declared, schema: names.elsewhere, name: "moved" }),
        expect: ({ names: { schema, table, elsewhere } }) => [
            `name: ${displayName({ schema, name: table })} → ${displayName({ schema: elsewhere, name: "moved" })}`,
        ],
        then: async (target, { it }) => {
            expect(
                await target.byHand(`SELECT count(*)::int AS n FROM ${it.elsewhere}.moved`),
            ).toEqual([{ n: 1 }]);
        },
    },
];

/** What 2.14 refuses on a table with compression, whoever asks. */
const uncompressed: readonly Case<HypertableInputs>[] = [
    {
        name: "grants on columns, with grant option and by others",
        given: ({ it }) => [
            `GRANT USAGE ON SCHEMA ${it.schema} TO observatory_writer`,
            `GRANT SELECT (cost) ON ${it.table} TO observatory_reader`,
            `GRANT SELECT ON ${it.table} TO observatory_writer WITH GRANT OPTION`,
        ],
        givenByAdmin: ({ it }) => [
            "SET ROLE observatory_writer",
            `GRANT SELECT ON ${it.table} TO PUBLIC`,
            "RESET ROLE",
        ],
        expect: () => [
            "grants.observatory_reader: SELECT (cost) → removed",
            "grants.observatory_writer: SELECT with grant option, and what was granted with it → SELECT",
        ],
        then: async (target, { it }) => {
            expect(
                await target.asAdmin(
                    `SELECT has_table_privilege('public', '${literal(it.table)}', 'SELECT') AS public`,
                ),
            ).toEqual([{ public: false }]);
        },
    },
    {
        name: "nullability changed",
        given: ({ it }) => [`ALTER TABLE ${it.table} ALTER COLUMN ${it.model} SET NOT NULL`],
        expect: ({ names }) => [`columns.${names.model}.nullable: false → true`],
    },
    {
        name: "a type changed",
        given: ({ it }) => [`ALTER TABLE ${it.table} ALTER COLUMN cost TYPE numeric(14,8)`],
        expect: () => [],
        refused: () => ({
            code: "structure_differs",
            detail: "column cost is numeric(14,8), declared is numeric(12, 8)",
        }),
        undo: ({ it }) => [`ALTER TABLE ${it.table} ALTER COLUMN cost TYPE numeric(12,8)`],
    },
    {
        name: "the primary key dropped",
        given: ({ it, names }) => [
            `ALTER TABLE ${it.table} DROP CONSTRAINT ${quoted({ ...names, id: `${names.table}_pkey` }).id}`,
        ],
        expect: ({ names }) => [`primaryKey: none → ${names.time}, ${names.id}`],
    },
    {
        name: "the primary key in another order, and left out",
        given: ({ it, names }) => [
            `ALTER TABLE ${it.table} DROP CONSTRAINT ${quoted({ ...names, id: `${names.table}_pkey` }).id}`,
            `ALTER TABLE ${it.table} ADD PRIMARY KEY (${it.id}, ${it.time})`,
        ],
        desired: ({ primaryKey: _, ...declared }) => declared,
        expect: ({ names }) => [`primaryKey: ${names.id}, ${names.time} → none`],
    },
    {
        name: "a primary key with a new column",
        desired: (declared) => ({
            ...declared,
            columns: [...declared.columns, { name: "region", type: "text", default: "''" }],
            primaryKey: [...declared.primaryKey!, "region"],
        }),
        expect: ({ names }) => [
            "columns.region: none → text",
            `primaryKey: ${names.time}, ${names.id} → ${names.time}, ${names.id}, region`,
        ],
        then: async (target, { it }) => {
            await target.byHand(`ALTER TABLE ${it.table} DROP COLUMN region`);
        },
    },
    {
        name: "a unique index in the place of a declared one",
        given: ({ it }) => [
            `DROP INDEX ${it.schema}.by_tags_2`,
            `CREATE UNIQUE INDEX by_tags_2 ON ${it.table} (tags, ${it.time})`,
        ],
        expect: ({ names }) => [
            `indexes.by_tags_2: unique btree (tags, ${shown(names.time)}) → gin (tags)`,
        ],
    },
    {
        name: "columns more, of every kind of default",
        desired: (declared) => ({
            ...declared,
            columns: [
                ...declared.columns,
                { name: "minus", type: "int", nullable: false, default: "-1" },
                { name: "Fraction", type: "real", default: "1.50" },
                { name: "flag", type: "bool", default: "TRUE" },
                { name: "at", type: "timestamptz", default: "now()" },
                { name: "since", type: "timestamptz", default: "CURRENT_TIMESTAMP" },
                { name: "span", type: "interval", default: "interval '90 minutes'" },
                { name: "doc", type: "jsonb", default: `'{"a": 1}'`, comment: "a document" },
                { name: "list", type: "text[]", default: "ARRAY['a', 'b']" },
                { name: "shout", type: "varchar(10)", default: "upper('x')" },
            ],
        }),
        expect: () => [
            "columns.minus: none → int",
            "columns.Fraction: none → real",
            "columns.flag: none → bool",
            "columns.at: none → timestamptz",
            "columns.since: none → timestamptz",
            "columns.span: none → interval",
            "columns.doc: none → jsonb",
            "columns.doc.comment: none → a document",
            "columns.list: none → text[]",
            "columns.shout: none → varchar(10)",
        ],
        then: async (target, { it }) => {
            for (const column of [
                "minus",
                '"Fraction"',
                "flag",
                "at",
                "since",
                "span",
                "doc",
                "list",
                "shout",
            ]) {
                await target.byHand(`ALTER TABLE ${it.table} DROP COLUMN ${column}`);
            }
        },
    },
];

/** A column as the server shows it in an index. */
function shown(name: string): string {
    return /^[a-z_][a-z0-9_]*$/.test(name) && name !== "select"
        ? name
        : `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
    return text.replaceAll("'", "''");
}

function jobsOf({ schema, elsewhere, table }: Names): string {
    return `SELECT j.id, j.proc_name FROM _timescaledb_config.bgw_job j
            JOIN _timescaledb_catalog.hypertable h ON h.id = j.hypertable_id
            WHERE h.schema_name IN ('${schema}', '${elsewhere}') AND h.table_name IN ('${table}', 'moved', 'mine')
            ORDER BY j.id DESC`;
}

onEveryServer((target) => {
    describe.each(everyNames)("%s", (_, names) => {
        let standing: Declared<HypertableInputs>;
        const it_ = quoted(names);

        beforeAll(async () => {
            if (names.schema !== "public") await target.byHand(`CREATE SCHEMA ${it_.schema}`);
            standing = hypertable(target, rawTable(names));
            await standing.up();
            await expectNoChange(standing);
            await target.byHand(
                `INSERT INTO ${it_.table} (${it_.time}, ${it_.id}) VALUES (now() - interval '3 hours', 'a')`,
            );
        }, 60_000);

        runCases(target, names, [same, ...byHand, ...inTheProgram], {
            object: () => standing,
            jobs: jobsOf(names),
        });

        describe("without compression", () => {
            const plain = { ...names, table: `${names.table} 2` };
            let uncompressedTable: Declared<HypertableInputs>;

            beforeAll(async () => {
                const { compressionPolicy: _, ...inputs } = rawTable(plain);
                uncompressedTable = hypertable(target, {
                    ...inputs,
                    indexes: [{ name: "by_tags_2", columns: ["tags"], method: "gin" }],
                });
                await uncompressedTable.up();
            });

            runCases(target, plain, [same, ...uncompressed], {
                object: () => uncompressedTable,
                jobs: jobsOf(plain),
            });
        });

        it("is taken over without a state when it is the same", async () => {
            await expectNoChange(hypertable(target, standing.inputs));
        });

        it("is taken over when it differs only with adopt", async () => {
            const columns = [...standing.inputs.columns, { name: "more", type: "int" }];
            const differs = { ...standing.inputs, columns };

            await expect(hypertable(target, differs).up()).rejects.toMatchObject({
                code: "exists_and_differs",
                detail: "column more is missing",
            });
            const adopted = hypertable(target, { ...differs, adopt: true });
            await adopted.up();

            await expectNoChange(adopted);
        });

        it.each([
            ["plain table", "TABLE NAME (ts timestamptz)", "TABLE"],
            ["view", "VIEW NAME AS SELECT 1 AS a", "VIEW"],
        ])("does not take the place of a %s", async (kind, text, drop) => {
            const inTheWay = { ...standing.inputs, name: `a ${kind}`, indexes: [] };
            const name = `${it_.schema}."a ${kind}"`;
            await target.byHand(`CREATE ${text.replace("NAME", name)}`);

            await expect(hypertable(target, inTheWay).up()).rejects.toMatchObject({
                code: "another_relation",
                message: expect.stringContaining(`is a ${kind}`) as string,
            });
            await target.byHand(`DROP ${drop} ${name}`);
        });

        it("leaves nothing when a statement in the middle fails", async () => {
            const broken = {
                ...standing.inputs,
                name: "broken",
                indexes: [],
                grants: [{ role: "nobody's", privileges: ["SELECT"] as const }],
            };

            await expect(hypertable(target, broken).up()).rejects.toMatchObject({
                code: "42704",
                statement: "grant",
            });

            expect(
                await target.asAdmin(`SELECT to_regclass('${it_.schema}.broken') AS there`),
            ).toEqual([{ there: null }]);
            const jobs = await target.asAdmin(
                "SELECT FROM _timescaledb_config.bgw_job WHERE application_name ~ 'x' AND hypertable_id NOT IN (SELECT id FROM _timescaledb_catalog.hypertable)",
            );
            expect(jobs).toEqual([]);
        });

        it("is not removed under an aggregate, and is when that is gone", async () => {
            const above = aggregate(target, hourly(names));
            await above.up();
            await target.byHand(
                `CREATE VIEW ${it_.schema}.someones AS SELECT count(*) FROM ${it_.table}`,
            );

            await expect(standing.remove()).rejects.toMatchObject({
                code: "2BP01",
                detail: `continuous aggregate ${displayName({ schema: names.schema, name: names.aggregate })}, view ${displayName({ schema: names.schema, name: "someones" })}`,
            });
            await expectNoChange(above);
            await target.byHand(`DROP VIEW ${it_.schema}.someones`);
            await above.remove();
            await standing.remove();
            await standing.remove();

            expect(
                await target.asAdmin(`SELECT to_regclass('${literal(it_.table)}') AS there`),
            ).toEqual([{ there: null }]);
        });
    });
});
