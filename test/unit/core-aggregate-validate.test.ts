import {
    desiredAggregate,
    validateAggregate,
} from "../../components/timescale/core/aggregate/spec";
import { connection, hourlyInputs } from "../helpers/builders";

/** What the engine puts in place of a value that is not known yet. */
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

function problemsOf(given: Readonly<Record<string, unknown>>): string[] {
    return validateAggregate(hourlyInputs(given), (value) => value === unknown).map(
        ({ property, reason }) => `${property}: ${reason.split("\n")[0]}`,
    );
}

function reasonOf(given: Readonly<Record<string, unknown>>): string | undefined {
    const [problem, ...others] = validateAggregate(
        hourlyInputs(given),
        (value) => value === unknown,
    );
    expect(others).toEqual([]);
    return problem?.reason;
}

const refreshPolicy = { startOffset: "3 hours", endOffset: "1 hour", scheduleInterval: "1 hour" };

describe("a sound aggregate", () => {
    it("needs a connection, a name and a query", () => {
        expect(problemsOf({})).toEqual([]);
    });

    it("may use everything there is", () => {
        const everything = {
            connection: { ...connection, sslRootCert: "PEM" },
            databaseUuid: "any",
            schema: 'Odd "Schema"',
            name: `Robert'; --`,
            materializedOnly: false,
            chunkTimeInterval: "1 day",
            refreshPolicy: {
                ...refreshPolicy,
                initialStart: "2026-01-31T00:00:00Z",
                timezone: "Europe/Berlin",
                paused: true,
                maxRuntime: "0",
                maxRetries: -1,
                retryPeriod: "5 minutes",
            },
            retentionPolicy: { dropAfter: "37 days", scheduleInterval: "1 day" },
            compressionPolicy: {
                compressAfter: "7 days",
                segmentBy: ["provider"],
                orderBy: ["bucket DESC"],
            },
            comment: "it's; all -- right",
            grants: [{ role: "public", privileges: ["SELECT"] }],
            adopt: true,
            acceptLoss: { upToRows: 0 },
            onDelete: "keep",
        };
        expect(problemsOf(everything)).toEqual([]);
    });

    it("has the documented defaults", () => {
        expect(desiredAggregate({ name: "hourly", query: "SELECT 1" })).toEqual({
            schema: "public",
            name: "hourly",
            query: "SELECT 1",
            createGroupIndexes: true,
            materializedOnly: true,
            comment: null,
            indexes: [],
            grants: [],
            adopt: false,
            acceptLoss: 0,
            onDelete: "drop",
            onQueryChange: "refuse",
            history: {},
            waive: [],
        });
    });

    it("takes null for left out, as state has it", () => {
        expect(
            problemsOf({ schema: null, comment: null, refreshPolicy: null, grants: null }),
        ).toEqual([]);
    });
});

