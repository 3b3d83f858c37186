/** The command line of `npm run backfill`, and what it says of what it narrows and does. */
import { clamps, describeClamp } from "../../commands/backfill/clamp";
import { choose } from "../../commands/backfill/find";
import { parseOptions } from "../../commands/backfill/options";
import { describeResult, type Result, resultAsJson } from "../../commands/backfill/report";
import { runs } from "../../commands/backfill/run";
import { parseTime, showTime } from "../../commands/backfill/times";

const now = Date.parse("2026-11-25T12:34:56Z");
const at = (time: string): string => `2026-${time}:00.000000Z`;

describe("a time", () => {
    it.each([
        ["2026-09-01", "2026-09-01T00:00:00.000000Z"],
        ["2026-09-01 12:30", "2026-09-01T12:30:00.000000Z"],
        ["2026-09-01T12:30:05Z", "2026-09-01T12:30:05.000000Z"],
        ["2026-09-01t12:30:05.5z", "2026-09-01T12:30:05.500000Z"],
        ["2026-09-01 12:30:05.123456", "2026-09-01T12:30:05.123456Z"],
        ["2026-09-01T00:30+02:00", "2026-08-31T22:30:00.000000Z"],
        ["2026-09-01T00:30-0530", "2026-09-01T06:00:00.000000Z"],
        ["2026-09-01T00:30+02", "2026-08-31T22:30:00.000000Z"],
        [" 2026-09-01 ", "2026-09-01T00:00:00.000000Z"],
    ])("%s", (text, literal) => {
        expect(parseTime(text)).toBe(literal);
    });

    it.each([
        ...["", "yesterday", "2026-9-1", "2026-13-01", "2026-02-30", "2026-09-01T25:00Z"],
        ...["2026-09-01T12:60", "2026-09-01 12:30'; DROP TABLE x", "01.09.2026", "infinity"],
    ])("is not %j", (text) => {
        expect(parseTime(text)).toBeUndefined();
    });

    it("is shown to the minute, or to the second where that says more", () => {
        expect(showTime("2026-09-01T12:30:00.000000Z")).toBe("2026-09-01 12:30 UTC");
        expect(showTime("2026-09-01T12:30:05.000000Z")).toBe("2026-09-01 12:30:05 UTC");
    });
});

describe("options", () => {
    const parse = (...args: string[]) => parseOptions(args, {}, now);

    it("takes the stack of npm start where no server is named", () => {
        expect(parse("hourly")).toEqual({
            ...{ aggregate: "hourly", from: undefined, to: undefined, dryRun: false, json: false },
            ...{ server: undefined, stack: undefined },
        });
        expect(parse("hourly", "--stack", "docker").stack).toBe("docker");
        expect(parseOptions(["hourly"], { PGHOST: "elsewhere" }, now).server).toBeUndefined();
    });

    it("takes times in UTC, and a server from options and libpq's variables", () => {
        const options = parseOptions(
            ["hourly", "--from", "2026-09-01", "--to=2026-10-01", "--dry-run", "--db-host", "db"],
            { PGUSER: "me", PGSSLMODE: "require" },
            now,
        );
        expect(options).toMatchObject({
            from: at("09-01T00:00"),
            to: at("10-01T00:00"),
            dryRun: true,
        });
        expect(options.server).toEqual({
            ...{ host: "db", port: 5432, database: "me", user: "me", sslMode: "require" },
        });
    });

    it.each([
        [["x", "--from", "2026-09-02", "--to", "2026-09-01"], "the range is empty"],
        [["x", "--from", "2026-09-01", "--to", "2026-09-01"], "the range is empty"],
        [["x", "--from", "2026-11-26"], "the range is in the future"],
        [
            ["x", "--stack", "docker", "--db-name", "y"],
            "--stack and the --db options name two databases",
        ],
    ])("refuses %j", (args, message) => {
        expect(() => parse(...args)).toThrow(
            expect.objectContaining({
                ...{ message, code: "invalid_option" },
                detail: expect.any(String) as string,
                hint: expect.any(String) as string,
            }) as Error,
        );
    });
});

describe("the aggregate that is meant", () => {
    const known = [
        { schema: "public", name: "llm_metrics_1min" },
        { schema: "public", name: "twice" },
        { schema: "app", name: "twice" },
        { schema: "app", name: 'Odd "name"' },
    ];

    it.each([
        ["llm_metrics_1min", "public"],
        ["public.llm_metrics_1min", "public"],
        ["app.twice", "app"],
        ['Odd "name"', "app"],
        ['app.Odd "name"', "app"],
    ])("is %s", (given, schema) => {
        expect(choose(given, known, "db").schema).toBe(schema);
    });

    it("is asked for again with the nearest name, with its schema, or with all names", () => {
        expect(() => choose("llm_metrics_1mni", known, "db")).toThrow(
            expect.objectContaining({
                message: "there is no continuous aggregate llm_metrics_1mni",
                detail: 'database db has llm_metrics_1min, twice, app.twice, app.Odd "name"',
                hint: "did you mean llm_metrics_1min?",
            }) as Error,
        );
        expect(() => choose("twice", known, "db")).toThrow(
            expect.objectContaining({
                message: "there are 2 continuous aggregates named twice",
                detail: "they are public.twice, app.twice",
            }) as Error,
        );
        expect(() => choose("x", [], "db")).toThrow(
            expect.objectContaining({ detail: "database db has none" }) as Error,
        );
    });
});

