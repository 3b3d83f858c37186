/** What check finds wrong, in the real provider process: all of it at once, before anything is changed. */
import { onEveryServer } from "../integration/onEveryServer";
import { type FakeEngine, startFakeEngine } from "./fakeEngine";
import { type Properties, type ProviderProcess, startProvider } from "./providerProcess";
import { hourly, type Kind, resource } from "./resources";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

onEveryServer((target) => {
    let engine: FakeEngine;
    let provider: ProviderProcess;
    let connection: Properties;

    beforeAll(async () => {
        engine = await startFakeEngine();
        provider = await startProvider(engine.address);
        connection = { ...target.database.owner };
        await target.byHand("CREATE TABLE requests (ts timestamptz NOT NULL, model text, v int)");
        await target.byHand("SELECT create_hypertable('requests', 'ts')");
    }, 60_000);

    afterAll(async () => {
        await provider.stop();
        engine.kill();
    });

    /** The first line of each failure, by property. */
    const check = async (kind: Kind, name: string, inputs: Properties): Promise<string[]> => {
        const { failures } = await provider.check(resource(kind, name, { connection, ...inputs }));
        return failures.map(
            ({ property, reason }) => `${property}: ${reason.split("\n")[0] ?? ""}`,
        );
    };

    it("reports what its program found wrong with its declarations as a whole", async () => {
        const failures = await check("ContinuousAggregate", "sound", {
            ...hourly,
            __problems:
                "the program's declarations do not fit together\n\npublic.m is declared twice",
        });

        expect(failures).toEqual([": the program's declarations do not fit together"]);
    });

    it("reports every problem of an aggregate at once", async () => {
        const failures = await check("ContinuousAggregate", "wrong", {
            connection: { ...connection, port: "5432", user: "" },
            name: "n".repeat(70),
            query: "SELECT count(*) FROM requests; DROP TABLE requests",
            refreshPolicy: {
                startOffset: "2 hours",
                endOffset: "3 hours",
                scheduleInterval: "often",
            },
            retention_policy: {},
            retentionPolicy: { dropAfter: "-1 day" },
            compressionPolicy: { compressAfter: "1 hour" },
            grants: [{ role: "observatory_reader", privileges: ["select"] }],
            materializedOnly: "yes",
        });

        expect(failures).toEqual([
            "retention_policy: there is no property retention_policy",
            ": connection.user is missing",
            ": connection.port is not a port",
            "name: name is 70 bytes long; PostgreSQL keeps 63 and would cut the rest",
            "query: the query holds more than one statement (several_statements)",
            "query: the query has no time_bucket (no_time_bucket)",
            "materializedOnly: materializedOnly must be true or false",
            'grants: grants[0] names no table privilege: "select"',
            "refreshPolicy: refreshPolicy.scheduleInterval is not an interval",
            "refreshPolicy: refreshPolicy covers no time (two_buckets)",
            "retentionPolicy: retentionPolicy.dropAfter must be longer than zero",
            "compressionPolicy: compressionPolicy.compressAfter lies inside the refresh window (compression_inside_refresh_window)",
        ]);
    });

    it("reports every problem of a hypertable at once", async () => {
        const failures = await check("Hypertable", "wrong", {
            name: "wrong",
            columns: [
                { name: "ts", type: "text" },
                { name: "ts", type: "timestamptz" },
                { name: "v", type: "int; DROP TABLE requests" },
            ],
            timeColumn: "time",
            primaryKey: ["id"],
            indexes: [{ columns: ["w"] }],
            chunkTimeInterval: "1 fortnight",
        });

        expect(failures).toEqual([
            "chunkTimeInterval: chunkTimeInterval is not an interval",
            "columns: column ts is declared twice",
            "columns: columns[2].type is not a type",
            'timeColumn: timeColumn names column "time", which is not declared',
            'primaryKey: primaryKey names column "id", which is not declared',
            "primaryKey: primaryKey lacks the time column",
            'indexes: indexes names column "w", which is not declared',
        ]);
    });

    it("passes over what is not known yet", async () => {
        expect(
            await check("ContinuousAggregate", "unknown", {
                connection: unknown,
                name: unknown,
                query: unknown,
                refreshPolicy: unknown,
                retentionPolicy: { dropAfter: unknown },
                compressionPolicy: unknown,
                grants: [{ role: unknown, privileges: unknown }, unknown],
                acceptLoss: unknown,
                comment: unknown,
                materializedOnly: unknown,
            }),
        ).toEqual([]);
        expect(
            await check("Hypertable", "unknown", {
                connection: { ...connection, password: unknown, port: unknown },
                name: unknown,
                columns: unknown,
                timeColumn: unknown,
                primaryKey: unknown,
                indexes: [{ columns: unknown }],
                chunkTimeInterval: unknown,
            }),
        ).toEqual([]);
        // What is known beside it is checked all the same.
        expect(
            await check("ContinuousAggregate", "half", {
                connection: { ...connection, password: unknown },
                ...hourly,
                name: "half",
                refreshPolicy: { startOffset: unknown, endOffset: "x", scheduleInterval: "1 hour" },
            }),
        ).toEqual(["refreshPolicy: refreshPolicy.endOffset is not an interval"]);
    });

    const select = "SELECT time_bucket('1 hour', ts) AS bucket,";

    it.each([
        ["a syntax error", `${select} count(* FROM requests GROUP BY 1`, "syntax error at or near"],
        [
            "an unknown function",
            `${select} cuont(*) FROM requests GROUP BY 1`,
            "function cuont() does not exist",
        ],
        [
            "a wrong type",
            `${select} sum(model) FROM requests GROUP BY 1`,
            "function sum(text) does not exist",
        ],
        [
            "a column twice",
            `${select} sum(v) AS n, max(v) AS n FROM requests GROUP BY 1`,
            "the query has 2 columns named n (duplicate_columns)",
        ],
        [
            "a function that is not immutable",
            `${select} max(ts - interval '1 day') AS n FROM requests GROUP BY 1`,
            "calls functions that are not immutable",
        ],
        ["no grouping by the bucket", `${select} v FROM requests`, expect.any(String)],
        [
            "a bucket of another column than time",
            "SELECT time_bucket(10, v) AS bucket, count(*) FROM requests GROUP BY 1",
            expect.any(String),
        ],
        [
            "a window function",
            `${select} rank() OVER () FROM requests GROUP BY 1`,
            expect.any(String),
        ],
    ])("reports what the server says of %s", async (what, query, message: unknown) => {
        const [failure, ...more] = await check("ContinuousAggregate", what, {
            ...hourly,
            name: what.replace(/\W+/g, "_"),
            query,
        });

        expect(more).toEqual([]);
        expect(failure).toMatch(/^query: /);
        if (typeof message === "string") expect(failure).toContain(message);
    });

    it.each([
        ["a table that the same deployment may make", "FROM not_yet GROUP BY 1"],
        ["a column that the same deployment may add", "FROM requests WHERE not_yet > 1 GROUP BY 1"],
    ])("does not mind %s", async (what, rest) => {
        const query = `${select} count(*) AS n ${rest}`;

        expect(
            await check("ContinuousAggregate", what, {
                ...hourly,
                name: `${what.slice(0, 8)}?`,
                query,
            }),
        ).toEqual([]);
    });

    it("asks the server only about a query that has changed", async () => {
        const wrong = resource("ContinuousAggregate", "old", {
            connection,
            ...hourly,
            name: "old",
            query: `${select} cuont(*) FROM requests GROUP BY 1`,
        });

        expect(await provider.check(wrong, wrong)).toMatchObject({ failures: [] });
        expect((await provider.check(wrong, { ...wrong, query: "x" })).failures).toHaveLength(1);
    });

    it("reports two resources of one name, whatever their kinds", async () => {
        expect(await check("ContinuousAggregate", "first", { ...hourly, name: "same" })).toEqual(
            [],
        );
        // The engine checks a resource more than once.
        expect(await check("ContinuousAggregate", "first", { ...hourly, name: "same" })).toEqual(
            [],
        );

        const second = resource("Hypertable", "second", {
            connection,
            schema: "public",
            name: "same",
            columns: [{ name: "ts", type: "timestamptz" }],
            timeColumn: "ts",
        });
        expect((await provider.check(second)).failures).toEqual([
            {
                property: "name",
                reason: [
                    "public.same is declared twice",
                    "  detail: first declares it as well",
                    "  hint:   give this Hypertable another name, or remove one of the two",
                ].join("\n"),
            },
        ]);
        expect(
            await check("ContinuousAggregate", "third", {
                ...hourly,
                schema: "other",
                name: "same",
            }),
        ).toEqual([]);
    });

    it("knows no resource of another type", async () => {
        const view = {
            __provider: resource("Hypertable", "x", {})["__provider"],
            __urn: "urn:pulumi:s::p::pulumi-nodejs:dynamic/timescale:Unheard::x",
        };

        await expect(provider.check(view)).rejects.toThrow(
            "this version of the provider knows no resource of type pulumi-nodejs:dynamic/timescale:Unheard",
        );
    });
});
