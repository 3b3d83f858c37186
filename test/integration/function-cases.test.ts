/** Functions: whatever was changed, by hand or in the program, `up` brings them to the declaration. */
import { randomBytes } from "node:crypto";

import { displayName } from "../../components/timescale/core/identifier";
import { withClient } from "../helpers/clients";
import { type Case, runCases, type Standing } from "./cases";
import {
    type Declared,
    expectNoChange,
    hypertable,
    sqlFunction,
    type SqlFunctionInputs,
} from "./declared";
import { everyNames, type Names, quoted, rawTable } from "./names";
import { onEveryServer } from "./onEveryServer";

const body = (it: Names, interval = "1 hour"): string =>
    `SELECT count(*) FROM ${it.table} WHERE ${it.time} >= since - interval '${interval}' AND ${it.model} = $2`;

/** One of everything. The function has the name that an aggregate has elsewhere. */
function counted(names: Names): SqlFunctionInputs {
    const it = quoted(names);
    return {
        schema: names.schema,
        definition: `-- how many
            create function ${it.aggregate}(since timestamptz, model text DEFAULT 'none') RETURNS bigint
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
            AS $$ ${body(it)} $$;`,
        comment: `counted; it's "quoted"`,
        grants: [{ role: "observatory_reader", privileges: ["EXECUTE"] }],
    };
}

const signature = "(since timestamptz, model text)";
const types = "(timestamp with time zone, text)";

function object({ names }: Pick<Standing, "names">): string {
    return `${displayName({ schema: names.schema, name: names.aggregate })}${types}`;
}

/** The same function with another text in its place. */
function changedBy(from: string | RegExp, to: string) {
    return (declared: SqlFunctionInputs): SqlFunctionInputs => {
        const definition = declared.definition.replace(from, to.replaceAll("$", "$$$$"));
        expect(definition).not.toBe(declared.definition);
        return { ...declared, definition };
    };
}

const same: Case<SqlFunctionInputs> = { name: "no-op", expect: () => [] };
const definition = expect.stringMatching(/^definition: changed/) as string;
const gone = "it stood at the last deployment and is gone: up makes it again";

