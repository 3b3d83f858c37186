/** What of the ten checks needs no server. */
import { merged, spread } from "../../commands/verify/accuracy";
import { undecidedColumns } from "../../commands/verify/buckets";
import { junit } from "../../commands/verify/junit";
import { isFunction, observatoryObjects } from "../../commands/verify/objects";
import { parseOptions } from "../../commands/verify/options";
import { calls } from "../../commands/verify/queries";
import { describeResults, resultsAsJson, sumUp, withoutStack } from "../../commands/verify/report";
import {
    checkNames,
    exitCodeOf,
    type Result,
    resultOf,
    runCheck,
} from "../../commands/verify/result";
import { rowsRead } from "../../commands/verify/speed";
import { existence } from "../../commands/verify/standing";
import { judgeVersion } from "../../commands/verify/version";
import type { ServerFacts } from "../../components/server/preflight";
import { TimescaleError } from "../../components/timescale/core/errors";

const facts: ServerFacts = {
    postgresVersion: 150_018,
    inRecovery: false,
    readOnly: false,
    offeredVersion: "2.14.2",
    trusted: true,
    preloaded: true,
    maxWorkerProcesses: 40,
    maxBackgroundWorkers: 16,
    otherSchedulers: 0,
    otherWorkers: 0,
    license: "timescale",
    restoring: false,
    login: { user: "app", superuser: false, createRole: false, createDatabase: false },
    existingRoles: [],
    databaseExists: true,
    database: {
        installedVersion: "2.14.2",
        license: "timescale",
        restoring: false,
        readOnly: false,
        schemaExists: true,
        mayCreateInSchema: true,
    },
};

const place = { database: "llm_observatory", schema: "public", embedded: false };

function installed(version: string | null, more: Partial<ServerFacts> = {}): ServerFacts {
    return { ...facts, ...more, database: { ...facts.database!, installedVersion: version } };
}

describe("check 1", () => {
    it("passes on 2.14.2", () => {
        expect(judgeVersion(facts, place)).toEqual({
            summary: "TimescaleDB 2.14.2 on PostgreSQL 15.18, licence timescale",
            problems: [],
            notes: [],
        });
    });

    it.each([
        ["2.9.0", /TimescaleDB 2\.9\.0 is older than 2\.14/],
        ["2.13.1", /TimescaleDB 2\.13\.1 is older than 2\.14/],
        [null, /has no TimescaleDB/],
    ])("fails on %s, compared by numbers", (version, problem) => {
        const { problems } = judgeVersion(installed(version), place);

        expect(problems).toHaveLength(1);
        expect(problems[0]).toMatch(problem);
    });

    it("fails under the Apache licence, without the library and in a restore", () => {
        const bad = installed("2.14.2", { license: "apache", preloaded: false, restoring: true });

        expect(judgeVersion(bad, place).problems).toHaveLength(3);
    });

    it("notes what is no reason to fail", () => {
        const { problems, notes } = judgeVersion(installed("2.19.0", { postgresVersion: 150_020 }), place); // prettier-ignore

        expect(problems).toEqual([]);
        expect(notes?.map((note) => note.split(":")[0])).toEqual([
            "TimescaleDB 2.19.0 has not been tested",
            "TimescaleDB's jobs report failure on PostgreSQL 15.20",
        ]);
    });
});

function result(number: number, outcome: Result["outcome"], more: Partial<Result> = {}): Result {
    const name = checkNames[number - 1] ?? "version";
    return { number, name, outcome, summary: "found", problems: [], notes: [], milliseconds: 12, ...more }; // prettier-ignore
}

describe("the results", () => {
    it.each([
        [["passed", "passed"], 0, "passed", "2 of 2 checks passed"],
        [["passed", "skipped"], 1, "incomplete", "1 of 2 checks passed, 1 could not be run"],
        [["failed", "skipped"], 2, "failed", "0 of 2 checks passed, 1 failed, 1 could not be run"],
    ] as const)("of %j end with %i", (outcomes, code, outcome, text) => {
        const results = outcomes.map((one, at) => result(at + 1, one));

        expect([exitCodeOf(results), resultsAsJson(results).outcome, sumUp(results)]).toEqual([code, outcome, text]); // prettier-ignore
    });

    it("never take what could not be run for passed", () => {
        const skipped = resultOf("refresh", { summary: "", problems: [], skipped: "no right" }, 0);
        const both = resultOf(
            "refresh",
            { summary: "", problems: ["bad"], skipped: "no right" },
            0,
        );

        expect([skipped.outcome, skipped.problems]).toEqual(["skipped", ["no right"]]);
        expect([both.outcome, both.problems, both.notes]).toEqual([
            "failed",
            ["bad"],
            ["no right"],
        ]);
    });

    it("take the server's word for a failure, and a lost connection for the end", async () => {
        const fails = (code: string) => () =>
            Promise.reject(new TimescaleError("it said no", { code }));

        expect(await runCheck("refresh", fails("22003"))).toMatchObject({
            outcome: "failed",
            problems: ["it said no (22003)"],
        });
        for (const code of ["connection_lost", "57P01", "08006", "verification_stopped"]) {
            await expect(runCheck("refresh", fails(code))).rejects.toThrow("it said no");
        }
    });

    it("are shown without colours where there are none to be", () => {
        const plain = String;
        const colours = { green: plain, red: plain, yellow: plain, dim: plain };
        const results = [
            result(1, "passed"),
            result(2, "failed", { problems: ["x is missing\nhere"] }),
        ];

        expect(describeResults(results, colours)).toBe(
            [
                "passed   1 version    found (12 ms)",
                "failed   2 existence  found (12 ms)",
                "       x is missing\n         here",
            ].join("\n"),
        );
    });
});

