/** The numbers that hazards are told with, against what is there. */
import { displayName } from "../../components/timescale/core/identifier";
import type { Hazard } from "../../components/timescale/core/plan/plan";
import type { HypertableProperties } from "../../components/timescale/hypertable";
import { aggregate, type Declared, expectNoChange, hypertable } from "./declared";
import { everyNames, hourly, quoted, rawTable } from "./names";
import { onEveryServer } from "./onEveryServer";

onEveryServer((target) => {
    describe.each(everyNames)("%s", (_, names) => {
        const it_ = quoted(names);
        const table = displayName({ schema: names.schema, name: names.table });
        const literal = (name: string): string => `'${name.replaceAll("'", "''")}'`;
        const { retentionPolicy: _r, compressionPolicy: _c, ...plain } = rawTable(names);
        const raw = hypertable(target, plain);
        const summary = aggregate(target, hourly(names));

        beforeAll(async () => {
            if (names.schema !== "public") await target.byHand(`CREATE SCHEMA ${it_.schema}`);
            await raw.up();
            await target.byHand(
                `INSERT INTO ${it_.table} (${it_.time}, ${it_.id}, ${it_.value})
                 SELECT t, 'x', 7 FROM generate_series(now() - interval '12 days', now(), interval '1 hour') t`,
            );
            await summary.up();
            await target.asAdmin(`ANALYZE ${it_.table}`);
        }, 60_000);

        async function hazards<Inputs extends object>(
            object: Declared<Inputs>,
            change: Partial<Inputs>,
        ): Promise<readonly Hazard[]> {
            const { plan } = await object.plan({ ...object.inputs, ...change });
            return plan.hazards ?? [];
        }

        const chunks = async (where = "true"): Promise<Record<string, unknown>> => {
            const [row] = await target.byHand(
                `SELECT count(*)::int AS n, min(range_start)::text AS oldest, max(range_end)::text AS newest
                 FROM timescaledb_information.chunks
                 WHERE hypertable_schema = '${names.schema}' AND hypertable_name = ${literal(names.table)} AND ${where}`,
            );
            return row ?? {};
        };

        it("are the rows and range of a column that is dropped, and the indexes that go with it", async () => {
            const { n, oldest, newest } = await chunks();
            const columns = plain.columns.filter(({ name }) => name !== names.model);
            const found = await hazards(raw, { columns, indexes: [], dropColumns: [names.model] });

            expect(found).toEqual([
                {
                    name: "LOSES_DATA",
                    message: expect.stringMatching(
                        new RegExp(`is dropped with the values that it has: ${String(n)} chunks, about 289 rows, \\d+ kB, from `),
                    ) as string,
                    stake: { rows: 289, oldest, newest, estimated: true },
                },
                {
                    name: "DROPS_DEPENDANT",
                    message: `with column ${names.model} goes index by_model`,
                },
            ]);
        }); // prettier-ignore

        it("are how much is read while everybody waits", async () => {
            const { n } = await chunks();
            const columns: HypertableProperties["columns"] = plain.columns.map((column) =>
                column.name === names.value ? { ...column, nullable: false } : column,
            );
            const [writes, reads, ...others] = await hazards(raw, { columns });

            expect(others).toEqual([]);
            expect(writes?.name).toBe("BLOCKS_WRITES");
            expect(writes?.message).toContain(`column ${names.value} is searched for NULL`);
            expect(writes?.message).toContain(`in all of it: ${String(n)} chunks, about 289 rows, `);
            expect(reads).toEqual({ name: "BLOCKS_READS", message: `readers of ${table} wait as long` });
        }); // prettier-ignore

        it("tell a default that rewrites every row from one that does not", async () => {
            const adding = (text: string): Promise<readonly Hazard[]> =>
                hazards(raw, { columns: [...plain.columns, { name: "extra", type: "text", default: text }] }); // prettier-ignore

            expect((await adding("gen_random_uuid()::text")).map(({ name }) => name)).toEqual([
                "BLOCKS_WRITES",
                "BLOCKS_READS",
            ]);
            expect(await adding("upper('x')")).toEqual([]);
        });

        it("are the chunks that a new retention drops", async () => {
            const { n, oldest, newest } = await chunks("range_end <= now() - interval '5 days'");
            expect(Number(n)).toBeGreaterThan(5);

            expect(await hazards(raw, { retentionPolicy: { dropAfter: "5 days" } })).toEqual([
                {
                    name: "LOSES_DATA",
                    message: expect.stringMatching(
                        `^the job of retentionPolicy drops what is older than 5 days at its next run: ${String(n)} chunks, about `,
                    ) as string,
                    stake: { rows: expect.any(Number) as number, oldest, newest, estimated: true },
                },
            ]);
            expect(await hazards(raw, { retentionPolicy: { dropAfter: "5 years" } })).toEqual([]);
        });

        it("do not guess rows that the server has no statistics of", async () => {
            const other = hypertable(target, { ...plain, name: "never analysed", indexes: [] });
            await other.up();
            await target.byHand(
                `INSERT INTO ${it_.schema}."never analysed" (${it_.time}, ${it_.id}) VALUES (now(), 'x')`,
            );
            const [found] = await hazards(other, { columns: plain.columns.slice(0, -1), dropColumns: ["tags"] }); // prettier-ignore

            expect(found).toMatchObject({ name: "LOSES_DATA", stake: { rows: null } });
            expect(found?.message).toMatch(/: 1 chunk, \d+ kB, from /);
            await other.remove();
        });

        it("are the history that a rebuild loses, by its length, bucket, rows and range", async () => {
            await target.byHand(`SELECT drop_chunks(${literal(it_.table)}, older_than => interval '6 days')`);
            const { oldest: begins } = await chunks();
            const [lost] = await target.byHand(
                `SELECT count(*)::int AS rows, min(bucket)::text AS oldest, max(bucket)::text AS newest,
                     round(extract(epoch FROM max(bucket) - min(bucket) + interval '1 hour') / 86400)::int AS days
                 FROM ${it_.aggregate} WHERE bucket < '${String(begins)}'`,
            );
            const { rows, oldest, newest, days } = lost ?? {};
            const query = summary.inputs.query.replace("sum(", "max(");
            const rebuild = { query, onQueryChange: "rebuild" } as const;

            const refused = await hazards(summary, rebuild);
            const accepted = await hazards(summary, { ...rebuild, acceptLoss: { upToRows: Number(rows) } });

            expect(Number(rows)).toBeGreaterThan(100);
            const history: Hazard = {
                name: "LOSES_HISTORY",
                message: `${String(days)} days of hourly history exist only in this aggregate, ${String(rows)} rows from ${String(oldest)} to ${String(newest)}; raw data begins ${String(begins).replace(" 00:00:00+00", "")}`,
                stake: { rows: Number(rows), oldest: String(oldest), newest: String(newest) },
            };
            expect(refused).toEqual([history]);
            expect(accepted[0]).toEqual(history);
            expect(accepted.map(({ name }) => name)).toEqual([
                ...["LOSES_HISTORY", "REBUILDS", "BLOCKS_WRITES", "BLOCKS_READS", "RESTARTS_JOB"],
            ]);
            expect(accepted[2]?.message).toContain(`writers of ${table} wait while`);
            await expectNoChange(summary);
        }); // prettier-ignore
    });
});