describe("what is narrowed", () => {
    const range = {
        ...{ lower: at("08-27T01:00"), upper: at("11-25T12:00"), rawFrom: at("08-27T00:30") },
        ...{
            present: at("11-25T12:00"),
            width: "01:00:00",
            timezone: null,
            unit: "01:00:00",
            chunk: 1,
        },
    };
    const said = (from?: string, to?: string, whole?: string, more: Partial<typeof range> = {}) =>
        clamps({ from, to }, { ...range, ...more }, whole).map(describeClamp);

    it("is nothing inside the range, or where nothing was asked", () => {
        expect(said()).toEqual([]);
        expect(said(range.lower, range.upper)).toEqual([]);
    });

    it("is what raw data no longer has, what is not over, and parts of buckets", () => {
        expect(said(at("01-01T00:00"), at("12-01T00:00"))).toEqual([
            "--from 2026-01-01 00:00 UTC becomes 2026-08-27 01:00 UTC: raw data is whole from 2026-08-27 00:30 UTC on: computing older buckets again would delete history",
            "--to 2026-12-01 00:00 UTC becomes 2026-11-25 12:00 UTC: later buckets are not over yet",
        ]);
        expect(said(at("08-27T00:45"))).toEqual([
            "--from 2026-08-27 00:45 UTC becomes 2026-08-27 01:00 UTC: a bucket is 01:00:00 long, and only whole ones are computed",
        ]);
        expect(said(undefined, at("10-01T00:30"), undefined, { upper: at("10-01T00:00") })).toEqual(
            [
                "--to 2026-10-01 00:30 UTC becomes 2026-10-01 00:00 UTC: a bucket is 01:00:00 long, and only whole ones are computed",
            ],
        );
        expect(
            said(at("08-28T00:00"), undefined, at("08-29T00:00"), { lower: at("08-29T00:00") }),
        ).toEqual([
            "--from 2026-08-28 00:00 UTC becomes 2026-08-29 00:00 UTC: raw data is whole from 2026-08-29 00:00 UTC on: computing older buckets again would delete history",
        ]);
    });
});

describe("the result", () => {
    const units = [1, 2, 3, 4].map((day) => ({
        ...{ start: at(`09-0${day}T00:00`), end: at(`09-0${day + 1}T00:00`), pending: day !== 3 },
    }));
    const result: Result = {
        ...{ aggregate: "public.hourly", clamps: [], dryRun: true, windows: 0 },
        range: { start: at("09-01T00:00"), end: at("09-05T00:00") },
        parts: runs(units).map((run, index) => ({ ...run, rows: index * 1200 })),
    };

    it("takes neighbours together", () => {
        expect(runs(units)).toEqual([
            { start: at("09-01T00:00"), end: at("09-03T00:00") },
            { start: at("09-04T00:00"), end: at("09-05T00:00") },
        ]);
    });

    it("lists windows and rows of a dry run", () => {
        const text = describeResult(result);
        expect(text).toMatch(/2026-09-01 00:00 UTC │ 2026-09-03 00:00 UTC │ +0 │/);
        expect(text).toMatch(/2026-09-04 00:00 UTC │ 2026-09-05 00:00 UTC │ +1,200 │/);
        expect(text).toMatch(/dry run, nothing was changed\.$/);
    });

    it("says what was done, and why there was nothing to do", () => {
        expect(describeResult({ ...result, dryRun: false, windows: 3 })).toBe(
            "public.hourly is computed from 2026-09-01 00:00 UTC to 2026-09-05 00:00 UTC, in 3 windows.\n1,200 of its rows stood in what was to be computed.",
        );
        expect(describeResult({ ...result, parts: [] })).toBe(
            "public.hourly has nothing to compute from 2026-09-01 00:00 UTC to 2026-09-05 00:00 UTC: it is filled, and raw data has not changed since.\nTimescaleDB computes a range again only where raw data has changed.",
        );
    });

    it("is the same as JSON", () => {
        expect(resultAsJson(result)).toEqual({
            ...{ aggregate: "public.hourly", dryRun: true, clamped: [], windows: 0 },
            ...{ from: at("09-01T00:00"), to: at("09-05T00:00") },
            parts: [
                { from: at("09-01T00:00"), to: at("09-03T00:00"), rows: 0 },
                { from: at("09-04T00:00"), to: at("09-05T00:00"), rows: 1200 },
            ],
        });
    });
});