describe("without a stack", () => {
    it("say of policies and definitions that differ that a stack may have them otherwise", () => {
        const failed = [3, 4, 9].map((number) => result(number, "failed", { problems: ["x"] }));

        const told = withoutStack([...failed, result(3, "passed")]);

        expect(told.map(({ notes }) => notes.length)).toEqual([1, 1, 0, 0]);
        expect(told[0]?.notes[0]).toContain("known with --stack alone");
    });
});

describe("JUnit", () => {
    it("has a case for each check, with what is wrong", () => {
        const text = junit(
            [
                result(1, "passed"),
                result(2, "failed", { problems: [`a "b" <c> & d\u0000\ud800`, "second"] }),
                result(6, "skipped", { problems: ["no right"] }),
            ],
            "db & more",
            new Date("2026-01-02T03:04:05Z"),
        );

        expect(text).toBe(
            [
                '<?xml version="1.0" encoding="UTF-8"?>',
                '<testsuites name="npm run verify" tests="3" failures="1" errors="0" skipped="1" time="0.036">',
                '  <testsuite name="db &amp; more" tests="3" failures="1" errors="0" skipped="1" time="0.036" timestamp="2026-01-02T03:04:05">',
                '    <testcase classname="verify" name="1 version" time="0.012">',
                "      <system-out>found</system-out>",
                "    </testcase>",
                '    <testcase classname="verify" name="2 existence" time="0.012">',
                '      <failure message="a &quot;b&quot; &lt;c&gt; &amp; d\ufffd\ufffd" type="existence">a &quot;b&quot; &lt;c&gt; &amp; d\ufffd\ufffd&#10;second</failure>',
                "      <system-out>found</system-out>",
                "    </testcase>",
                '    <testcase classname="verify" name="6 refresh" time="0.012">',
                '      <skipped message="no right"/>',
                "      <system-out>found</system-out>",
                "    </testcase>",
                "  </testsuite>",
                "</testsuites>",
                "",
            ].join("\n"),
        );
    });
});

describe("what is compared", () => {
    it("is spread from the first to the last", () => {
        const all = Array.from({ length: 11 }, (_, at) => at);

        expect(spread(all, 3)).toEqual([0, 5, 10]);
        expect(spread(all, 1)).toEqual([10]);
        expect(spread([1, 2], 5)).toEqual([1, 2]);
    });

    it("is taken together where all of it is compared, but not over a gap", () => {
        const unit = (at: number) => ({ start: `t${at}`, end: `t${at + 1}`, pending: false });

        expect(merged([unit(1), unit(2), unit(4)])).toEqual([unit(1), unit(2), unit(4)]);
        const many = Array.from({ length: 120 }, (_, at) => unit(at)).filter((_, at) => at !== 60);
        const found = merged(many);
        expect(found[0]).toEqual({ start: "t0", end: "t3", pending: false });
        expect(found.filter(({ start }) => start === "t60")).toEqual([]);
        expect(found.at(-1)?.end).toBe("t120");
    });

    it("leaves out what may be of any row of one moment", () => {
        const definition = [
            " SELECT time_bucket('01:00:00'::interval, llm_traces.ts) AS bucket,",
            '    "left"(last(llm_traces.error_message, llm_traces.ts), 200) AS sample_error_message,',
            "    avg(llm_traces.last) AS avg_last",
        ].join("\n");

        expect(undecidedColumns({ definition } as never)).toEqual(["sample_error_message"]);
    });

    it("counts the rows that the leaves of a plan read", () => {
        const scan = { "Actual Rows": 3, "Actual Loops": 2, "Rows Removed by Filter": 1 };

        expect(rowsRead({ "Actual Rows": 99, "Actual Loops": 1, Plans: [scan, scan] })).toBe(16);
    });
});

describe("check 2", () => {
    const withoutHelpers = (helpers?: boolean): unknown =>
        existence(
            observatoryObjects({ helpers }).map((object) => ({
                ...{ object, title: object.name, exists: !dashboards.has(object.name) },
                ...{ lines: [], refusals: [], error: undefined },
            })),
        );
    const dashboards = new Set(
        observatoryObjects()
            .filter(({ helper }) => helper)
            .map(({ name }) => name),
    );

    it("misses helpers where the stack has them, and asks for none where that is not known", () => {
        expect(dashboards.size).toBeGreaterThan(3);
        expect(withoutHelpers(true)).toMatchObject({
            problems: expect.arrayContaining([
                "view llm_sla_monitoring does not stand",
            ]) as string[],
        });
        expect(withoutHelpers(false)).toMatchObject({ problems: [], notes: [] });
        expect(withoutHelpers()).toMatchObject({
            problems: [],
            notes: ["none of the helper views and functions stand: not asked for here"],
        });
    });
});

describe("check 7", () => {
    it("has a call for every function that readers may call", () => {
        const called = observatoryObjects()
            .filter((object) => isFunction(object) && object.inputs["grants"] !== undefined)
            .map(({ name }) => name);

        expect(called.length).toBeGreaterThan(3);
        expect(Object.keys(calls).sort()).toEqual([...called].sort());
    });
});

describe("the command line", () => {
    it("has defaults", () => {
        expect(parseOptions([], {})).toEqual({
            server: undefined,
            stack: undefined,
            schema: undefined,
            sample: 5,
            json: false,
            junit: undefined,
        });
    });

    it("takes a database, a sample and a file", () => {
        const args = ["--db-host", "db", "--db-name", "x", "--db-user", "u", "--sample", "all", "--junit", "r.xml"]; // prettier-ignore

        expect(parseOptions(args, {})).toMatchObject({
            server: { host: "db", database: "x", user: "u" },
            sample: "all",
            junit: "r.xml",
        });
    });
});