describe("validateAggregate", () => {
    it("reports all problems of an aggregate at once", () => {
        const given = {
            name: "",
            query: "DELETE FROM m; SELECT now()",
            createGroupIndexes: 0,
            materializedOnly: "yes",
            chunkTimeInterval: "soon",
            refreshPolicy: { startOffset: "1 hour", endOffset: "1 hour" },
            retentionPolicy: {},
            comment: 5,
            grants: [{ role: "r", privileges: ["DANCE"] }],
            databaseUuid: 5,
            adopt: "yes",
            colour: "blue",
        };
        expect(problemsOf(given)).toEqual([
            "colour: there is no property colour",
            "name: name must not be empty",
            "databaseUuid: databaseUuid must be a string",
            "query: the query holds more than one statement (several_statements)",
            "query: the query is not a SELECT (not_a_select)",
            "query: the query has no time_bucket (no_time_bucket)",
            "query: the query calls now, whose result is not always the same (mutable_functions)",
            "materializedOnly: materializedOnly must be true or false",
            "createGroupIndexes: createGroupIndexes must be true or false",
            "adopt: adopt must be true or false",
            "comment: comment must be a string",
            "chunkTimeInterval: chunkTimeInterval is not an interval",
            'grants: grants[0] names no table privilege: "DANCE"',
            "refreshPolicy: refreshPolicy.scheduleInterval is missing",
            "refreshPolicy: refreshPolicy covers no time (two_buckets)",
            "retentionPolicy: retentionPolicy.dropAfter is missing",
        ]);
    });

    it("explains a problem as message, detail and hint", () => {
        expect(reasonOf({ chunkTimeInterval: "soon" })).toBe(
            [
                "chunkTimeInterval is not an interval",
                '  detail: got "soon"',
                '  hint:   write a number and a unit, such as "30 seconds", "90 minutes" or "37 days"',
            ].join("\n"),
        );
    });

    it("suggests the property that was meant", () => {
        expect(reasonOf({ materialized_only: true })).toContain("hint:   write materializedOnly");
        expect(reasonOf({ refreshPolicy: { ...refreshPolicy, start_offset: "1 day" } })).toContain(
            "hint:   write startOffset",
        );
    });

    it.each<[string, unknown, string]>([
        ["is missing", undefined, "name is missing"],
        ["is empty", "", "name must not be empty"],
        [
            "is too long",
            "x".repeat(64),
            "name is 64 bytes long; PostgreSQL keeps 63 and would cut the rest",
        ],
        ["is no text", 5, "name must be a string"],
    ])("does not take a name that %s", (_how, name, message) => {
        expect(problemsOf({ name })).toEqual([`name: ${message}`]);
    });

    it("checks the schema's name as well", () => {
        expect(problemsOf({ schema: "日".repeat(22) })).toEqual([
            "schema: schema is 66 bytes long; PostgreSQL keeps 63 and would cut the rest",
        ]);
    });

    it.each([undefined, null, 5, { file: "x.sql" }])("asks for a query instead of %p", (query) => {
        expect(problemsOf({ query })).toEqual(["query: query is missing"]);
    });
});

describe("a connection", () => {
    it("is asked for when it is missing", () => {
        expect(problemsOf({ connection: undefined })).toEqual([": connection is missing"]);
        expect(problemsOf({ connection: null })).toEqual([": connection is missing"]);
    });

    it.each(["postgresql://u:hunter2@db.example.com/d", ["hunter2"], 5])(
        "is no %j, and is not shown as one",
        (given) => {
            expect(reasonOf({ connection: given })).toBe(
                [
                    "connection must be an object",
                    "  hint:   pass { host, port, database, user, password, sslMode }",
                ].join("\n"),
            );
        },
    );

    it("is checked field by field, all at once", () => {
        expect(
            problemsOf({ connection: { user: "", password: 5, port: "5432", sslRootCert: 1 } }),
        ).toEqual([
            ": connection.host is missing",
            ": connection.database is missing",
            ": connection.user is missing",
            ": connection.password is missing",
            ": connection.sslMode is not an SSL mode",
            ": connection.sslRootCert is not a certificate",
            ": connection.port is not a port",
        ]);
    });

    it.each([0, 65536, 5432.5, -1, "5432"])("does not take port %p", (port) => {
        expect(problemsOf({ connection: { ...connection, port } })).toEqual([
            ": connection.port is not a port",
        ]);
    });

    it("takes libpq's SSL modes that say what they do, and no other", () => {
        for (const sslMode of ["disable", "require", "verify-ca", "verify-full"]) {
            expect(problemsOf({ connection: { ...connection, sslMode } })).toEqual([]);
        }
        expect(reasonOf({ connection: { ...connection, sslMode: "prefer" } })).toBe(
            "connection.sslMode is not an SSL mode\n  hint:   write disable, require, verify-ca or verify-full",
        );
    });

    it("is never shown, whatever is wrong with it", () => {
        const reasons = validateAggregate(
            hourlyInputs({
                connection: {
                    ...connection,
                    host: 5,
                    port: "hunter2-secret",
                    sslMode: "hunter2-secret",
                },
            }),
            () => false,
        );
        expect(reasons).toHaveLength(3);
        expect(JSON.stringify(reasons)).not.toContain("hunter2");
    });
});

