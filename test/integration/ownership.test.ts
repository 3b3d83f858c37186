/** Objects of another role than the login: declared with `owner`, and put back when they were given away. */
import { withSession } from "../../components/timescale/core/connection/session";
import { aggregate, type Declared, expectNoChange, hypertable, previewOf } from "./declared";
import { everyNames, hourly, quoted, rawTable } from "./names";
import { onEveryServer, type Row } from "./onEveryServer";

onEveryServer((target) => {
    describe.each(everyNames)("%s", (_, names) => {
        const it_ = quoted(names);
        const owner = "observatory_owner";

        /** Runs `work` with declarations that a superuser brings to the database. */
        function asSuperuser(
            work: (
                table: Declared<ReturnType<typeof rawTable>>,
                above: Declared<ReturnType<typeof hourly>>,
            ) => Promise<void>,
        ): Promise<void> {
            return withSession(target.database.admin, (session) =>
                work(
                    hypertable(target, { ...rawTable(names), owner }, session),
                    aggregate(target, { ...hourly(names), owner }, session),
                ),
            );
        }

        /** Owners of everything that was made: relations, chunks and jobs. */
        async function owners(): Promise<Row[]> {
            return target.asAdmin(`
                SELECT DISTINCT pg_get_userbyid(c.relowner) AS owner FROM pg_class c
                JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = '${names.schema.replaceAll("'", "''")}' AND c.relkind IN ('r', 'v', 'i')
                    OR c.relname ~ '^_(hyper|materialized|direct_view|partial_view)'
                UNION SELECT pg_get_userbyid(owner::oid) FROM _timescaledb_config.bgw_job WHERE id >= 1000`);
        }

        beforeAll(async () => {
            if (names.schema !== "public") await target.byHand(`CREATE SCHEMA ${it_.schema}`);
        });

        it("are made, filled and removed for that role", async () => {
            await asSuperuser(async (table, above) => {
                await table.up();
                await target.byHand(
                    `INSERT INTO ${it_.table} (${it_.time}, ${it_.id}) VALUES (now() - interval '30 hours', 'a')`,
                );
                await above.up();

                expect(await owners()).toEqual([{ owner }]);
                expect(await target.byHand(`SELECT requests FROM ${it_.aggregate}`)).toEqual([
                    { requests: "1" },
                ]);
                await expectNoChange(table);
                await expectNoChange(above);

                await above.remove();
                await table.remove();
                expect(await target.asAdmin(`SELECT to_regclass('${it_.table.replaceAll("'", "''")}') AS there`)).toEqual([{ there: null }]); // prettier-ignore
            });
        });

        it("come back from another role, with new jobs where the old ones cannot follow", async () => {
            await asSuperuser(async (table, above) => {
                await table.up();
                await above.up();
                await target.asAdmin(`ALTER TABLE ${it_.table} OWNER TO observatory_writer`);
                await target.asAdmin(
                    `ALTER MATERIALIZED VIEW ${it_.aggregate} OWNER TO observatory_writer`,
                );

                const lines = previewOf((await above.plan()).plan);
                expect(lines).toContain("owner: observatory_writer → observatory_owner");
                expect((await table.preview())[0]).toBe(
                    "owner: observatory_writer → observatory_owner",
                );
                await table.up();
                await above.up();

                expect(await owners()).toEqual([{ owner }]);
                await expectNoChange(table);
                await expectNoChange(above);

                // The jobs alone, as a change of owner leaves them.
                await target.asAdmin(
                    "UPDATE _timescaledb_config.bgw_job SET owner = 'observatory_writer'::regrole WHERE proc_name ~ '^policy_refresh'",
                );
                expect(await above.preview()).toEqual([
                    "refreshPolicy.owner: observatory_writer (job N) → observatory_owner (a new job: startOffset 1 day, endOffset 1 hour, every 5 minutes)",
                ]);
                await above.up();
                expect(await owners()).toEqual([{ owner }]);
                await expectNoChange(above);

                await above.remove();
                await table.remove();
            });
        });

        it("are refused to a login that is no superuser, with the statement that a superuser runs", async () => {
            const table = hypertable(target, rawTable(names));
            await table.up();
            await target.asAdmin(`ALTER TABLE ${it_.table} OWNER TO observatory_writer`);

            await expect(table.up()).rejects.toMatchObject({
                code: "another_owner",
                hint: expect.stringMatching(/^run ALTER TABLE .* OWNER TO "observatory_owner"/) as string, // prettier-ignore
            });

            await target.asAdmin(`ALTER TABLE ${it_.table} OWNER TO observatory_owner`);
            // Who owned it had a grant, which was lost on the way.
            await table.up();
            await expectNoChange(table);
            await table.remove();
        });
    });
});
