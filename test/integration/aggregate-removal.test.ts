/** Dropping aggregates: twice is fine, history and dependants stand in the way, and nothing goes by CASCADE. */
import { displayName, escapeIdentifier } from "../../components/timescale/core/identifier";
import {
    aggregate,
    type AggregateInputs,
    type Declared,
    expectNoChange,
    hypertable,
} from "./declared";
import { everyNames, hourly, type Names, quoted, rawTable } from "./names";
import { onEveryServer, type Target } from "./onEveryServer";

async function stands(target: Target, name: string): Promise<boolean> {
    const [row] = await target.asAdmin(
        `SELECT to_regclass('${name.replaceAll("'", "''")}') IS NOT NULL AS stands`,
    );
    return row?.["stands"] === true;
}

async function jobs(target: Target): Promise<unknown> {
    const [row] = await target.asAdmin(
        "SELECT count(*)::int AS n FROM _timescaledb_config.bgw_job WHERE id >= 1000 AND hypertable_id IS NOT NULL",
    );
    return row?.["n"];
}

/** Rows of 20 days, one an hour; an aggregate over them; then raw keeps the last 10. */
async function withHistory(target: Target, names: Names): Promise<Declared<AggregateInputs>> {
    const it_ = quoted(names);
    const declared = aggregate(target, hourly(names));
    await target.byHand(`
        INSERT INTO ${it_.table} (${it_.time}, ${it_.id}, ${it_.value})
        SELECT t, 'x', 1 FROM generate_series(now() - interval '20 days', now(), interval '1 hour') t
        ON CONFLICT DO NOTHING`);
    await declared.up();
    await target.byHand(
        `SELECT drop_chunks('${it_.table.replaceAll("'", "''")}', older_than => interval '10 days')`,
    );
    return declared;
}