describe("a refresh policy", () => {
    it.each([
        ["exactly two buckets", { startOffset: "3 hours", endOffset: "1 hour" }],
        ["more than two buckets", { startOffset: "30 days", endOffset: "1 minute" }],
        ["two buckets beyond now", { startOffset: "1 hour", endOffset: "-1 hour" }],
        ["everything from the beginning", { endOffset: "1 hour" }],
        ["everything to the newest row", { startOffset: "1 hour" }],
        ["all there is", {}],
    ])("may cover %s", (_what, offsets) => {
        expect(problemsOf({ refreshPolicy: { ...offsets, scheduleInterval: "1 hour" } })).toEqual(
            [],
        );
    });

    it("must leave two buckets between its offsets, and says how", () => {
        const policy = { ...refreshPolicy, startOffset: "2:59:59", endOffset: "1 hour" };
        expect(reasonOf({ refreshPolicy: policy })).toBe(
            [
                "refreshPolicy covers 1 hour 59 minutes 59 seconds, and the bucket is 1 hour (two_buckets)",
                "  detail: the refresh window (startOffset 2 hours 59 minutes 59 seconds - endOffset 1 hour) must span at least two buckets: 2 hours",
                '  hint:   set refreshPolicy.startOffset to at least "3 hours", or leave it out to refresh from the beginning',
            ].join("\n"),
        );
    });

    it("must cover some time even where the bucket's width is not known", () => {
        const query = "SELECT time_bucket($1, ts) AS bucket FROM m GROUP BY 1";
        expect(
            problemsOf({ query, refreshPolicy: { ...refreshPolicy, startOffset: "1 hour" } }),
        ).toEqual(["refreshPolicy: refreshPolicy covers no time (two_buckets)"]);
        expect(problemsOf({ query, refreshPolicy })).toEqual([]);
    });

    it.each([
        ["scheduleInterval", undefined, "refreshPolicy.scheduleInterval is missing"],
        ["scheduleInterval", "0", "refreshPolicy.scheduleInterval must be longer than zero"],
        ["scheduleInterval", "-1 hour", "refreshPolicy.scheduleInterval must be longer than zero"],
        ["scheduleInterval", "5", "refreshPolicy.scheduleInterval is not an interval"],
        ["scheduleInterval", 60, "refreshPolicy.scheduleInterval must be a string"],
        ["startOffset", "P1.2.3D", "refreshPolicy.startOffset is not an interval"],
        ["endOffset", "an hour", "refreshPolicy.endOffset is not an interval"],
        ["maxRuntime", "never", "refreshPolicy.maxRuntime is not an interval"],
        ["retryPeriod", "", "refreshPolicy.retryPeriod is not an interval"],
        ["paused", "no", "refreshPolicy.paused must be true or false"],
        ["timezone", 1, "refreshPolicy.timezone must be a string"],
        ["initialStart", "tomorrow", "refreshPolicy.initialStart is not a point in time"],
        ["initialStart", "1", "refreshPolicy.initialStart is not a point in time"],
        ["maxRetries", 1.5, "refreshPolicy.maxRetries must be a whole number from -1"],
        ["maxRetries", -2, "refreshPolicy.maxRetries must be a whole number from -1"],
        ["lag", "1 hour", "there is no property refreshPolicy.lag"],
        ["dropAfter", "1 day", "there is no property refreshPolicy.dropAfter"],
    ])("does not take %s %p", (field, value, message) => {
        expect(problemsOf({ refreshPolicy: { ...refreshPolicy, [field]: value } })).toEqual([
            `refreshPolicy: ${message}`,
        ]);
    });

    it.each(["1 hour", ["1 hour"], 5])("must be an object and not %p", (policy) => {
        expect(problemsOf({ refreshPolicy: policy })).toEqual([
            "refreshPolicy: refreshPolicy must be an object",
        ]);
    });
});

