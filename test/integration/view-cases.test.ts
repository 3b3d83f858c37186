/** Views: whatever was changed, by hand or in the program, `up` brings them to the declaration. */
import { randomBytes } from "node:crypto";

import { displayName } from "../../components/timescale/core/identifier";
import { type Case, runCases, type Standing } from "./cases";
import {
    type Declared,
    expectNoChange,
    hypertable,
    previewOf,
    view,
    type ViewInputs,
} from "./declared";
import { everyNames, type Names, quoted, rawTable } from "./names";
import { onEveryServer } from "./onEveryServer";

/** One of everything. The view has the name that an aggregate has elsewhere. */
function latest(names: Names): ViewInputs {
    const it = quoted(names);
    return {
        schema: names.schema,
        name: names.aggregate,
        query: `SELECT ${it.model}, count(*) AS requests, max(${it.time}) - interval '1 hour' AS seen
                FROM ${it.table} GROUP BY 1`,
        comment: `latest; it's "quoted"`,
        grants: [{ role: "observatory_reader", privileges: ["SELECT"] }],
        securityBarrier: true,
    };
}

const same: Case<ViewInputs> = { name: "no-op", expect: () => [] };

/** The object's name for people. */
function object({ names }: Standing): string {
    return displayName({ schema: names.schema, name: names.aggregate });
}

