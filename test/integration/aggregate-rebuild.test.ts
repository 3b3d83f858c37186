/** A changed query with `onQueryChange: "rebuild"`: dropped and filled again, where no history is lost that was not given up. */
import { displayName } from "../../components/timescale/core/identifier";
import { aggregate, type AggregateInputs, type Declared, expectNoChange, hypertable } from "./declared"; // prettier-ignore
import { everyNames, hourly, quoted, rawTable } from "./names";
import { onEveryServer, type Row } from "./onEveryServer";

onEveryServer((target) => {
    describe.each(everyNames)("%s", (_, names) => {
        const it_ = quoted(names);
        const object = displayName({ schema: names.schema, name: names.aggregate });
        const rebuilt = (inputs: AggregateInputs): AggregateInputs => ({
            ...inputs,
            query: inputs.query.replace(`sum(${it_.value})`, `max(${it_.value})`),
            onQueryChange: "rebuild",
        });
        const contents = (): Promise<Row[]> =>
            target.byHand(`SELECT x::text FROM ${it_.aggregate} x ORDER BY 1`);
        let standing: Declared<AggregateInputs>;

        beforeAll(async () => {
            if (names.schema !== "public") await target.byHand(`CREATE SCHEMA ${it_.schema}`);
            const { retentionPolicy: _r, compressionPolicy: _c, ...unlimited } = rawTable(names);
            await hypertable(target, unlimited).up();
        }, 60_000);

        beforeEach(async () => {
            await target.byHand(
                `INSERT INTO ${it_.table} (${it_.time}, ${it_.id}, ${it_.value})
                 SELECT t, id, 7 FROM generate_series(now() - interval '12 days', now(), interval '2 hours') t,
                     (VALUES ('x'), ('y')) ids (id)`,
            );
            standing = aggregate(target, hourly(names));
            await standing.up();
        });

        afterEach(async () => {
            await target.byHand(`DROP MATERIALIZED VIEW IF EXISTS ${it_.aggregate}`);
            await target.byHand(`DELETE FROM ${it_.table}`);
        });

        it("is made again with all that belongs to it, and filled, while raw data covers everything", async () => {
            const desired = rebuilt(standing.inputs);
            const before = await contents();

            const preview = await standing.preview(desired);
            await standing.up(desired);

            expect(preview).toEqual([
                "query: changed",
                "drop it and create it again, with new jobs, and fill it from raw data",
            ]);
            await expectNoChange(standing, desired);
            const after = await contents();
            expect(after).toHaveLength(before.length);
            expect(
                await target.byHand(`SELECT DISTINCT total FROM ${it_.aggregate} WHERE bucket < now() - interval '2 hours'`), // prettier-ignore
            ).toEqual([{ total: 7 }]);
        });

        it("is refused while it holds history that raw data lost, with the rows; and done once they are given up", async () => {
            await target.byHand(
                `SELECT drop_chunks('${it_.table.replaceAll("'", "''")}', older_than => interval '6 days')`,
            );
            const desired = rebuilt(standing.inputs);
            const before = await contents();

            const error = await standing.up(desired).then(
                () => undefined,
                (thrown: unknown) => thrown as { readonly detail: string; readonly hint: string },
            );

            const rows = Number(/exist only in this aggregate, (\d+) rows from /.exec(error?.detail ?? "")?.[1]); // prettier-ignore
            expect(rows).toBeGreaterThan(20);
            expect(error).toMatchObject({
                code: "query_changed",
                message: `the query of continuous aggregate ${object} has changed`,
                hint: expect.stringContaining(`acceptLoss: { upToRows: ${rows} }`) as string,
            });
            expect(await contents()).toEqual(before);
            await expectNoChange(standing);

            const given = { ...desired, acceptLoss: { upToRows: rows } };
            expect(await standing.preview(given)).toEqual([
                "query: changed",
                expect.stringMatching(
                    `lost with it, as acceptLoss allows: \\d+ days of hourly history exist only in this aggregate, ${rows} rows from`,
                ),
            ]);
            await standing.up(given);
            await expectNoChange(standing, given);
            expect((await contents()).length).toBeLessThanOrEqual(before.length - rows);
        });

        it("is refused by the database itself when raw data is dropped after the plan was made", async () => {
            const desired = rebuilt(standing.inputs);
            const { plan } = await standing.plan(desired);
            const guard = plan.statements.find(({ name }) => name === "check_history");
            await target.byHand(
                `SELECT drop_chunks('${it_.table.replaceAll("'", "''")}', older_than => interval '6 days')`,
            );

            await expect(target.byHand(guard?.sql ?? "")).rejects.toMatchObject({
                message: expect.stringMatching(/^\d+ rows of history would be lost/) as string,
                hint: expect.stringContaining("run preview again") as string,
            });
        });

        it("is refused while others read it, who are named", async () => {
            await target.byHand(
                `CREATE VIEW ${it_.schema}.reads AS SELECT bucket FROM ${it_.aggregate}`,
            );

            await expect(standing.up(rebuilt(standing.inputs))).rejects.toMatchObject({
                code: "query_changed",
                detail: expect.stringContaining(
                    `it is read by view ${displayName({ schema: names.schema, name: "reads" })}`,
                ) as string,
            });

            await target.byHand(`DROP VIEW ${it_.schema}.reads`);
            await expectNoChange(standing);
        });

        it("is not begun with a query that the server would refuse", async () => {
            const broken = {
                ...standing.inputs,
                query: standing.inputs.query.replace(
                    `sum(${it_.value})`,
                    `sum(extract(hour FROM ${it_.time})::int)`,
                ),
                onQueryChange: "rebuild" as const,
            };

            await expect(standing.up(broken)).rejects.toMatchObject({ code: "mutable_functions" });

            await expectNoChange(standing);
        });

        it("takes over an aggregate with another query, once that is said", async () => {
            const desired = { ...rebuilt(hourly(names)), adopt: true };
            const adopted = aggregate(target, desired);

            await adopted.up();

            await expectNoChange(adopted);
        });
    });
});
