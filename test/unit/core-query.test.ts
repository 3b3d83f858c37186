import { readdirSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";

import { lengthOf } from "../../components/timescale/core/interval";
import {
    blank,
    bucketOf,
    bucketWidth,
    queryProblems,
    statementBody,
} from "../../components/timescale/core/query/query";
import { readSql } from "../../components/timescale/core/sqlFile";

const sound = "SELECT time_bucket('1 hour', ts) AS bucket, count(*) AS n FROM m GROUP BY 1";

function messages(query: string): string[] {
    return queryProblems(query).map(({ message }) => message);
}

describe("a sound query", () => {
    it.each([
        ["as it is", sound],
        ["with a semicolon at its end", `${sound};\n`],
        ["with several semicolons at its end", `${sound} ; ;`],
        ["behind a comment", `-- buckets; of an hour\n/* all /* of */ them; */\n${sound}`],
        ["before a comment", `${sound}; -- by hour; really`],
        ["with a semicolon in a string", `${sound} HAVING max(x) <> 'a;b'`],
        ["with a semicolon behind a doubled quote", `${sound} HAVING max(x) <> 'it''s;'`],
        ["with a semicolon behind a backslash quote", `${sound} HAVING max(x) <> E'it\\'s;'`],
        ["with a backslash that ends a plain string", `${sound} HAVING max(x) <> '\\' AND 1 = 1`],
        ["with a semicolon in dollar quotes", `${sound} HAVING max(x) <> $a$ ; $$ now() $a$`],
        [
            "with a semicolon in a name",
            `SELECT time_bucket('1 hour', "t;s") AS b FROM m GROUP BY 1`,
        ],
        [
            "with a comment's beginning in a string",
            `${sound} HAVING max(x) <> '--' AND max(y) <> '/*'`,
        ],
        ["with a dollar in a name", `${sound.replace("(*)", "(a$b$c)")} HAVING count(d$b$e) > 0`],
        ["in parentheses", `(${sound})`],
        ["in lower case", sound.toLowerCase()],
        ["with time_bucket in capitals", sound.replace("time_bucket", "TIME_BUCKET ")],
        ["with a quoted time_bucket", sound.replace("time_bucket", '"time_bucket"')],
        ["with a qualified time_bucket", sound.replace("time_bucket", "public.time_bucket")],
        [
            "with a column named like a function",
            sound.replace("count(*)", 'max("now"), min(m.user)'),
        ],
        ["with a name given by AS that is a reserved word", sound.replace("AS n", "AS user")],
        ["with now() in a comment and a string", `${sound} HAVING max(x) <> 'now()' -- random()`],
        ["with a function whose name ends alike", sound.replace("count(*)", "max(my_now())")],
        ["with date_trunc, immutable for times without zone", `${sound}, date_trunc('day', ts)`],
    ])("has no problem %s", (_how, query) => {
        expect(messages(query)).toEqual([]);
    });

    it.each(readdirSync(join(__dirname, "../../sql/aggregates")))("is %s", (file) => {
        expect(queryProblems(readSql(`aggregates/${file}`))).toEqual([]);
    });
});

describe("queryProblems", () => {
    it.each(["", "  \n", ";", "-- nothing yet", "/* nothing */ ;"])("finds %p empty", (query) => {
        expect(messages(query)).toEqual(["the query is empty"]);
    });

    it("finds a second statement, and the line that it begins on", () => {
        const [problem, ...others] = queryProblems(`${sound}\n;\n\nDROP TABLE m`);
        expect(problem).toMatchObject({
            message: "the query holds more than one statement",
            detail: "a second statement begins at line 4",
        });
        expect(others).toEqual([]);
    });

    it.each([
        ["a comment that is closed early", `${sound} /* /* */ */; DROP TABLE m`],
        [
            "a string that a backslash does not prolong",
            `${sound} HAVING max(x) <> '\\'; DROP TABLE m`,
        ],
        [
            "an E string whose backslash is escaped",
            `${sound} HAVING max(x) <> E'\\\\'; DROP TABLE m`,
        ],
        [
            "a dollar quote with another tag inside",
            `${sound} HAVING max(x) <> $a$ $b$ $a$; DROP TABLE m`,
        ],
        ["a quoted name", `SELECT time_bucket('1 h', "a""b") FROM m; DROP TABLE m`],
        ["what is no dollar quote, but two names", `${sound}, x$$, y; DROP TABLE m -- $$`],
    ])("finds a second statement behind %s", (_what, query) => {
        expect(messages(query)).toEqual(["the query holds more than one statement"]);
    });

    it("does not take WITH, and still checks the rest", () => {
        expect(messages("WITH x AS (SELECT now()) SELECT * FROM x; SELECT 1")).toEqual([
            "the query holds more than one statement",
            "the query begins with WITH",
            "the query has no time_bucket",
            "the query calls now, whose result is not always the same",
        ]);
    });

    it.each([
        [
            "CREATE MATERIALIZED VIEW h AS SELECT time_bucket('1 h', ts) FROM m",
            "it begins with CREATE",
        ],
        ["DELETE FROM m WHERE time_bucket('1 h', ts) < x", "it begins with DELETE"],
        ["VALUES (time_bucket('1 h', x))", "it begins with VALUES"],
        ["/* x */ 12 time_bucket('1 h')", "it begins with \"12 time_bucket('1 h'\""],
    ])("does not take %s", (query, detail) => {
        expect(queryProblems(query)).toEqual([
            expect.objectContaining({ message: "the query is not a SELECT", detail }),
        ]);
    });

    it.each([
        ["at all", "SELECT ts, count(*) FROM m GROUP BY 1"],
        ["but in a comment", "SELECT ts /* time_bucket('1 h', ts) */ FROM m GROUP BY 1"],
        ["but in a string", "SELECT 'time_bucket(' FROM m GROUP BY 1"],
        ["but as a column", "SELECT time_bucket FROM m GROUP BY 1"],
        ["but one of its own", "SELECT my_time_bucket('1 h', ts) FROM m GROUP BY 1"],
        ["but to fill gaps", "SELECT time_bucket_gapfill('1 h', ts) FROM m GROUP BY 1"],
    ])("asks for time_bucket where there is none %s", (_how, query) => {
        expect(messages(query)).toEqual(["the query has no time_bucket"]);
    });

    it.each([
        ["now", sound.replace("FROM m", "FROM m WHERE ts > now() - interval '1 day'")],
        ["now", sound.replace("count(*)", "max(pg_catalog.NOW ())")],
        ["random", sound.replace("count(*)", "sum(random())")],
        ["clock_timestamp", `${sound} HAVING max(ts) < clock_timestamp()`],
        ["current_timestamp", sound.replace("FROM m", "FROM m WHERE ts < CURRENT_TIMESTAMP")],
        ["current_date", sound.replace("FROM m", "FROM m WHERE ts < current_date")],
        ["current_user", sound.replace("FROM m", "FROM m WHERE owner = current_user")],
        ["user", sound.replace("FROM m", "FROM m WHERE owner = user")],
        ["to_char", sound.replace("count(*)", "min(to_char(ts, 'YYYY'))")],
        ["nextval", sound.replace("count(*)", "max(nextval('s'))")],
    ])("finds the mutable %s wherever it stands", (name, query) => {
        expect(messages(query)).toEqual([
            `the query calls ${name}, whose result is not always the same`,
        ]);
    });

    it("names each mutable function once", () => {
        const query = sound.replace(
            "FROM m",
            "FROM m WHERE ts < NOW() AND x < random() AND now() > y",
        );
        expect(messages(query)).toEqual([
            "the query calls now, whose result is not always the same",
            "the query calls random, whose result is not always the same",
        ]);
    });
});

describe("statementBody", () => {
    it.each([
        ["a semicolon", `${sound};`],
        ["a semicolon and a comment", `  ${sound} ; -- the end`],
        ["a comment without a line's end", `${sound} -- the end`],
        ["a block comment", `${sound}\n/* the; end */ ;;`],
    ])("ends before %s", (_what, query) => {
        expect(statementBody(query)).toBe(sound);
    });

    it("keeps comments and quotes in its midst as they are", () => {
        const query = "SELECT 'a;b' /* c; */ AS x -- d;\nFROM m";
        expect(statementBody(`${query};`)).toBe(query);
    });
});

describe("blank", () => {
    it("keeps length and lines, so that positions stay true", () => {
        const piece = fc.constantFrom(
            "a", " ", "\n", ";", "'x;''y'", "E'\\';'", '"n;""o"', "$$;$$", "$t$;$$;$t$",
            "/* ; /* ; */ ; */", "-- ;\n", "time_bucket(",
        ); // prettier-ignore
        fc.assert(
            fc.property(fc.array(piece), (pieces) => {
                const query = pieces.join(" ");
                const shape = blank(query);
                expect(shape).toHaveLength(query.length);
                expect(shape.split("\n").map((line) => line.length)).toEqual(
                    query.split("\n").map((line) => line.length),
                );
                expect(shape.split(";")).toHaveLength(
                    pieces.filter((text) => text === ";").length + 1,
                );
            }),
        );
    });

    it.each(["SELECT 'open", 'SELECT "open', "SELECT $$open", "SELECT /* open", "SELECT -- open"])(
        "does not stumble over the unfinished %s",
        (query) => {
            expect(blank(query)).toHaveLength(query.length);
            expect(blank(query)).not.toContain("open");
        },
    );
});

describe("bucketWidth", () => {
    const hour = 3_600_000_000;

    it.each([
        ["time_bucket('1 hour', ts)", hour],
        ["TIME_BUCKET( '60 minutes' , ts)", hour],
        ["time_bucket(INTERVAL '1 hour', ts)", hour],
        ["time_bucket('1 hour'::interval, ts)", hour],
        ["time_bucket(bucket_width => '01:00:00', ts => ts)", hour],
        ["time_bucket(bucket_width := INTERVAL 'PT1H', ts := ts)", hour],
        ["public.time_bucket('1 hour', ts)", hour],
        [`"time_bucket"('1 hour', ts)`, hour],
        ["time_bucket(/* an hour */ '1 hour', ts)", hour],
        ["time_bucket('1 month', ts, 'Europe/Berlin')", 720 * hour],
    ])("reads %s", (call, length) => {
        const width = bucketWidth(`SELECT ${call}, count(*) FROM m GROUP BY 1`);
        expect(width && lengthOf(width)).toBe(length);
    });

    it.each([
        "time_bucket(3600, n)",
        "time_bucket($1, ts)",
        "time_bucket('soon', ts)",
        "time_bucket('1 hour'::interval * 2, ts)",
        "time_bucket('1 hour' || '', ts)",
        "date_trunc('hour', ts)",
    ])("leaves %s to the server", (call) => {
        expect(bucketWidth(`SELECT ${call}, count(*) FROM m GROUP BY 1`)).toBeUndefined();
    });

    it("reads the call, and no comment or string that looks like one", () => {
        const query = `SELECT 'time_bucket(''1 day''' -- time_bucket('2 days', ts)
            , time_bucket('1 hour', ts) FROM m GROUP BY 2`;
        const width = bucketWidth(query);
        expect(width && lengthOf(width)).toBe(hour);
    });
});

describe("buckets in a time zone", () => {
    const inTimeZone = (call: string): boolean | undefined =>
        bucketOf(`SELECT ${call}, count(*) FROM m GROUP BY 1`)?.inTimeZone;

    it.each([
        "time_bucket('1 day', ts, 'Europe/Berlin')",
        "time_bucket('1 day'::interval, f(ts, 'x'), text 'Europe/Berlin'::text)",
        "time_bucket('1 day', ts, $$Europe/Berlin$$, '2024-01-01'::timestamptz)",
        "time_bucket('1 day', ts, timezone => 'Europe/Berlin')",
        "time_bucket('1 day', ts, TimeZone := 'Europe/Berlin')",
    ])("are those of %s", (call) => expect(inTimeZone(call)).toBe(true));

    it.each([
        "time_bucket('1 day', ts)",
        "time_bucket('1 day', ts AT TIME ZONE 'Europe/Berlin')",
        "time_bucket('1 day', ts, '2024-01-01'::timestamptz)",
        "time_bucket('1 day', ts, timestamptz '2024-01-01')",
        "time_bucket('1 day', ts, origin => '2024-01-01')",
        `time_bucket('1 day', ts, "offset" => '2 hours'), 'Europe/Berlin'`,
    ])("are not those of %s", (call) => expect(inTimeZone(call)).toBe(false));
});