describe("a retention policy", () => {
    it.each<[unknown, string]>([
        [{}, "retentionPolicy.dropAfter is missing"],
        [{ dropAfter: "0 days" }, "retentionPolicy.dropAfter must be longer than zero"],
        [{ dropAfter: "some days" }, "retentionPolicy.dropAfter is not an interval"],
        [{ dropAfter: "1 day", keepFor: "x" }, "there is no property retentionPolicy.keepFor"],
        [
            { dropAfter: "1 day", scheduleInterval: "0" },
            "retentionPolicy.scheduleInterval must be longer than zero",
        ],
    ])("does not take %j", (retentionPolicy, message) => {
        expect(problemsOf({ retentionPolicy })).toEqual([`retentionPolicy: ${message}`]);
    });
});

describe("a compression policy", () => {
    it("compresses later than the refresh window begins", () => {
        expect(
            problemsOf({ refreshPolicy, compressionPolicy: { compressAfter: "3:00:01" } }),
        ).toEqual([]);
        expect(reasonOf({ refreshPolicy, compressionPolicy: { compressAfter: "180 min" } })).toBe(
            [
                "compressionPolicy.compressAfter lies inside the refresh window (compression_inside_refresh_window)",
                "  detail: compressAfter is 3 hours and refreshPolicy.startOffset is 3 hours",
                "  hint:   compress later than refreshPolicy.startOffset",
            ].join("\n"),
        );
    });

    it.each([
        ["is left out", {}],
        ["is undefined", { startOffset: undefined }],
        ["is null", { startOffset: null }],
    ])("cannot stand beside a refresh policy whose startOffset %s", (_how, offset) => {
        const policy = { endOffset: "1 hour", scheduleInterval: "1 hour", ...offset };
        expect(
            problemsOf({ refreshPolicy: policy, compressionPolicy: { compressAfter: "9 years" } }),
        ).toEqual([
            "compressionPolicy: compressionPolicy.compressAfter lies inside the refresh window (compression_inside_refresh_window)",
        ]);
    });

    it("cannot stand without a refresh policy", () => {
        expect(problemsOf({ compressionPolicy: { compressAfter: "7 days" } })).toEqual([
            "compressionPolicy: compressionPolicy needs a refreshPolicy (compression_without_refresh)",
        ]);
    });

    it("is not blamed for a startOffset that is no interval", () => {
        expect(
            problemsOf({
                refreshPolicy: { ...refreshPolicy, startOffset: "soon" },
                compressionPolicy: { compressAfter: "7 days" },
            }),
        ).toEqual(["refreshPolicy: refreshPolicy.startOffset is not an interval"]);
    });

    it.each<[unknown, string]>([
        [{}, "compressionPolicy.compressAfter is missing"],
        [
            { compressAfter: "7 days", segmentBy: "model" },
            "compressionPolicy.segmentBy must be a list",
        ],
        [{ compressAfter: "7 days", orderBy: [5] }, "compressionPolicy.orderBy must be a string"],
        [
            { compressAfter: "7 days", scheduleInterval: "0" },
            "compressionPolicy.scheduleInterval must be longer than zero",
        ],
        [
            { compressAfter: "7 days", segment_by: [] },
            "there is no property compressionPolicy.segment_by",
        ],
    ])("does not take %j", (compressionPolicy, message) => {
        expect(problemsOf({ refreshPolicy, compressionPolicy })).toEqual([
            `compressionPolicy: ${message}`,
        ]);
    });
});