const byHand: readonly Case<ViewInputs>[] = [
    {
        name: "replaced with another condition",
        given: ({ it }) => [
            `CREATE OR REPLACE VIEW ${it.aggregate} WITH (security_barrier) AS
             SELECT ${it.model}, count(*) AS requests, max(${it.time}) - interval '2 hours' AS seen
             FROM ${it.table} GROUP BY 1`,
        ],
        expect: () => [expect.stringMatching(/^query: changed/)],
    },
    {
        name: "replaced with one column more",
        given: ({ it }) => [
            `CREATE OR REPLACE VIEW ${it.aggregate} WITH (security_barrier) AS
             SELECT ${it.model}, count(*) AS requests, max(${it.time}) - interval '1 hour' AS seen, 1 AS mine
             FROM ${it.table} GROUP BY 1`,
        ],
        expect: () => [expect.stringMatching(/^query: changed/)],
    },
    {
        name: "a column renamed",
        given: ({ it }) => [`ALTER VIEW ${it.aggregate} RENAME COLUMN requests TO mine`],
        expect: () => ["columns.mine: mine → requests"],
    },
    {
        name: "columns that took each other's names",
        given: ({ it }) => [
            `ALTER VIEW ${it.aggregate} RENAME COLUMN requests TO between`,
            `ALTER VIEW ${it.aggregate} RENAME COLUMN seen TO requests`,
            `ALTER VIEW ${it.aggregate} RENAME COLUMN between TO seen`,
        ],
        expect: () => ["columns.seen: seen → requests", "columns.requests: requests → seen"],
    },
    {
        name: "renamed",
        given: ({ it }) => [`ALTER VIEW ${it.aggregate} RENAME TO mine`],
        expect: (standing) => [
            `name: ${displayName({ schema: standing.names.schema, name: "mine" })} → ${object(standing)}`,
        ],
    },
    {
        name: "moved to another schema",
        given: ({ it }) => [
            `CREATE SCHEMA IF NOT EXISTS ${it.elsewhere}`,
            `ALTER VIEW ${it.aggregate} SET SCHEMA ${it.elsewhere}`,
        ],
        expect: (standing) => {
            const { elsewhere, aggregate } = standing.names;
            return [
                `name: ${displayName({ schema: elsewhere, name: aggregate })} → ${object(standing)}`,
            ];
        },
    },
    {
        name: "dropped",
        given: ({ it }) => [`DROP VIEW ${it.aggregate}`],
        expect: () => [
            "create the view",
            `comment: none → "latest; it's \\"quoted\\""`,
            "grants.observatory_reader: none → SELECT",
        ],
        notes: ["it stood at the last deployment and is gone: up makes it again"],
    },
    {
        name: "dropped and made again with other columns",
        given: ({ it }) => [
            `DROP VIEW ${it.aggregate}`,
            `CREATE VIEW ${it.aggregate} AS SELECT 1 AS one`,
        ],
        expect: () => [
            expect.stringMatching(/^query: changed/),
            "securityBarrier: false → true",
            `comment: none → "latest; it's \\"quoted\\""`,
            "grants.observatory_reader: none → SELECT",
        ],
    },
    {
        name: "comment and grants",
        given: ({ it }) => [
            `COMMENT ON VIEW ${it.aggregate} IS 'mine'`,
            `REVOKE SELECT ON ${it.aggregate} FROM observatory_reader`,
            `GRANT SELECT, INSERT ON ${it.aggregate} TO observatory_writer WITH GRANT OPTION`,
            `GRANT SELECT ON ${it.aggregate} TO PUBLIC`,
            `GRANT SELECT (requests) ON ${it.aggregate} TO observatory_reader`,
        ],
        expect: () => [
            `comment: "mine" → "latest; it's \\"quoted\\""`,
            "grants.observatory_reader: none → SELECT",
            "grants.observatory_reader: SELECT (requests) → removed",
            "grants.observatory_writer: INSERT with grant option, and what was granted with it → removed",
            "grants.observatory_writer: SELECT with grant option, and what was granted with it → removed",
            "grants.public: SELECT → removed",
        ],
    },
    {
        name: "the right to pass a declared privilege on",
        given: ({ it }) => [
            `GRANT SELECT ON ${it.aggregate} TO observatory_reader WITH GRANT OPTION`,
        ],
        expect: () => [
            "grants.observatory_reader: SELECT with grant option, and what was granted with it → SELECT",
        ],
    },
    {
        name: "options",
        given: ({ it }) => [
            `ALTER VIEW ${it.aggregate} SET (security_invoker = on)`,
            `ALTER VIEW ${it.aggregate} RESET (security_barrier)`,
        ],
        expect: () => ["securityBarrier: false → true", "securityInvoker: true → false"],
    },
    {
        name: "the owner",
        givenByAdmin: ({ it }) => [`ALTER VIEW ${it.aggregate} OWNER TO observatory_writer`],
        expect: () => [],
        refused: (standing) => ({
            code: "another_owner",
            message: `${object(standing)} belongs to observatory_writer`,
        }),
        undoByAdmin: ({ it }) => [
            `ALTER VIEW ${it.aggregate} OWNER TO observatory_owner`,
            `REVOKE ALL ON ${it.aggregate} FROM observatory_writer`,
        ],
    },
];