onEveryServer((target) => {
    describe.each(everyNames)("%s", (_, names) => {
        const it_ = quoted(names);
        const object = displayName({ schema: names.schema, name: names.aggregate });

        beforeAll(async () => {
            if (names.schema !== "public") await target.byHand(`CREATE SCHEMA ${it_.schema}`);
            const { retentionPolicy: _, ...unlimited } = rawTable(names);
            await hypertable(target, unlimited).up();
        }, 60_000);

        it("drops the aggregate with its jobs; again is fine", async () => {
            const before = await jobs(target);
            const declared = aggregate(target, hourly(names));
            await declared.up();

            await declared.remove();

            expect(await stands(target, it_.aggregate)).toBe(false);
            expect(await jobs(target)).toBe(before);
            await declared.remove();
        });

        it("leaves alone what has taken its name since", async () => {
            const declared = aggregate(target, hourly(names));
            await declared.up();
            await target.byHand(`DROP MATERIALIZED VIEW ${it_.aggregate}`);
            await target.byHand(`CREATE VIEW ${it_.aggregate} AS SELECT 1 AS mine`);

            await declared.remove();

            expect(await stands(target, it_.aggregate)).toBe(true);
            await target.byHand(`DROP VIEW ${it_.aggregate}`);
        });

        it("drops neither of two that changed names, nor one whose name was taken", async () => {
            const before = await jobs(target);
            const [one, other] = [hourly(names), { ...hourly(names), name: "other", indexes: [] }];
            const declared = aggregate(target, one);
            await declared.up();
            const second = aggregate(target, other);
            await second.up();
            const rename = (was: string, will: string): Promise<unknown> =>
                target.byHand(
                    `ALTER MATERIALIZED VIEW ${quoted({ ...names, aggregate: was }).aggregate}
                     RENAME TO ${escapeIdentifier(will)}`,
                );
            await rename(names.aggregate, "between");
            await rename("other", names.aggregate);
            await rename("between", "other");
            const refusal = {
                code: "another_object",
                detail: expect.stringContaining(
                    `that one stands as ${displayName({ schema: names.schema, name: "other" })} now`,
                ) as string,
            };

            await expect(declared.remove()).rejects.toMatchObject(refusal);

            await rename(names.aggregate, "between");
            await target.byHand(`CREATE VIEW ${it_.aggregate} AS SELECT 1 AS mine`);
            await expect(declared.remove()).rejects.toMatchObject(refusal);

            await target.byHand(`DROP VIEW ${it_.aggregate}`);
            await declared.remove();
            await rename("between", "other");
            await second.remove();
            expect(await jobs(target)).toBe(before);
        });

        it("names the views and aggregates that read it, and drops nothing", async () => {
            const declared = aggregate(target, hourly(names));
            await declared.up();
            const above: AggregateInputs = {
                schema: names.schema,
                name: "daily",
                query: `SELECT time_bucket('1 day', bucket) AS bucket, sum(requests) AS requests FROM ${it_.aggregate} GROUP BY 1`,
            };
            await aggregate(target, above).up();
            await target.byHand(
                `CREATE VIEW ${it_.schema}."Someone's" AS SELECT max(bucket) FROM ${it_.aggregate}`,
            );
            const before = await jobs(target);

            await expect(declared.remove()).rejects.toMatchObject({
                code: "2BP01",
                message: `continuous aggregate ${object} is read by others and was not dropped`,
                detail: `continuous aggregate ${displayName({ schema: names.schema, name: "daily" })}, view ${displayName({ schema: names.schema, name: "Someone's" })}`,
            });

            await expectNoChange(declared);
            expect(await jobs(target)).toBe(before);
            expect(await stands(target, `${it_.schema}."Someone's"`)).toBe(true);
            await target.byHand(`DROP VIEW ${it_.schema}."Someone's"`);
            await aggregate(target, above).remove();
            await declared.remove();
            expect(await stands(target, it_.aggregate)).toBe(false);
        });

        it("names what reads it through others, in other schemas, and by the names that people know", async () => {
            const declared = aggregate(target, hourly(names));
            await declared.up();
            const [source] = await target.asAdmin(
                `SELECT format('%I.%I', h.schema_name, h.table_name) AS buckets
                 FROM _timescaledb_catalog.continuous_agg a JOIN _timescaledb_catalog.hypertable h ON h.id = a.mat_hypertable_id
                 WHERE a.user_view_schema = '${names.schema}' AND a.user_view_name = '${names.aggregate.replaceAll("'", "''")}'`,
            );
            const above: AggregateInputs = {
                schema: names.schema,
                name: "daily",
                query: `SELECT time_bucket('1 day', bucket) AS bucket, sum(requests) AS requests FROM ${it_.aggregate} GROUP BY 1`,
                materializedOnly: false,
            };
            await aggregate(target, above).up();
            await target.byHand(`CREATE SCHEMA elsewhere`);
            await target.byHand(
                `CREATE VIEW elsewhere.over_daily AS SELECT * FROM ${it_.schema}.daily`,
            );
            await target.byHand(
                `CREATE MATERIALIZED VIEW elsewhere.kept AS SELECT * FROM elsewhere.over_daily`,
            );
            await target.byHand(
                `CREATE VIEW elsewhere.buckets AS SELECT * FROM ${String(source?.["buckets"])}`,
            );
            await target.byHand(
                `CREATE FUNCTION elsewhere.latest() RETURNS timestamptz STABLE BEGIN ATOMIC SELECT max(bucket) FROM elsewhere.over_daily; END`,
            );

            const refusal = await declared.remove().then(
                () => undefined,
                (error: unknown) => error as { readonly code: string; readonly detail: string },
            );

            expect(refusal).toMatchObject({
                code: "2BP01",
                detail: [
                    `continuous aggregate ${displayName({ schema: names.schema, name: "daily" })}`,
                    "function elsewhere.latest",
                    "materialized view elsewhere.kept",
                    "view elsewhere.buckets",
                    "view elsewhere.over_daily",
                ].join(", "),
            });
            await expectNoChange(declared);
            await target.byHand("DROP SCHEMA elsewhere CASCADE");
            await aggregate(target, above).remove();
            await declared.remove();
        });

        it("is not misled by a late row far below what retention took", async () => {
            const declared = await withHistory(target, names);
            const count = `SELECT count(*)::int AS rows FROM ${it_.aggregate} WHERE bucket NOT BETWEEN now() - interval '1 day' AND now()`;
            const refusal = (): Promise<{ readonly detail: string }> =>
                declared.remove().then(
                    () => {
                        throw new Error("no refusal");
                    },
                    (error: unknown) => error as { readonly detail: string },
                );
            const rowsOf = ({ detail }: { readonly detail: string }): number => Number(/, (\d+) rows from/.exec(detail)?.[1]); // prettier-ignore
            const before = rowsOf(await refusal());

            await target.byHand(
                `INSERT INTO ${it_.table} (${it_.time}, ${it_.id}) SELECT min(bucket) + interval '2 hours', 'late' FROM ${it_.aggregate}`,
            );

            const after = await refusal();
            // The late row's own chunk, of a day, covers the buckets around it alone.
            expect(rowsOf(after)).toBeGreaterThan(before - 30);
            expect(after.detail).toMatch(/raw data stands from .* to .* and from .* on/);
            expect(Number((await target.byHand(count))[0]?.["rows"])).toBeGreaterThan(200);
            await declared.up({ ...declared.inputs, acceptLoss: { upToRows: before } });
            await declared.remove();
        });

        it("counts what DELETE took from raw data as lost, though its chunks stand", async () => {
            const declared = await withHistory(target, names);
            const [chunks] = await target.byHand(
                `SELECT count(*)::int AS n FROM show_chunks('${it_.table.replaceAll("'", "''")}')`,
            );
            await target.byHand(`DELETE FROM ${it_.table}`);

            await expect(declared.remove()).rejects.toMatchObject({
                code: "loses_history",
                detail: expect.stringContaining("there is no raw data") as string,
            });

            expect(
                await target.byHand(
                    `SELECT count(*)::int AS n FROM show_chunks('${it_.table.replaceAll("'", "''")}')`,
                ),
            ).toEqual([chunks]);
            await target.byHand(`DROP MATERIALIZED VIEW ${it_.aggregate}`);
        });

        it("refuses while it holds history that raw data has lost, and says how much", async () => {
            const declared = await withHistory(target, names);
            const [floor] = await target.byHand(
                `SELECT count(*)::int AS rows, (SELECT count(*)::int FROM ${it_.aggregate}) AS all
                 FROM ${it_.aggregate} WHERE bucket < (SELECT min(range_start) FROM timescaledb_information.chunks
                     WHERE hypertable_schema = '${names.schema}' AND hypertable_name = '${names.table}')`,
            );
            const rows = Number(floor?.["rows"]);
            expect(rows).toBeGreaterThan(200);
            expect(rows).toBeLessThan(Number(floor?.["all"]));

            await expect(declared.remove()).rejects.toMatchObject({
                code: "loses_history",
                message: `dropping continuous aggregate ${object} would lose history`,
                detail: expect.stringMatching(
                    new RegExp(
                        `^\\d+ days of hourly history exist only in this aggregate, ${rows} rows from .* to .*; raw data begins .*, and acceptLoss covers 0 rows$`,
                    ),
                ) as string,
                hint: expect.stringContaining(`acceptLoss: { upToRows: ${rows} }`) as string,
            });
            await declared.up({ ...declared.inputs, acceptLoss: { upToRows: rows - 1 } });
            await expect(declared.remove()).rejects.toMatchObject({ code: "loses_history" });
            expect(await stands(target, it_.aggregate)).toBe(true);

            await declared.up({ ...declared.inputs, acceptLoss: { upToRows: rows } });
            await declared.remove();

            expect(await stands(target, it_.aggregate)).toBe(false);
        });

        it("counts everything as history when raw is empty", async () => {
            const declared = await withHistory(target, names);
            await target.byHand(
                `SELECT drop_chunks('${it_.table.replaceAll("'", "''")}', older_than => now() + interval '2 days')`,
            );

            await expect(declared.remove()).rejects.toMatchObject({
                code: "loses_history",
                detail: expect.stringContaining("there is no raw data") as string,
            });

            await declared.up({ ...declared.inputs, acceptLoss: { upToRows: 1000 } });
            await declared.remove();
        });

        it("is left standing without jobs by onDelete: keep, and taken back with its history", async () => {
            const before = await jobs(target);
            const declared = await withHistory(target, names);
            const keep = { ...declared.inputs, onDelete: "keep" } as const;
            await declared.up(keep);
            const all = await target.byHand(`SELECT * FROM ${it_.aggregate} ORDER BY bucket`);

            await declared.remove();

            expect(await stands(target, it_.aggregate)).toBe(false);
            expect(await jobs(target)).toBe(before);
            const again = aggregate(target, keep);
            expect(await again.preview()).toEqual([
                expect.stringMatching(/^name: .*_kept_\d{8}_\d+.* → /),
                "refreshPolicy: none → startOffset 1 day, endOffset 1 hour, every 5 minutes",
                "compressionPolicy: none → compressAfter 7 days, every 12 hours",
                "retentionPolicy: none → dropAfter 210 days, every 1 day",
                "take it back into service",
                "fill it, oldest buckets first",
            ]);
            await again.up();
            await expectNoChange(again);
            const [count] = await target.byHand(`SELECT count(*)::int AS n FROM ${it_.aggregate}`);
            expect(Number(count?.["n"])).toBeGreaterThanOrEqual(all.length);
            expect(
                await target.byHand(`SELECT * FROM ${it_.aggregate} ORDER BY bucket LIMIT 200`),
            ).toEqual(all.slice(0, 200));
            await again.up({ ...keep, onDelete: "drop", acceptLoss: { upToRows: 1000 } });
            await again.remove();
        });

        it.each([
            ["renamed by hand", `ALTER MATERIALIZED VIEW AGGREGATE RENAME TO renamed`],
            ["whose view was renamed by ALTER TABLE", `ALTER TABLE AGGREGATE RENAME TO renamed`],
        ])("removes one that was %s", async (_what, text) => {
            const declared = aggregate(target, hourly(names));
            await declared.up();
            const before = await jobs(target);
            await target.byHand(text.replace("AGGREGATE", it_.aggregate));

            await declared.remove();
            await declared.remove();

            expect(await jobs(target)).not.toBe(before);
            expect(await stands(target, `${it_.schema}.renamed`)).toBe(false);
            expect(
                await target.asAdmin(
                    "SELECT FROM _timescaledb_catalog.continuous_agg WHERE user_view_name IN ('renamed')",
                ),
            ).toEqual([]);
        });

        it("leaves nothing when a statement in the middle of creating fails", async () => {
            const before = await jobs(target);
            const grants = [{ role: "nobody's", privileges: ["SELECT"] as const }];

            await expect(
                aggregate(target, { ...hourly(names), grants }).up(),
            ).rejects.toMatchObject({
                code: "42704",
                message: 'role "nobody\'s" does not exist',
                statement: "grant",
                object,
            });

            expect(await stands(target, it_.aggregate)).toBe(false);
            expect(await jobs(target)).toBe(before);
        });

        it("changes nothing when a statement in the middle of an update fails", async () => {
            const declared = aggregate(target, hourly(names));
            await declared.up();
            const grants = [{ role: "nobody's", privileges: ["SELECT"] as const }];
            const broken = {
                ...declared.inputs,
                comment: "other",
                materializedOnly: false,
                refreshPolicy: {
                    scheduleInterval: "1 day",
                    endOffset: "2 hours",
                    startOffset: "9 days",
                },
                compressionPolicy: { compressAfter: "30 days" },
                grants,
            };

            await expect(declared.up(broken)).rejects.toMatchObject({ statement: "grant" });

            await expectNoChange(declared);
            await declared.remove();
        });
    });
});
