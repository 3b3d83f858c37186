import {
    desiredHypertable,
    validateHypertable,
} from "../../components/timescale/core/hypertable/spec";
import { connection, metricsInputs } from "../helpers/builders";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const ts = { name: "ts", type: "timestamptz" };
const value = { name: "value", type: "double precision" };

function problemsOf(given: Readonly<Record<string, unknown>>): string[] {
    return validateHypertable(metricsInputs(given), (it) => it === unknown).map(
        ({ property, reason }) => `${property}: ${reason.split("\n")[0]}`,
    );
}

describe("a sound hypertable", () => {
    it("needs a connection, a name, columns and a time column", () => {
        expect(problemsOf({})).toEqual([]);
    });

    it("may use everything there is", () => {
        const everything = {
            schema: 'Odd "Schema"',
            name: 'we"ird',
            columns: [
                { ...ts, nullable: false, comment: "when" },
                { name: 'the "value"', type: "numeric(12,8)", default: "-1" },
                { name: "tags", type: "text[]" },
            ],
            primaryKey: ['the "value"', "ts"],
            chunkTimeInterval: "1 day",
            indexes: [
                { columns: ['"the ""value""" DESC NULLS LAST', "ts"], where: "tags IS NOT NULL" },
                { name: "by_tags", columns: ["tags"], method: "gin" },
            ],
            retentionPolicy: { dropAfter: "90 days" },
            compressionPolicy: {
                compressAfter: "7 days",
                segmentBy: ["tags"],
                orderBy: ["ts DESC"],
            },
            comment: "it's",
            grants: [{ role: "observatory_writer", privileges: ["SELECT", "INSERT"] }],
            adopt: true,
            dropColumns: ["colour"],
        };
        expect(problemsOf(everything)).toEqual([]);
    });

    it("has the documented defaults, and indexes named as PostgreSQL names them", () => {
        const given = { name: "metrics", columns: [ts, value], timeColumn: "ts" };
        expect(
            desiredHypertable({ ...given, indexes: [{ columns: ["value", "ts DESC"] }] }),
        ).toEqual({
            ...given,
            schema: "public",
            primaryKey: [],
            chunkTimeInterval: "7 days",
            indexes: [
                { name: "metrics_value_ts_idx", columns: ["value", "ts DESC"], method: "btree" },
            ],
            comment: null,
            grants: [],
            adopt: false,
            dropColumns: [],
            waive: [],
        });
    });

    it.each(["timestamptz", "TIMESTAMP WITH TIME ZONE", "timestamptz(3)", "timestamp", "date"])(
        "is cut by a %s",
        (type) => {
            expect(problemsOf({ columns: [{ name: "ts", type }] })).toEqual([]);
        },
    );
});

describe("validateHypertable", () => {
    it("reports all problems of a table at once", () => {
        const given = {
            name: "x".repeat(64),
            columns: [
                ts,
                { name: "ts", type: "" },
                { name: "v", type: "real", nullable: "no", size: 4 },
            ],
            timeColumn: "time",
            primaryKey: ["v", "w"],
            chunkTimeInterval: "0",
            indexes: [{ columns: [] }],
            retentionPolicy: { dropAfter: "never" },
            compressionPolicy: { compressAfter: "7 days", segmentBy: ["x"], orderBy: ["y DESC"] },
            dropColumns: ["v"],
            adopt: "yes",
            databaseUuid: 5,
            comment: 6,
            grants: "all",
            refreshPolicy: {},
        };
        expect(problemsOf(given)).toEqual([
            "refreshPolicy: there is no property refreshPolicy",
            "name: name is 64 bytes long; PostgreSQL keeps 63 and would cut the rest",
            "chunkTimeInterval: chunkTimeInterval must be longer than zero",
            "adopt: adopt must be true or false",
            "comment: comment must be a string",
            "grants: grants must be a list",
            "databaseUuid: databaseUuid must be a string",
            "columns: columns[1].type is not a type",
            "columns: column ts is declared twice",
            "columns: there is no property columns[2].size",
            "columns: columns[2].nullable must be true or false",
            'timeColumn: timeColumn names column "time", which is not declared',
            'primaryKey: primaryKey names column "w", which is not declared',
            "primaryKey: primaryKey lacks the time column",
            "indexes: indexes[0] has no columns",
            "indexes: indexes[0].name is 68 bytes long; PostgreSQL keeps 63 and would cut the rest",
            "dropColumns: dropColumns names v, which is declared as well",
            "retentionPolicy: retentionPolicy.dropAfter is not an interval",
            'compressionPolicy: compressionPolicy names column "x", which is not declared',
            'compressionPolicy: compressionPolicy names column "y", which is not declared',
        ]);
    });

    it.each<[unknown, string]>([
        [undefined, "a hypertable needs columns"],
        [[], "a hypertable needs columns"],
        [[ts, "value"], "columns[1] must be { name, type }"],
        [[ts, { type: "real" }], "columns[1].name is missing"],
        [[ts, { name: "", type: "real" }], "columns[1].name must not be empty"],
        [[ts, { name: "v" }], "columns[1].type is not a type"],
        [[ts, { name: "v", type: "real); DROP TABLE m; --" }], "columns[1].type is not a type"],
        [[ts, { name: "v", type: "bigserial" }], "columns[1].type is no type of its own"],
        [[ts, { name: "v", type: "text NOT NULL" }], "columns[1].type says more than a type"],
        [
            [ts, { name: "v", type: "bigint generated always as identity" }],
            "columns[1].type says more than a type",
        ],
        [[ts, { name: "v", type: "real", default: 0 }], "columns[1].default must be a string"],
        [[ts, { name: "v", type: "real", comment: 0 }], "columns[1].comment must be a string"],
    ])("does not take columns %j", (columns, message) => {
        expect(problemsOf({ columns })).toEqual([`columns: ${message}`]);
    });

    it.each<[unknown, string]>([
        [undefined, "timeColumn is missing"],
        ["", "timeColumn is missing"],
        ["time", 'timeColumn names column "time", which is not declared'],
        ["value", "column value is no time column"],
    ])("does not take %p for the time column", (timeColumn, message) => {
        expect(problemsOf({ timeColumn })).toEqual([`timeColumn: ${message}`]);
    });

    it.each<[unknown, string]>([
        [{ columns: ["ts"] }, "indexes must be a list"],
        [["ts"], "indexes[0] must be { columns }"],
        [[{}], "indexes[0] has no columns"],
        [[{ columns: ["colour DESC"] }], 'indexes names column "colour", which is not declared'],
        [[{ columns: ["ts"], unique: true }], "there is no property indexes[0].unique"],
        [[{ columns: ["ts"], where: true }], "indexes[0].where must be a string"],
        [[{ columns: ["ts"], where: " " }], "indexes[0].where is empty"],
        [[{ columns: ["ts"], method: 1 }], "indexes[0].method must be a string"],
        [[{ columns: ["ts"], name: "" }], "indexes[0].name must not be empty"],
        [[{ columns: ["ts"] }, { columns: ["ts DESC"] }], "index metrics_ts_idx is declared twice"],
    ])("does not take indexes %j", (indexes, message) => {
        expect(problemsOf({ indexes })).toEqual([`indexes: ${message}`]);
    });
});