const inTheProgram: readonly Case<ViewInputs>[] = [
    {
        name: "the query in other words",
        desired: (declared) => ({
            ...declared,
            query: `/* same */ ${declared.query.toLowerCase().includes('"') ? declared.query : declared.query.toLowerCase()} ;`.replace(
                "'1 hour'",
                "'60 minutes'",
            ),
        }),
        expect: () => [],
    },
    {
        name: "a column more at the end, in place under a view that reads it",
        given: ({ it }) => [`CREATE VIEW ${it.schema}.reads AS SELECT seen FROM ${it.aggregate}`],
        desired: (declared) => ({
            ...declared,
            query: declared.query.replace(" AS seen", " AS seen, 1 AS more"),
        }),
        expect: () => [expect.stringMatching(/^query: changed/)],
        then: async (target, { it }) => {
            await target.byHand(`DROP VIEW ${it.schema}.reads`);
        },
    },
    {
        name: "columns of other names, in place under a view that reads them",
        given: ({ it }) => [`CREATE VIEW ${it.schema}.reads AS SELECT seen FROM ${it.aggregate}`],
        desired: (declared) => ({
            ...declared,
            query: declared.query.replace(" AS seen", ` AS "Seen it"`),
        }),
        expect: () => ["columns.seen: seen → Seen it"],
        then: async (target, { it }) => {
            await target.byHand(`DROP VIEW ${it.schema}.reads`);
        },
    },
    {
        name: "a column less",
        desired: (declared) => ({
            ...declared,
            query: declared.query.replace("count(*) AS requests, ", ""),
        }),
        expect: () => [expect.stringMatching(/^query: changed/)],
    },
    {
        name: "a column of another collation",
        desired: (declared, { it }) => ({
            ...declared,
            query: declared.query
                .replace(it.model, `${it.model} COLLATE "C" AS ${it.model}`)
                .replace("GROUP BY 1", `GROUP BY ${it.table}.${it.model}`),
        }),
        expect: () => [expect.stringMatching(/^query: changed/)],
    },
    {
        name: "a column of another type, and other grants",
        desired: (declared) => ({
            ...declared,
            query: declared.query.replace("count(*)", "count(*)::text"),
            comment: "other",
            grants: [{ role: "public", privileges: ["SELECT"] }],
            securityBarrier: false,
            securityInvoker: true,
        }),
        expect: () => [
            expect.stringMatching(/^query: changed/),
            "securityBarrier: true → false",
            "securityInvoker: false → true",
            `comment: "latest; it's \\"quoted\\"" → "other"`,
            "grants.observatory_reader: SELECT → removed",
            "grants.public: none → SELECT",
        ],
    },
    {
        name: "a column less, while others use the view",
        given: ({ it }) => [
            `CREATE VIEW ${it.schema}."reads it" AS SELECT seen FROM ${it.aggregate}`,
            `CREATE FUNCTION ${it.schema}.reads() RETURNS bigint LANGUAGE sql
             BEGIN ATOMIC SELECT requests FROM ${it.aggregate}; END`,
        ],
        desired: (declared) => ({
            ...declared,
            query: declared.query.replace("count(*) AS requests, ", ""),
        }),
        expect: () => [expect.stringMatching(/^query: changed/)],
        refused: (standing) => ({
            code: "dependants",
            message: `view ${object(standing)} would have to be dropped, and others use it`,
            detail: expect.stringMatching(
                /column requests bigint vanishes\nused by function .*reads\(\), view .*"reads it"$/,
            ) as string,
        }),
        undo: ({ it }) => [
            `DROP VIEW ${it.schema}."reads it"`,
            `DROP FUNCTION ${it.schema}.reads()`,
        ],
    },
    {
        name: "a column less, while a trigger and a column's comment stand on the view",
        given: ({ it }) => [
            `CREATE FUNCTION ${it.schema}.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
            `CREATE TRIGGER mine INSTEAD OF INSERT ON ${it.aggregate} FOR EACH ROW EXECUTE FUNCTION ${it.schema}.nothing()`,
            `COMMENT ON COLUMN ${it.aggregate}.seen IS 'mine'`,
        ],
        desired: (declared) => ({
            ...declared,
            query: declared.query.replace("count(*) AS requests, ", ""),
        }),
        expect: () => [expect.stringMatching(/^query: changed/)],
        refused: () => ({
            code: "attached",
            detail: expect.stringMatching(/lost: trigger mine, comment of column seen$/) as string,
        }),
        undo: ({ it }) => [
            `DROP TRIGGER mine ON ${it.aggregate}`,
            `DROP FUNCTION ${it.schema}.nothing()`,
            `COMMENT ON COLUMN ${it.aggregate}.seen IS NULL`,
        ],
    },
    {
        name: "another name and schema, and another query beside",
        given: ({ it }) => [`CREATE SCHEMA IF NOT EXISTS ${it.elsewhere}`],
        desired: (declared, { names }) => ({
            ...declared,
            schema: names.elsewhere,
            name: "moved",
            query: declared.query
                .replace("'1 hour'", "'3 hours'")
                .replace(/FROM \S+.*(?= GROUP)/, `FROM ${quoted(names).table}`),
        }),
        expect: (standing) => [
            `name: ${object(standing)} → ${displayName({ schema: standing.names.elsewhere, name: "moved" })}`,
            expect.stringMatching(/^query: changed/),
        ],
    },
    {
        name: "neither comment, grants nor options",
        desired: ({ comment: _1, grants: _2, securityBarrier: _3, ...declared }) => declared,
        expect: () => [
            "securityBarrier: true → false",
            `comment: "latest; it's \\"quoted\\"" → none`,
            "grants.observatory_reader: SELECT → removed",
        ],
    },
];

onEveryServer((target) => {
    describe.each(everyNames)("%s", (_, names) => {
        let standing: Declared<ViewInputs>;
        const it_ = quoted(names);
        const name = displayName({ schema: names.schema, name: names.aggregate });

        beforeAll(async () => {
            if (names.schema !== "public") await target.byHand(`CREATE SCHEMA ${it_.schema}`);
            await hypertable(target, rawTable(names)).up();
            standing = view(target, latest(names));
            await standing.up();
            await expectNoChange(standing);
        }, 60_000);

        runCases(target, names, [same, ...byHand, ...inTheProgram], {
            object: () => standing,
            jobs: "SELECT id, proc_name FROM _timescaledb_config.bgw_job WHERE false",
        });

        it("keeps its number, and what reads it, when it is replaced", async () => {
            const oid = async (): Promise<unknown> =>
                target.byHand(
                    `SELECT '${it_.aggregate.replaceAll("'", "''")}'::regclass::oid AS oid`,
                );
            const before = await oid();
            await standing.up({
                ...standing.inputs,
                query: standing.inputs.query.replace("'1 hour'", "'2 hours'"),
            });
            expect(await oid()).toEqual(before);
            await standing.up();
        });

        it("touches no table, materialized view or continuous aggregate of its name", async () => {
            const others: readonly (readonly [string, string, string])[] = [
                [`CREATE TABLE ${it_.schema}.taken (mine int)`, "plain table", "TABLE"],
                [
                    `CREATE MATERIALIZED VIEW ${it_.schema}.taken AS SELECT 1 AS mine`,
                    "materialized view",
                    "MATERIALIZED VIEW",
                ],
                [
                    `CREATE MATERIALIZED VIEW ${it_.schema}.taken WITH (timescaledb.continuous) AS
                     SELECT time_bucket('1 hour', ${it_.time}) AS bucket, count(*) FROM ${it_.table} GROUP BY 1 WITH NO DATA`,
                    "continuous aggregate",
                    "MATERIALIZED VIEW",
                ],
            ];
            for (const [create, what, kind] of others) {
                await target.byHand(create);
                for (const adopt of [false, true]) {
                    const declared = view(target, { ...latest(names), name: "taken", adopt });
                    expect((await declared.plan()).exists).toBe(false);
                    await expect(declared.up()).rejects.toMatchObject({
                        code: "another_relation",
                        message: `${displayName({ schema: names.schema, name: "taken" })} exists already, and is a ${what}`,
                    });
                    await declared.remove();
                }
                await target.byHand(`DROP ${kind} ${it_.schema}.taken`);
            }
        });

        it("takes over the same view, and another one only with adopt", async () => {
            const again = view(target, latest(names));
            expect(await again.preview()).toEqual([]);
            const query = "SELECT 1 AS other";
            const other = view(target, { ...latest(names), query });

            expect((await other.plan()).exists).toBe(true);
            expect(await other.preview()).toEqual([expect.stringMatching(/^query: changed/)]);
            await expect(other.up()).rejects.toMatchObject({
                code: "exists_and_differs",
                message: `a view ${name} exists already and differs`,
                hint: expect.stringContaining("adopt: true") as string,
            });
            await expectNoChange(standing);

            await view(target, { ...latest(names), query, adopt: true }).up();
            expect(await target.byHand(`SELECT * FROM ${it_.aggregate}`)).toEqual([{ other: 1 }]);
            await standing.up();
            await expectNoChange(standing);
        });

        it("stops where another view took its name while it stands elsewhere", async () => {
            await target.byHand(`ALTER VIEW ${it_.aggregate} RENAME TO mine`);
            await target.byHand(`CREATE VIEW ${it_.aggregate} AS SELECT 1 AS theirs`);

            await expect(standing.up()).rejects.toMatchObject({
                code: "another_relation",
                detail: expect.stringContaining(
                    `the view itself stands as ${displayName({ schema: names.schema, name: "mine" })} now`,
                ) as string,
            });

            await target.byHand(`DROP VIEW ${it_.aggregate}`);
            await standing.up();
            await expectNoChange(standing);
        });

        it("names what reads it, drops nothing then, and is gone where it stood under another name", async () => {
            await target.byHand(
                `CREATE VIEW ${it_.schema}.reads AS SELECT seen FROM ${it_.aggregate}`,
            );
            await expect(standing.remove()).rejects.toMatchObject({
                code: "2BP01",
                message: `view ${name} is used by others and was not dropped`,
                detail: `view ${displayName({ schema: names.schema, name: "reads" })}`,
            });
            await target.byHand(`DROP VIEW ${it_.schema}.reads`);
            await target.byHand(`ALTER VIEW ${it_.aggregate} RENAME TO mine`);

            await standing.remove();

            expect(
                await target.byHand(`SELECT to_regclass('${it_.schema}.mine') AS there`),
            ).toEqual([{ there: null }]);
            await standing.remove();
            await standing.up();
        });

        it("leaves nothing when a statement in the middle fails", async () => {
            const grants = [{ role: "nobody's", privileges: ["SELECT"] as const }];
            const declared = view(target, { ...latest(names), name: "half", grants });

            await expect(declared.up()).rejects.toMatchObject({
                code: "42704",
                statement: "grant",
            });
            expect(
                await target.byHand(`SELECT to_regclass('${it_.schema}.half') AS there`),
            ).toEqual([{ there: null }]);
        });

        it("revokes what default privileges give to a new view", async () => {
            await target.byHand(
                "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO observatory_writer",
            );
            const declared = view(target, { ...latest(names), name: "fresh" });
            await declared.up();
            await target.byHand(
                "ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM observatory_writer",
            );

            await expectNoChange(declared);
            await declared.remove();
        });

        it("belongs to its declared owner, and is put back there by a member of both roles", async () => {
            const owner = `view_owner_${randomBytes(6).toString("hex")}`;
            await target.asAdmin(`CREATE ROLE ${owner}`);
            await target.asAdmin(`GRANT ${owner} TO observatory_owner`);
            await target.asAdmin(`GRANT USAGE, CREATE ON SCHEMA ${it_.schema} TO ${owner}`);
            await target.asAdmin(`GRANT SELECT ON ${it_.table} TO ${owner}`);
            const declared = view(target, { ...latest(names), name: "owned", owner });
            await declared.up();
            await target.byHand(`ALTER VIEW ${it_.schema}.owned OWNER TO observatory_owner`);

            expect(await declared.preview()).toEqual([`owner: observatory_owner → ${owner}`]);
            await declared.up();

            await expectNoChange(declared);
            await declared.remove();
            await target.asAdmin(`DROP OWNED BY ${owner}`);
            await target.asAdmin(`DROP ROLE ${owner}`);
        });

        it("says all that it will do in the words of the preview", async () => {
            const { plan } = await view(target, { ...latest(names), name: "new" }).plan();
            expect(previewOf(plan)[0]).toBe("create the view");
            expect(plan.statements.map((one) => one.name)).toEqual([
                "create_view",
                "comment",
                "grant",
            ]);
        });
    });
});