const byHand: readonly Case<SqlFunctionInputs>[] = [
    {
        name: "replaced with another body",
        given: ({ it }) => [
            `CREATE OR REPLACE FUNCTION ${it.aggregate}(since timestamptz, model text DEFAULT 'none') RETURNS bigint
             LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
             AS $$ ${body(it, "2 hours")} $$`,
        ],
        expect: () => [definition],
    },
    {
        name: "another default",
        given: ({ it }) => [
            `CREATE OR REPLACE FUNCTION ${it.aggregate}(since timestamptz, model text DEFAULT 'other') RETURNS bigint
             LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ ${body(it)} $$`,
        ],
        expect: () => [definition],
    },
    {
        name: "attributes",
        given: ({ it }) => [
            `ALTER FUNCTION ${it.aggregate}${signature} VOLATILE SECURITY INVOKER STRICT PARALLEL SAFE COST 7`,
        ],
        expect: () => [
            "cost: 7 → 100",
            "parallel: safe → unsafe",
            "security: invoker → definer",
            "strict: true → false",
            "volatility: volatile → stable",
        ],
    },
    {
        name: "settings",
        given: ({ it }) => [
            `ALTER FUNCTION ${it.aggregate}${signature} SET work_mem = '64MB'`,
            `ALTER FUNCTION ${it.aggregate}${signature} SET search_path = public`,
        ],
        expect: () => [
            "set.search_path: public → pg_catalog, pg_temp",
            "set.work_mem: 64MB → none",
        ],
    },
    {
        name: "settings taken away",
        given: ({ it }) => [`ALTER FUNCTION ${it.aggregate}${signature} RESET ALL`],
        expect: () => ["set.search_path: none → pg_catalog, pg_temp"],
    },
    {
        name: "renamed",
        given: ({ it }) => [`ALTER FUNCTION ${it.aggregate}${signature} RENAME TO mine`],
        expect: ({ names: { schema, aggregate } }) => [
            `name: ${displayName({ schema, name: "mine" })} → ${displayName({ schema, name: aggregate })}`,
        ],
    },
    {
        name: "moved to another schema",
        given: ({ it }) => [
            `CREATE SCHEMA IF NOT EXISTS ${it.elsewhere}`,
            `ALTER FUNCTION ${it.aggregate}${signature} SET SCHEMA ${it.elsewhere}`,
        ],
        expect: ({ names: { schema, aggregate, elsewhere } }) => [
            `name: ${displayName({ schema: elsewhere, name: aggregate })} → ${displayName({ schema, name: aggregate })}`,
        ],
    },
    {
        name: "dropped",
        given: ({ it }) => [`DROP FUNCTION ${it.aggregate}${signature}`],
        expect: () => [
            "create the function",
            `comment: none → "counted; it's \\"quoted\\""`,
            "grants.observatory_reader: none → EXECUTE",
            "grants.public: EXECUTE → removed",
        ],
        notes: [gone],
    },
    {
        name: "dropped and made again with another result",
        given: ({ it }) => [
            `DROP FUNCTION ${it.aggregate}${signature}`,
            `CREATE FUNCTION ${it.aggregate}(since timestamptz, model text) RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$`,
        ],
        expect: () => [
            definition,
            "security: invoker → definer",
            "set.search_path: none → pg_catalog, pg_temp",
            "volatility: volatile → stable",
            `comment: none → "counted; it's \\"quoted\\""`,
            "grants.observatory_reader: none → EXECUTE",
            "grants.public: EXECUTE → removed",
        ],
    },
    {
        name: "comment and grants",
        given: ({ it }) => [
            `COMMENT ON FUNCTION ${it.aggregate}${signature} IS NULL`,
            `REVOKE ALL ON FUNCTION ${it.aggregate}${signature} FROM observatory_reader`,
            `GRANT EXECUTE ON FUNCTION ${it.aggregate}${signature} TO observatory_writer WITH GRANT OPTION`,
        ],
        expect: () => [
            `comment: none → "counted; it's \\"quoted\\""`,
            "grants.observatory_reader: none → EXECUTE",
            "grants.observatory_writer: EXECUTE with grant option, and what was granted with it → removed",
        ],
    },
    {
        name: "granted to everyone",
        given: ({ it }) => [`GRANT EXECUTE ON FUNCTION ${it.aggregate}${signature} TO PUBLIC`],
        expect: () => ["grants.public: EXECUTE → removed"],
    },
    {
        name: "taken from its owner",
        given: ({ it }) => [
            `REVOKE EXECUTE ON FUNCTION ${it.aggregate}${signature} FROM observatory_owner`,
        ],
        expect: () => ["grants.observatory_owner: none → EXECUTE"],
    },
    {
        name: "the owner",
        givenByAdmin: ({ it }) => [
            `ALTER FUNCTION ${it.aggregate}${signature} OWNER TO observatory_writer`,
        ],
        expect: () => [],
        refused: (standing) => ({
            code: "another_owner",
            message: `${object(standing)} belongs to observatory_writer`,
        }),
        undoByAdmin: ({ it }) => [
            `ALTER FUNCTION ${it.aggregate}${signature} OWNER TO observatory_owner`,
        ],
    },
];

