import {
    databaseKey,
    type Declaration,
    declarationJudgements,
    declarationProblems,
    declaredCalls,
    declaredReads,
} from "../../components/timescale/core/declarations";
import { explain, TimescaleError } from "../../components/timescale/core/errors";

const here = { host: "db", port: 5432, database: "d", user: "u", password: "p" };

/** `schema.name` or `name`, and what it selects from. */
function declared(title: string, from?: string, more: Partial<Declaration> = {}): Declaration {
    const [name, schema = "public"] = title.split(".").reverse();
    return {
        database: databaseKey(here),
        kind: from === undefined ? "Hypertable" : "ContinuousAggregate",
        resource: title.replaceAll(/[._]/g, "-"),
        schema,
        name,
        ...(from !== undefined && {
            text: `SELECT time_bucket('1 hour', ts), count(*) FROM ${from} GROUP BY 1`,
        }),
        ...more,
    };
}

/** Names of resources by what reads them. */
function reads(...all: readonly Declaration[]): Record<string, string[]> {
    return Object.fromEntries(
        [...declaredReads(all)]
            .map(([one, others]) => [one.resource, others.map(({ resource }) => resource)] as const)
            .filter(([, others]) => others.length > 0),
    );
}

function problems(...all: readonly Declaration[]): string[] {
    return declarationProblems(all).map(explain);
}

describe("what an object reads", () => {
    it("is declared in any order", () => {
        const all = [declared("day", "hour"), declared("hour", "m"), declared("m")];
        expect(reads(...all)).toEqual({ day: ["hour"], hour: ["m"] });
        expect(reads(...all.reverse())).toEqual({ day: ["hour"], hour: ["m"] });
    });

    it("is found in its own schema first, then in public", () => {
        const tables = [declared("m"), declared("s.m"), declared("t.k"), declared("k")];
        expect(reads(...tables, declared("s.hour", "m"))).toEqual({ "s-hour": ["s-m"] });
        expect(reads(...tables, declared("s.hour", "k"))).toEqual({ "s-hour": ["k"] });
        expect(reads(...tables, declared("hour", "m"))).toEqual({ hour: ["m"] });
        expect(reads(...tables, declared("s.hour", "t.k, public.m"))).toEqual({
            "s-hour": ["t-k", "m"],
        });
    });

    it("goes by names as PostgreSQL stores them", () => {
        const odd = declared("M", undefined, { schema: 'S "x"' });
        expect(reads(odd, declared("hour", '"S ""x"""."M"'))).toEqual({ hour: ["M"] });
        expect(reads(odd, declared("hour", '"S ""x""".M'))).toEqual({});
        expect(reads(declared("m"), declared("hour", "PUBLIC.M"))).toEqual({ hour: ["m"] });
    });

    it("is not itself where its name means another at its creation", () => {
        expect(reads(declared("m"), declared("s.m", "m"))).toEqual({ "s-m": ["m"] });
        expect(reads(declared("s.m", "m"))).toEqual({});
    });

    it("is in the same database", () => {
        const elsewhere = declared("m", undefined, {
            database: databaseKey({ ...here, database: "e" }),
        });
        expect(reads(elsewhere, declared("hour", "m"))).toEqual({});
    });

    it("is unknown where names or texts are", () => {
        expect(reads(declared("m", undefined, { name: undefined }), declared("h", "m"))).toEqual(
            {},
        );
        expect(reads(declared("m"), declared("h", "m", { schema: undefined }))).toEqual({
            h: ["m"],
        });
        expect(reads(declared("m"), declared("h", "m", { text: undefined }))).toEqual({});
    });
});

describe("the database of a connection", () => {
    it("is told by host, port and name, whoever logs in", () => {
        expect(databaseKey({ ...here, user: "v" })).toBe(databaseKey({ ...here }));
        expect(databaseKey({ ...here, port: 5433 })).not.toBe(databaseKey(here));
    });

    it("is told by identity where it is not known", () => {
        const promise = Promise.resolve(here);
        const partly = { ...here, host: Promise.resolve("db") };
        for (const value of [promise, partly, undefined, null, "postgres://"]) {
            expect(databaseKey(value)).toBe(value);
        }
        expect(databaseKey(partly)).not.toBe(databaseKey({ ...partly }));
    });
});

