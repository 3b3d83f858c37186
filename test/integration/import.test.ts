/** What stands in a database, imported: declaring it changes nothing. */
import { aggregate, hypertable, sqlFunction, view } from "./declared";
import { expectNothingToChange, imported, lines } from "./importing";
import { everyNames, hourly, type Names, quoted, rawTable } from "./names";
import { onEveryServer, type Target } from "./onEveryServer";

/** Three levels of aggregates, with one of everything that can be declared. */
async function makeHierarchy(target: Target, names: Names): Promise<void> {
    const it = quoted(names);
    await target.byHand(`CREATE SCHEMA IF NOT EXISTS ${it.schema}`);
    await hypertable(target, rawTable(names)).up();
    await aggregate(target, {
        ...hourly(names),
        indexes: [{ columns: ["total DESC"] }],
    }).up();
    const daily = { schema: names.schema, name: `${names.aggregate} by day` };
    await aggregate(target, {
        ...daily,
        query: `SELECT time_bucket('1 day', bucket) AS day, ${it.model}, sum(requests)::bigint AS n FROM ${it.aggregate} GROUP BY 1, 2`,
        materializedOnly: false,
        refreshPolicy: {
            scheduleInterval: "1 hour",
            endOffset: "1 day",
            initialStart: "2026-01-01T00:30:00Z",
            timezone: "Europe/Berlin",
            maxRuntime: "10 minutes",
            maxRetries: 3,
            paused: true,
        },
        grants: [{ role: "public", privileges: ["SELECT"] }],
    }).up();
    const dailyName = `${it.schema}."${daily.name.replaceAll('"', '""')}"`;
    await aggregate(target, {
        schema: names.schema,
        name: `${names.aggregate} by week`,
        query: `SELECT time_bucket('7 days', day) AS week, sum(n)::bigint AS n FROM ${dailyName} GROUP BY 1`,
    }).up();
    await sqlFunction(target, {
        definition: `CREATE FUNCTION ${it.schema}."It's ""Rounded""" (n bigint, step int DEFAULT 10) RETURNS bigint
                     LANGUAGE sql IMMUTABLE AS $$ SELECT n / step * step -- it's "down" $$`,
        comment: `it's "rounded"`,
    }).up();
    await view(target, {
        schema: names.schema,
        name: `${names.aggregate} view`,
        query: `SELECT day, ${it.schema}."It's ""Rounded"""(n) AS n FROM ${dailyName}`,
        comment: `it's "viewed"`,
        securityBarrier: true,
        grants: [{ role: "observatory_reader", privileges: ["SELECT"] }],
    }).up();
    await sqlFunction(target, {
        definition: `CREATE FUNCTION ${it.schema}.latest() RETURNS timestamptz
                     LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT max(week) FROM ${dailyName.replace("by day", "by week")}); END $$`,
        grants: [{ role: "observatory_reader", privileges: ["EXECUTE"] }],
    }).up();
    await target.byHand(
        `INSERT INTO ${it.table} (${it.time}, ${it.id}, ${it.value})
         SELECT now() - n * interval '7 hours', 'r' || n, n FROM generate_series(1, 60) n`,
    );
}

onEveryServer((target) => {
    describe.each(everyNames)("%s", (_, names) => {
        let found: Awaited<ReturnType<typeof imported>>;

        beforeAll(async () => {
            await makeHierarchy(target, names);
            found = await imported(target.database.owner, [names.schema]);
        }, 120_000);

        it("is declared whole, each object after those that it reads", () => {
            expect(lines(found.undeclared)).toEqual([]);
            expect(found.declared.map(({ kind, inputs }) => [kind, inputs["name"]])).toEqual([
                ["Hypertable", names.table],
                ["ContinuousAggregate", names.aggregate],
                ["ContinuousAggregate", `${names.aggregate} by day`],
                ["ContinuousAggregate", `${names.aggregate} by week`],
                ["SqlFunction", undefined],
                ["View", `${names.aggregate} view`],
                ["SqlFunction", undefined],
            ]);
            expect(found.declarations.map(({ reads }) => reads)).toEqual([
                ...[[], [0], [1], [2]],
                ...[[], [2, 4], [3]],
            ]);
        });

        it("is declared with what differs from the defaults, and nothing else", () => {
            const { connection: _given, ...table } = found.declared[0]!.inputs;
            const raw = rawTable(names);
            expect(table).toEqual({
                ...raw,
                ...(names.schema === "public" && { schema: undefined }),
                columns: [
                    raw.columns[0],
                    raw.columns[1],
                    { ...raw.columns[2], default: "'none'::text" },
                    { ...raw.columns[3], type: "integer" },
                    { ...raw.columns[4], type: "numeric(12,8)" },
                    { ...raw.columns[5], default: "'{}'::text[]" },
                ],
                compressionPolicy: { compressAfter: "7 days", segmentBy: [names.model] },
                grants: [{ role: "observatory_writer", privileges: ["INSERT", "SELECT"] }],
            });
            const { connection: _also, query, ...first } = found.declared[1]!.inputs;
            const { query: _query, ...hour } = hourly(names);
            expect(first).toEqual({
                ...hour,
                ...(names.schema === "public" && { schema: undefined }),
                indexes: [{ columns: ["total DESC"] }],
                compressionPolicy: { compressAfter: "7 days" },
            });
            expect(query).toContain("time_bucket('01:00:00'::interval");
            expect(found.declared[2]!.inputs).toMatchObject({
                materializedOnly: false,
                refreshPolicy: {
                    scheduleInterval: "1 hour",
                    endOffset: "1 day",
                    initialStart: "2026-01-01T00:30:00Z",
                    timezone: "Europe/Berlin",
                    maxRuntime: "10 minutes",
                    maxRetries: 3,
                    paused: true,
                },
                grants: [{ role: "public", privileges: ["SELECT"] }],
            });
            expect(Object.keys(found.declared[3]!.inputs)).toEqual(
                names.schema === "public"
                    ? ["connection", "name", "query"]
                    : ["connection", "schema", "name", "query"],
            );
        });

        it("is declared with its views and functions", () => {
            const [rounded, viewed, latest] = found.declared
                .slice(4)
                .map(({ inputs: { connection: _given, ...inputs } }) => inputs);
            expect(rounded).toEqual({
                definition: expect.stringMatching(/CREATE OR REPLACE FUNCTION .*IMMUTABLE/s),
                comment: `it's "rounded"`,
            });
            expect(viewed).toMatchObject({
                comment: `it's "viewed"`,
                securityBarrier: true,
                grants: [{ role: "observatory_reader", privileges: ["SELECT"] }],
            });
            expect(viewed).not.toHaveProperty("securityInvoker");
            expect(latest).toEqual({
                definition: expect.stringContaining("plpgsql"),
                grants: [{ role: "observatory_reader", privileges: ["EXECUTE"] }],
            });
        });

        it("changes nothing when it is brought up", async () => {
            await expectNothingToChange(target, found.declared);
        });

        it("is imported the same by another import", async () => {
            const again = await imported(target.database.owner, [names.schema]);

            expect(again.declared).toEqual(found.declared);
        });
    });
});