describe("policies", () => {
    it.each<[string, unknown, string]>([
        ["retentionPolicy", {}, "retentionPolicy.dropAfter is missing"],
        [
            "retentionPolicy",
            { dropAfter: "0" },
            "retentionPolicy.dropAfter must be longer than zero",
        ],
        [
            "retentionPolicy",
            { dropAfter: "1 day", maxRetries: -2 },
            "retentionPolicy.maxRetries must be a whole number from -1",
        ],
        [
            "retentionPolicy",
            { dropAfter: "1 day", after: 1 },
            "there is no property retentionPolicy.after",
        ],
        ["compressionPolicy", {}, "compressionPolicy.compressAfter is missing"],
        [
            "compressionPolicy",
            { compressAfter: "-1 day" },
            "compressionPolicy.compressAfter must be longer than zero",
        ],
    ])("do not take %s %j", (property, policy, message) => {
        expect(problemsOf({ [property]: policy })).toEqual([`${property}: ${message}`]);
    });

    it("need no refresh policy beside compression", () => {
        expect(problemsOf({ compressionPolicy: { compressAfter: "7 days" } })).toEqual([]);
    });
});

describe("a value that is not known yet", () => {
    it.each(Object.keys(metricsInputs()))("is passed over as %s", (property) => {
        expect(
            problemsOf({
                primaryKey: ["ts"],
                indexes: [{ columns: ["value"] }],
                [property]: unknown,
            }),
        ).toEqual([]);
    });

    it.each<[string, Readonly<Record<string, unknown>>]>([
        ["a column", { columns: [ts, unknown], primaryKey: ["ts", "value"] }],
        [
            "a column's name",
            { columns: [ts, { ...value, name: unknown }], primaryKey: ["ts", "value"] },
        ],
        [
            "two columns' names",
            { columns: [ts, { ...value, name: unknown }, { ...value, name: unknown }] },
        ],
        ["the time column's type", { columns: [{ name: "ts", type: unknown }] }],
        ["a default", { columns: [ts, { ...value, default: unknown, nullable: unknown }] }],
        ["a column of the key", { primaryKey: [unknown] }],
        ["the key", { primaryKey: unknown }],
        ["an index", { indexes: [unknown, { columns: unknown }, { columns: [unknown] }] }],
        [
            "two indexes' names",
            {
                indexes: [
                    { name: unknown, columns: ["ts"] },
                    { name: unknown, columns: ["value"] },
                ],
            },
        ],
        [
            "a long name in the making",
            {
                name: unknown,
                indexes: [{ columns: ["x".repeat(40)] }],
                columns: [ts, { name: "x".repeat(40), type: "int" }],
            },
        ],
        [
            "compression's columns",
            {
                compressionPolicy: {
                    compressAfter: unknown,
                    segmentBy: [unknown],
                    orderBy: unknown,
                },
            },
        ],
        ["the connection's part", { connection: { ...connection, password: unknown } }],
        ["columns to drop", { dropColumns: [unknown] }],
    ])("is passed over in %s", (_what, given) => {
        expect(problemsOf(given)).toEqual([]);
    });

    it("does not hide what is wrong beside it", () => {
        expect(problemsOf({ columns: [unknown, { name: "v" }], chunkTimeInterval: "x" })).toEqual([
            "chunkTimeInterval: chunkTimeInterval is not an interval",
            "columns: columns[1].type is not a type",
        ]);
    });
});