describe("declarations that do not fit together", () => {
    it("are none in a sound program", () => {
        const day = declared("day", "hour", {
            text: "SELECT time_bucket('1 day', bucket) FROM hour GROUP BY 1",
        });
        expect(problems(declared("m"), declared("hour", "m"), day)).toEqual([]);
    });

    it("are several of one name in one database", () => {
        const others = [
            declared("s.m"),
            declared("m", undefined, { database: databaseKey({ ...here, host: "e" }) }),
            declared("m", undefined, { name: undefined }),
        ];
        expect(problems(declared("m"), ...others)).toEqual([]);
        const again = declared("m", "x", { resource: "again" });
        expect(problems(declared("m"), ...others, again)).toEqual([
            [
                "public.m is declared twice",
                '  detail: by Hypertable "m" and ContinuousAggregate "again", in one database',
                "  hint:   give each another name, or remove all but one",
            ].join("\n"),
        ]);
        expect(problems(again, again, again)[0]).toContain("public.m is declared 3 times");
    });

    it("are those that read each other in a cycle", () => {
        const cycle = [declared("a", "b"), declared("b", "s.c, m"), declared("s.c", "a, m")];
        expect(problems(declared("m"), ...cycle)).toEqual([
            [
                "public.a, public.b and s.c read each other in a cycle",
                "  detail: public.a reads public.b, public.b reads s.c, s.c reads public.a: none of them can be created first",
                "  hint:   let one of them read a table that none of them fills",
            ].join("\n"),
        ]);
        expect(problems(declared("a", "b"), declared("b", "a"), declared("c", "a"))).toHaveLength(
            1,
        );
    });

    it("are one that reads itself", () => {
        expect(problems(declared("a", "public.a"))[0]).toContain("public.a reads itself");
        expect(problems(declared("a", "m"), declared("m"))).toEqual([]);
    });

    it("are buckets that do not go into each other", () => {
        const minute = declared("minute", "hour", {
            text: "SELECT time_bucket('1 minute', bucket) FROM hour GROUP BY 1",
        });
        expect(problems(minute, declared("hour", "m"))[0]).toContain(
            "the buckets of public.minute do not fit those of public.hour",
        );
        expect(problems({ ...minute, kind: "View" }, declared("hour", "m"))).toEqual([]);
        expect(problems(minute, { ...declared("hour", "m"), kind: "View" })).toEqual([]);
    });

    it("are told all at once", () => {
        const all = [
            declared("a", "b"),
            declared("b", "a"),
            declared("m"),
            declared("m"),
            declared("hour", "m"),
            declared("minute", "hour", {
                text: "SELECT time_bucket('7 minutes', bucket) FROM hour GROUP BY 1",
            }),
        ];
        expect(problems(...all)).toHaveLength(3);
    });
});

describe("refresh windows of a hierarchy", () => {
    const late = (child: unknown, parent: unknown): string[] => {
        const hour = declared("hour", "m", { refreshPolicy: { startOffset: parent } });
        const day = declared("day", "hour", { refreshPolicy: { startOffset: child } });
        const judged = declarationJudgements([day, hour]);
        expect(judged.get(hour)?.findings).toEqual([]);
        return (judged.get(day)?.findings ?? []).map(({ rule, message, detail, hint }) => {
            expect(rule).toBe("child_window_shorter");
            return explain(new TimescaleError(message, { detail, hint }));
        });
    };

    it.each([
        ["7 days", "1 day"],
        ["1 day", "24 hours"],
        [undefined, "1 day"],
        [null, undefined],
        ["soon", "1 day"],
        [Promise.resolve("1 hour"), "1 day"],
    ])("may reach back %s over %s", (child, parent) => {
        expect(late(child, parent)).toEqual([]);
    });

    it("should reach back as far as those of what is read", () => {
        expect(late("1 day", "7 days")).toEqual([
            [
                "late rows will be missing from public.day",
                "  detail: public.hour, which it reads, refreshes the last 7 days, and public.day only the last 1 day",
                '  hint:   set refreshPolicy.startOffset of public.day to at least "7 days", or leave it out',
            ].join("\n"),
        ]);
        expect(late("1 day", undefined)[0]).toContain("refreshes everything");
    });

    it("do not matter without a policy", () => {
        const hour = declared("hour", "m", { refreshPolicy: { startOffset: "7 days" } });
        const day = declared("day", "hour");
        expect(declarationJudgements([hour, day]).get(day)?.findings).toEqual([]);
    });
});

describe("calls of declared functions", () => {
    const share = {
        kind: "SqlFunction",
        resource: "share",
        database: "db",
        schema: "app",
        text: "CREATE FUNCTION share(a int) RETURNS int LANGUAGE sql AS $$ SELECT a $$",
    };

    it.each([
        ["by name", "SELECT share(1) AS s", true],
        ["with its schema", 'SELECT "app" . share (1)', true],
        ["in a body", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT share(2)'", true],
        ["in another schema", "SELECT other.share(1)", false],
        ["as a column", "SELECT share FROM t", false],
        ["in a string or a comment", "SELECT 'share(1)' -- share(1)", false],
    ])("%s are told from the text", (_what, text, calls) => {
        const view = {
            kind: "View",
            resource: "v",
            database: "db",
            schema: "app",
            name: "v",
            text,
        };
        expect(declaredCalls([view, share]).get(view)).toEqual(calls ? [share] : []);
    });

    it("of itself are none, nor in another database", () => {
        const recursive = { ...share, text: share.text.replace("SELECT a", "SELECT share(a)") };
        const elsewhere = { ...share, database: "other", text: "SELECT share(1)", kind: "View" };
        const calls = declaredCalls([recursive, elsewhere]);
        expect([calls.get(recursive), calls.get(elsewhere)]).toEqual([[], []]);
    });
});