describe("grants", () => {
    it.each<[unknown, string]>([
        ["observatory_reader", "grants must be a list"],
        [["observatory_reader"], "grants[0] must be { role, privileges }"],
        [[{ privileges: ["SELECT"] }], "grants[0].role is missing"],
        [[{ role: "", privileges: ["SELECT"] }], "grants[0].role must not be empty"],
        [
            [{ role: "PUBLIC", privileges: ["SELECT"] }],
            "grants[0].role must be written public where it is everyone",
        ],
        [[{ role: "r" }], "grants[0].privileges is missing"],
        [[{ role: "r", privileges: "SELECT" }], "grants[0].privileges must be a list"],
        [[{ role: "r", privileges: ["select"] }], 'grants[0] names no table privilege: "select"'],
        [
            [{ role: "r", privileges: ["SELECT; --"] }],
            'grants[0] names no table privilege: "SELECT; --"',
        ],
        [[{ role: "r", privileges: ["SELECT"], with: 1 }], "there is no property grants[0].with"],
    ])("are not %j", (grants, message) => {
        expect(problemsOf({ grants })).toEqual([`grants: ${message}`]);
    });

    it("name each role once", () => {
        const grant = { role: "r", privileges: ["SELECT"] };
        expect(
            problemsOf({ grants: [grant, { role: "s", privileges: ["SELECT"] }, grant] }),
        ).toEqual(["grants: role r is granted to twice"]);
    });
});

describe("deletion", () => {
    it.each<[Readonly<Record<string, unknown>>, string]>([
        [{ onDelete: "rename" }, "onDelete: onDelete is neither drop nor keep"],
        [{ acceptLoss: 5 }, "acceptLoss: acceptLoss must be an object"],
        [{ acceptLoss: {} }, "acceptLoss: acceptLoss.upToRows must be a whole number of rows"],
        [
            { acceptLoss: { upToRows: -1 } },
            "acceptLoss: acceptLoss.upToRows must be a whole number of rows",
        ],
        [
            { acceptLoss: { upToRows: 0.5 } },
            "acceptLoss: acceptLoss.upToRows must be a whole number of rows",
        ],
        [
            { acceptLoss: { upToRows: 1, rows: 2 } },
            "acceptLoss: there is no property acceptLoss.rows",
        ],
    ])("does not take %j", (given, problem) => {
        expect(problemsOf(given)).toEqual([problem]);
    });
});

describe("a value that is not known yet", () => {
    it.each(Object.keys(hourlyInputs()))("is passed over as %s", (property) => {
        expect(problemsOf({ [property]: unknown })).toEqual([]);
    });

    it("is passed over wherever it stands", () => {
        const given = {
            connection: { ...connection, host: unknown, port: unknown, sslMode: unknown },
            schema: unknown,
            materializedOnly: unknown,
            chunkTimeInterval: unknown,
            refreshPolicy: { startOffset: unknown, endOffset: "1 hour", scheduleInterval: unknown },
            retentionPolicy: { dropAfter: unknown, maxRetries: unknown, paused: unknown },
            compressionPolicy: { compressAfter: unknown, segmentBy: unknown, orderBy: [unknown] },
            grants: [
                unknown,
                { role: unknown, privileges: [unknown] },
                { role: "r", privileges: unknown },
            ],
            acceptLoss: { upToRows: unknown },
            onDelete: unknown,
        };
        expect(problemsOf(given)).toEqual([]);
    });

    it("does not hide what is wrong beside it", () => {
        expect(
            problemsOf({
                query: unknown,
                refreshPolicy: {
                    startOffset: "1 hour",
                    endOffset: "2 hours",
                    scheduleInterval: unknown,
                },
                compressionPolicy: { compressAfter: "30 minutes" },
            }),
        ).toEqual([
            "refreshPolicy: refreshPolicy covers no time (two_buckets)",
            "compressionPolicy: compressionPolicy.compressAfter lies inside the refresh window (compression_inside_refresh_window)",
        ]);
    });

    it("may be the refresh policy that a compression policy needs", () => {
        expect(
            problemsOf({ refreshPolicy: unknown, compressionPolicy: { compressAfter: "7 days" } }),
        ).toEqual([]);
    });
});