const inTheProgram: readonly Case<SqlFunctionInputs>[] = [
    {
        name: "the body in other words",
        desired: (declared, { it }) => ({
            ...declared,
            definition: declared.definition.replace(
                body(it),
                `/* same */ select COUNT(*)\n  from ${it.table} where ${it.time} >= since - interval '60 minutes'\n  and ${it.model} = $2;`,
            ),
        }),
        expect: () => [],
    },
    {
        name: "the head in other words",
        desired: (declared) => ({
            ...declared,
            definition: declared.definition
                .replace("create function", "CREATE OR REPLACE FUNCTION")
                .replace("text DEFAULT 'none'", "IN varchar = 'none'::text")
                .replace("IN varchar", "text")
                .replace(
                    " STABLE SECURITY DEFINER",
                    " SECURITY DEFINER stable VOLATILE".slice(0, 24),
                ),
        }),
        expect: () => [],
    },
    {
        name: "another literal in the body",
        desired: changedBy("'1 hour'", "'1 HOUR 1 s'"),
        expect: () => [definition],
    },
    {
        name: "attributes and settings",
        desired: changedBy(
            "STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp",
            "VOLATILE PARALLEL SAFE COST 7",
        ),
        expect: () => [
            "cost: 100 → 7",
            "parallel: unsafe → safe",
            "security: definer → invoker",
            "set.search_path: pg_catalog, pg_temp → none",
            "volatility: stable → volatile",
        ],
    },
    {
        name: "another language, in place under a view that calls it",
        given: ({ it }) => [
            `CREATE VIEW ${it.schema}.calls AS SELECT ${it.aggregate}(now(), 'x') AS n`,
        ],
        desired: (declared, { it }) => ({
            ...declared,
            definition: declared.definition
                .replace("LANGUAGE sql", "LANGUAGE plpgsql")
                .replace(body(it), "BEGIN RETURN 1; END"),
        }),
        expect: () => [definition],
        then: async (target, { it }) => {
            expect(await target.byHand(`SELECT n FROM ${it.schema}.calls`)).toEqual([{ n: "1" }]);
            await target.byHand(`DROP VIEW ${it.schema}.calls`);
        },
    },
    {
        name: "a result of another type",
        desired: changedBy("RETURNS bigint", "RETURNS TABLE (n bigint)"),
        expect: () => [definition, "rows: 0 → 1000"],
    },
    {
        name: "an argument of another name, a default less, other grants",
        desired: (declared) => ({
            ...changedBy("model text DEFAULT 'none'", "which text")(declared),
            comment: "other",
            grants: [{ role: "public", privileges: ["EXECUTE"] }],
        }),
        expect: () => [
            definition,
            `comment: "counted; it's \\"quoted\\"" → "other"`,
            "grants.observatory_reader: EXECUTE → removed",
            "grants.public: none → EXECUTE",
        ],
    },
    {
        name: "a result of another type, while others use the function",
        given: ({ it }) => [
            `CREATE VIEW ${it.schema}."calls it" AS SELECT ${it.aggregate}(now(), 'x') AS n`,
            `CREATE FUNCTION ${it.schema}.calls() RETURNS bigint LANGUAGE sql
             BEGIN ATOMIC SELECT ${it.aggregate}(now(), 'x'); END`,
            // Its chunks have the default and the constraint as well.
            `CREATE TABLE ${it.schema}.uses (t timestamptz NOT NULL, n bigint DEFAULT ${it.aggregate}(now(), 'x'),
                 CONSTRAINT checked CHECK (${it.aggregate}(t, 'x') >= 0))`,
            `SELECT create_hypertable('${it.schema.replaceAll("'", "''")}.uses', 't')`,
            `INSERT INTO ${it.schema}.uses (t) VALUES ('2026-01-01'), ('2026-02-01')`,
        ],
        desired: changedBy("RETURNS bigint", "RETURNS numeric"),
        expect: () => [definition],
        refused: (standing) => ({
            code: "dependants",
            message: `function ${object(standing)} would have to be dropped, and others use it`,
            detail: expect.stringMatching(
                /^cannot change return type of existing function; used by default value for .*uses\.n, function .*calls\(\), table constraint checked on .*uses, view .*"calls it"$/,
            ) as string,
        }),
        undo: ({ it }) => [
            `DROP VIEW ${it.schema}."calls it"`,
            `DROP FUNCTION ${it.schema}.calls()`,
            `DROP TABLE ${it.schema}.uses`,
        ],
    },
    {
        name: "arguments of other types",
        desired: changedBy("model text DEFAULT 'none'", 'model varchar, "more " int = 1'),
        expect: (standing) => [
            `signature: ${object(standing)} → ${object(standing).replace("text)", "character varying, integer)")}`,
            "create the function",
            `comment: none → "counted; it's \\"quoted\\""`,
            "grants.observatory_reader: none → EXECUTE",
            "grants.public: EXECUTE → removed",
        ],
        then: async (target, { names }) => {
            expect(await overloads(target.byHand, names)).toBe(1);
        },
    },
    {
        name: "arguments of other types, while others use the old function",
        given: ({ it }) => [
            `CREATE VIEW ${it.schema}.calls AS SELECT ${it.aggregate}(now(), 'x') AS n`,
        ],
        desired: changedBy("model text DEFAULT 'none'", "model varchar"),
        expect: (standing) => [
            `signature: ${object(standing)} → ${object(standing).replace("text)", "character varying)")}`,
            "create the function",
            `comment: none → "counted; it's \\"quoted\\""`,
            "grants.observatory_reader: none → EXECUTE",
            "grants.public: EXECUTE → removed",
        ],
        refused: (standing) => ({
            code: "dependants",
            message: `function ${object(standing)} would have to be dropped, and others use it`,
        }),
        undo: ({ it }) => [`DROP VIEW ${it.schema}.calls`],
    },
    {
        name: "another name, and another body beside",
        desired: (declared, { it }) =>
            changedBy(
                "'1 hour'",
                "'3 hours'",
            )(changedBy(it.aggregate, `${it.schema}."Moved"`)(declared)),
        expect: ({ names: { schema, aggregate } }) => [
            `name: ${displayName({ schema, name: aggregate })} → ${displayName({ schema, name: "Moved" })}`,
            definition,
        ],
    },
    {
        name: "neither comment nor grants",
        desired: ({ comment: _1, grants: _2, ...declared }) => declared,
        expect: () => [
            `comment: "counted; it's \\"quoted\\"" → none`,
            "grants.observatory_reader: EXECUTE → removed",
        ],
    },
];

async function overloads(
    run: (text: string) => Promise<readonly Readonly<Record<string, unknown>>[]>,
    { schema, aggregate }: Names,
): Promise<unknown> {
    const [row] = await run(
        `SELECT count(*)::int AS n FROM pg_proc WHERE pronamespace::regnamespace::text IN ('${schema}', quote_ident('${schema}'))
            AND proname = '${aggregate.replaceAll("'", "''")}'`,
    );
    return row?.["n"];
}

onEveryServer((target) => {
    describe.each(everyNames)("%s", (_, names) => {
        let standing: Declared<SqlFunctionInputs>;
        const it_ = quoted(names);

        beforeAll(async () => {
            if (names.schema !== "public") await target.byHand(`CREATE SCHEMA ${it_.schema}`);
            await hypertable(target, rawTable(names)).up();
            standing = sqlFunction(target, counted(names));
            await standing.up();
            await expectNoChange(standing);
        }, 60_000);

        runCases(target, names, [same, ...byHand, ...inTheProgram], {
            object: () => standing,
            jobs: "SELECT id, proc_name FROM _timescaledb_config.bgw_job WHERE false",
        });

        it("lets a role without rights on the table read it through a SECURITY DEFINER function alone", async () => {
            await target.byHand(
                `INSERT INTO ${it_.table} (${it_.time}, ${it_.id}) VALUES (now(), 'x')`,
            );
            await target.asAdmin(`GRANT USAGE ON SCHEMA ${it_.schema} TO observatory_reader`);
            const call =
                (text: string) => (client: { query(text: string): Promise<{ rows: unknown[] }> }) =>
                    client.query(text).then(
                        ({ rows }) => rows,
                        (error: unknown) => (error as { code: string }).code,
                    );
            const direct = `SELECT FROM ${it_.table}`;
            const through = `SELECT ${it_.aggregate}(now() - interval '1 day') AS n`;
            const { reader, writer } = target.database;

            expect(await withClient(reader, call(direct))).toBe("42501");
            expect(await withClient(reader, call(through))).toEqual([{ n: "1" }]);
            await target.asAdmin(`GRANT USAGE ON SCHEMA ${it_.schema} TO observatory_writer`);
            expect(await withClient(writer, call(through))).toBe("42501");
        });

        it("keeps overloads apart", async () => {
            const other = sqlFunction(target, {
                ...counted(names),
                definition: `CREATE FUNCTION ${it_.aggregate}(n int) RETURNS int LANGUAGE sql AS 'SELECT n'`,
            });
            await other.up();
            await expectNoChange(other);
            await expectNoChange(standing);
            expect(await overloads(target.byHand, names)).toBe(2);

            await other.remove();

            expect(await overloads(target.byHand, names)).toBe(1);
            await expectNoChange(standing);
            await other.remove();
        });

        it("takes over the same function, and another one only with adopt", async () => {
            expect(await sqlFunction(target, counted(names)).preview()).toEqual([]);
            const changed = changedBy("'1 hour'", "'5 hours'")(counted(names));
            const other = sqlFunction(target, changed);

            expect((await other.plan()).exists).toBe(true);
            await expect(other.up()).rejects.toMatchObject({
                code: "exists_and_differs",
                message: `a function ${object({ names })} exists already and differs`,
                detail: expect.stringContaining("5 hours") as string,
                hint: expect.stringContaining("adopt: true") as string,
            });
            await expectNoChange(standing);

            await sqlFunction(target, { ...changed, adopt: true }).up();
            expect(await standing.preview()).toEqual([definition]);
            await standing.up();
        });

        it("touches no aggregate, procedure or function of an extension", async () => {
            await target.byHand(
                `CREATE PROCEDURE ${it_.schema}.taken() LANGUAGE sql AS 'SELECT 1'`,
            );
            for (const adopt of [false, true]) {
                await expect(
                    sqlFunction(target, {
                        schema: names.schema,
                        definition:
                            "CREATE FUNCTION taken() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                        adopt,
                    }).up(),
                ).rejects.toMatchObject({
                    code: "another_function",
                    message: `${displayName({ schema: names.schema, name: "taken" })}() exists already, and is a procedure`,
                });
                await expect(
                    sqlFunction(target, {
                        definition:
                            "CREATE FUNCTION time_bucket(interval, timestamptz) RETURNS timestamptz LANGUAGE sql AS 'SELECT $2'",
                        adopt,
                    }).up(),
                ).rejects.toMatchObject({
                    code: "another_function",
                    message: expect.stringContaining(
                        "is a function of extension timescaledb",
                    ) as string,
                });
            }
            await target.byHand(`DROP PROCEDURE ${it_.schema}.taken()`);
        });

        it("is neither renamed nor dropped while a job runs it, which finds it by name", async () => {
            const act = sqlFunction(target, {
                schema: names.schema,
                definition:
                    "CREATE FUNCTION act(job_id int, config jsonb) RETURNS void LANGUAGE sql AS 'SELECT NULL'",
            });
            await act.up();
            const [job] = await target.byHand(
                `SELECT add_job('${it_.schema.replaceAll("'", "''")}.act'::regproc, '1 day') AS id`,
            );
            const id = String(job?.["id"]);
            const detail = `job ${id} of ${displayName({ schema: names.schema, name: "act" })}`;

            await expect(
                act.up({
                    ...act.inputs,
                    definition: act.inputs.definition.replace("act(", "acted("),
                }),
            ).rejects.toMatchObject({
                code: "dependants",
                detail: expect.stringContaining(detail) as string,
            });
            await expect(act.remove()).rejects.toMatchObject({ code: "2BP01", detail });
            await expect(
                act.up({
                    ...act.inputs,
                    definition: act.inputs.definition.replace("void", "text"),
                }),
            ).rejects.toMatchObject({
                code: "dependants",
                detail: `cannot change return type of existing function; used by ${detail}`,
            });

            await target.byHand(`SELECT delete_job(${id})`);
            await act.remove();
        });

        it("prints a body of BEGIN ATOMIC in the server's own words, and calls itself", async () => {
            const atomic = sqlFunction(target, {
                schema: names.schema,
                definition: `CREATE FUNCTION atomic(x int) RETURNS bigint LANGUAGE sql
                    BEGIN ATOMIC SELECT CASE WHEN x > 0 THEN count(*) ELSE 0 END FROM ${it_.table} WHERE ${it_.value} = x; END`,
            });
            await atomic.up();
            await expectNoChange(atomic);
            const spelt = atomic.inputs.definition.replace("SELECT CASE", "select\n case");
            expect(await atomic.preview({ ...atomic.inputs, definition: spelt })).toEqual([]);
            const changed = atomic.inputs.definition.replace("x > 0", "x > 1");
            expect(await atomic.preview({ ...atomic.inputs, definition: changed })).toEqual([
                definition,
            ]);
            await atomic.remove();
        });

        it("knows SQL that is only spelt otherwise, and a name that lost its schema", async () => {
            const spelt = (text: string) => ({
                schema: names.schema,
                definition: `CREATE FUNCTION spelt(n int) RETURNS bigint LANGUAGE sql AS $_$ ${text} $_$`,
            });
            const one = `SELECT max(${it_.value}) AS m FROM ${it_.table} WHERE ${it_.time} > now() - interval '1 hour' GROUP BY ${it_.model} ORDER BY 1`;
            const declared = sqlFunction(target, spelt(one));
            await declared.up();
            const table = it_.table.slice(it_.schema.length + 1);

            for (const other of [
                one.replace("'1 hour'", "'60 minutes'"),
                one.replace("max(", "pg_catalog.MAX ("),
                one.replace("ORDER BY 1", "ORDER BY m -- the same"),
            ]) {
                const { plan } = await declared.plan(spelt(other));
                // A name that is written with its schema is found by whoever calls.
                expect(plan.statements).toHaveLength(other.includes("pg_catalog") ? 1 : 0);
            }
            expect(await declared.preview(spelt(one.replace(it_.table, table)))).toEqual([
                definition,
            ]);
            await declared.remove();
        });

        it("may read what is made after it", async () => {
            const early = sqlFunction(target, {
                schema: names.schema,
                definition: `CREATE FUNCTION early() RETURNS SETOF not_yet LANGUAGE sql AS 'SELECT * FROM not_yet'`,
            });
            expect(await early.preview()).toEqual([
                "create the function",
                "grants.public: EXECUTE → removed",
            ]);
            await target.byHand(`CREATE TABLE ${it_.schema}.not_yet (mine int)`);
            await early.up();
            await expectNoChange(early);
            await early.remove();
            await target.byHand(`DROP TABLE ${it_.schema}.not_yet`);
        });

        it("names what calls it, drops nothing then, and is gone where it stood under another name", async () => {
            await target.byHand(
                `CREATE VIEW ${it_.schema}.calls AS SELECT ${it_.aggregate}(now()) AS n`,
            );
            await expect(standing.remove()).rejects.toMatchObject({
                code: "2BP01",
                message: `function ${object({ names })} is used by others and was not dropped`,
                detail: `view ${displayName({ schema: names.schema, name: "calls" })}`,
            });
            await target.byHand(`DROP VIEW ${it_.schema}.calls`);
            await target.byHand(`ALTER FUNCTION ${it_.aggregate}${signature} RENAME TO mine`);

            await standing.remove();

            expect(
                await target.byHand(`SELECT FROM pg_proc WHERE proname = 'mine' AND pronargs = 2`),
            ).toEqual([]);
            await standing.remove();
            await standing.up();
        });

        it("belongs to its declared owner, and is put back there by a member of both roles", async () => {
            const owner = `function_owner_${randomBytes(6).toString("hex")}`;
            await target.asAdmin(`CREATE ROLE ${owner}`);
            await target.asAdmin(`GRANT ${owner} TO observatory_owner`);
            await target.asAdmin(`GRANT USAGE, CREATE ON SCHEMA ${it_.schema} TO ${owner}`);
            const declared = sqlFunction(target, {
                schema: names.schema,
                definition: "CREATE FUNCTION owned() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                owner,
            });
            await declared.up();
            await target.byHand(`ALTER FUNCTION ${it_.schema}.owned() OWNER TO observatory_owner`);

            expect(await declared.preview()).toEqual([`owner: observatory_owner → ${owner}`]);
            await declared.up();

            await expectNoChange(declared);
            await declared.remove();
            await target.asAdmin(`DROP OWNED BY ${owner}`);
            await target.asAdmin(`DROP ROLE ${owner}`);
        });

        it("leaves nothing when a statement in the middle fails", async () => {
            const before = await overloads(target.byHand, { ...names, aggregate: "half" });
            const declared = sqlFunction(target, {
                schema: names.schema,
                definition: "CREATE FUNCTION half() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                grants: [{ role: "nobody's", privileges: ["EXECUTE"] }],
            });

            await expect(declared.up()).rejects.toMatchObject({ statement: "grant" });
            expect(await overloads(target.byHand, { ...names, aggregate: "half" })).toBe(before);
        });
    });
});
