/** Rules between the objects of one program. */
import {
    type Declaration,
    declarationJudgements,
} from "../../components/timescale/core/declarations";
import type { Finding } from "../../components/timescale/core/rules/finding";
import { columnKinds } from "../../components/timescale/core/rules/rollUp";

const database = "db";

function table(more: Partial<Declaration> = {}): Declaration {
    return { database, kind: "Hypertable", resource: "m", schema: "public", name: "m", ...more };
}

function aggregate(name: string, text: string, more: Partial<Declaration> = {}): Declaration {
    const kind = "ContinuousAggregate";
    return { database, kind, resource: name, schema: "public", name, text, ...more };
}

function minute(more: Partial<Declaration> = {}, columns = "count(*) AS n"): Declaration {
    return aggregate(
        "minute",
        `SELECT time_bucket('1 minute', ts) AS ts, ${columns} FROM m GROUP BY 1`,
        more,
    );
}

function hour(more: Partial<Declaration> = {}, columns = "sum(n) AS n"): Declaration {
    return aggregate(
        "hour",
        `SELECT time_bucket('1 hour', ts) AS ts, ${columns} FROM minute GROUP BY 1`,
        more,
    );
}

function judge(of: Declaration, ...all: readonly Declaration[]): readonly Finding[] {
    return declarationJudgements(all).get(of)?.findings ?? [];
}

const codes = (findings: readonly Finding[]): string[] => findings.map(({ rule }) => rule);

const refresh = (startOffset?: string, endOffset = "1 hour") => ({
    refreshPolicy: { startOffset, endOffset },
});
const keep = (dropAfter: string, more = {}) => ({ retentionPolicy: { dropAfter, ...more } });

describe("an aggregate and the table that it reads", () => {
    it("know that the other is declared", () => {
        const [m, one] = [table(), minute()];
        const judged = declarationJudgements([one, m]);
        expect(judged.get(m)).toEqual({
            findings: [],
            sourceDeclared: false,
            declaredReaders: ["public.minute"],
        });
        expect(judged.get(one)).toMatchObject({ sourceDeclared: true, declaredReaders: [] });
        expect(declarationJudgements([one]).get(one)?.sourceDeclared).toBe(false);
    });

    it("leave to the server what is computed", () => {
        const [m, one] = [table({ computed: true }), minute()];
        expect(declarationJudgements([one, m]).get(one)?.sourceDeclared).toBe(false);
    });

    it.each([
        ["90 days", "90 days", []],
        ["3 months", "90 days", []],
        ["90 days 1 second", "90 days", ["refresh_beyond_source_retention"]],
        [undefined, "90 days", ["unbounded_refresh_over_retention"]],
        ["soon", "90 days", []],
    ])("with refreshes of %s and retention of %s: %j", (start, dropAfter, expected) => {
        const [m, one] = [table(keep(dropAfter)), minute(refresh(start))];
        expect(codes(judge(one, m, one))).toEqual(expected);
        // Whichever changes first, the other has to know: the table's retention is applied first.
        expect(codes(judge(m, m, one))).toEqual(expected);
    });

    it("are told what is at stake and what to do, at both ends", () => {
        const [m, one] = [table(keep("30 days")), minute(refresh("40 days"))];
        expect(judge(one, m, one)).toMatchObject([
            {
                severity: "refuse",
                property: "refreshPolicy",
                message: "refreshes of public.minute reach further back than public.m is kept",
                detail: "refreshPolicy.startOffset of public.minute is 40 days, and public.m drops after 30 days: a refresh of buckets whose rows were dropped deletes them from public.minute",
                hint: 'set refreshPolicy.startOffset of public.minute to at most "30 days", or retentionPolicy.dropAfter of public.m to at least "40 days"',
            },
        ]);
        expect(judge(m, m, one)).toMatchObject([{ property: "retentionPolicy" }]);
    });

    it("need no rule where nothing is dropped or refreshed", () => {
        const one = minute(refresh());
        for (const m of [table(), table(keep("1 day", { paused: true }))]) {
            expect(judge(one, m, one)).toEqual([]);
        }
        const paused = { refreshPolicy: { endOffset: "1 hour", paused: true } };
        for (const still of [minute(), minute(paused)]) {
            const m = table(keep("1 day"));
            expect(judge(still, m, still)).toEqual([]);
        }
    });

    it("are waived at both ends by the aggregate that would suffer", () => {
        const waive = [{ rule: "unbounded_refresh_over_retention", reason: "rebuilt" }] as const;
        const [m, one] = [table(keep("30 days")), minute({ ...refresh(), waive })];
        expect(judge(m, m, one)[0]?.waived).toBe("rebuilt (on public.minute)");
        // The resource's own waivers are looked at where its findings are.
        expect(judge(one, m, one)[0]).not.toHaveProperty("waived");
    });
});

describe("products of integers", () => {
    const types = new Map([
        ["i", "integer"],
        ["s", "SMALLINT"],
        ["b", "bigint"],
        ["f", "double precision"],
        ["n", "numeric(12,8)"],
    ]);

    it.each([
        ["sum(i * i) AS x", true],
        ["sum(m.i*s) AS x", true],
        ["avg((i * i)) AS x", true],
        ["sum(b + i * s) FILTER (WHERE b > 0) AS x", true],
        ["sum(i * b) AS x", false],
        ["sum(i::bigint * i) AS x", false],
        ["sum(i * i::bigint) AS x", false],
        ["sum((i * i)::bigint) AS x", true],
        ["sum(i * f) AS x", false],
        ["sum(i * n * i) AS x", false],
        ["sum(i * 2) AS x", false],
        ["sum(i) * max(i) AS x", false],
        ["sum(unknown * i) AS x", false],
        ["sum(i) FILTER (WHERE i * i > 4) AS x", false],
        ["'sum(i * i)' AS x", false],
    ])("in %s overflow: %s", (column, overflows) => {
        const [m, one] = [table({ columnTypes: types }), minute({}, column)];
        expect(codes(judge(one, m, one))).toEqual(overflows ? ["integer_product"] : []);
        if (overflows) {
            expect(judge(one, m, one)[0]?.message).toBe(
                "column x multiplies integers inside an aggregate",
            );
        }
        expect(judge(m, m, one)).toEqual([]);
    });
});

describe("an aggregate over an aggregate", () => {
    it.each([
        [refresh("7 days"), refresh("7 days", "1 minute"), []],
        [refresh("6 days"), refresh("7 days", "1 minute"), ["child_window_shorter"]],
        [refresh("7 days"), refresh(undefined, "1 minute"), ["child_window_shorter"]],
        [refresh("7 days", "2 minutes"), refresh("1 day", "1 minute"), []],
        [refresh("7 days", "119 seconds"), refresh("1 day", "1 minute"), ["child_ahead_of_parent"]],
        [refresh("8 days"), keep("7 days"), ["refresh_beyond_source_retention"]],
        [refresh("7 days"), keep("7 days"), []],
        [keep("7 days"), keep("7 days"), []],
        [keep("6 days"), keep("7 days"), ["child_retention_shorter"]],
        [keep("6 days"), {}, ["child_retention_shorter"]],
        [{}, keep("7 days"), []],
    ])("with %j over %j: %j", (child, parent, expected) => {
        const [one, other] = [hour(child), minute(parent)];
        expect(codes(judge(one, one, other))).toEqual(expected);
    });

    const below = [
        "avg(v) AS a",
        "round(avg(v)::numeric, 2) AS r",
        "count(DISTINCT u) AS u",
        "percentile_cont(0.95) WITHIN GROUP (ORDER BY v) AS p95",
        "sum(v) AS s",
        "count(v) AS n",
        "max(v) AS m",
    ].join(", ");

    it("knows what kind of column the parent has", () => {
        const text = minute(
            {},
            `${below}, avg(v) * count(v) AS total, avg(x), count(*) AS k`,
        ).text!;
        expect(Object.fromEntries(columnKinds(text))).toEqual({
            a: "average",
            r: "average",
            u: "distinctCount",
            p95: "percentile",
            avg: "average",
        });
    });

    it.each([
        ["avg(a) AS x", ["average_of_averages"]],
        ["round(avg(minute.r)::numeric, 1) AS x", ["average_of_averages"]],
        ["sum(s) / sum(n) AS x", []],
        ["sum(a * n) / sum(n) AS x", []],
        ["avg(s) AS x, max(a) AS y", []],
        ["sum(u)::bigint AS x", ["sum_of_distinct_counts"]],
        ["avg(u) AS x, max(u) AS y", []],
        ["percentile_cont(0.5) WITHIN GROUP (ORDER BY p95) AS x", ["percentile_of_percentiles"]],
        [
            "percentile_disc(0.5) WITHIN GROUP (ORDER BY p95 DESC) AS x",
            ["percentile_of_percentiles"],
        ],
        ["avg(p95) AS x", ["percentile_of_percentiles"]],
        ["max(p95) AS x", []],
        ["percentile_cont(0.5) WITHIN GROUP (ORDER BY m) AS x", []],
        ["avg(a) AS x, avg(a) FILTER (WHERE n > 0) AS y", ["average_of_averages"]],
    ])("does not add up what does not: %s", (columns, expected) => {
        const [one, other] = [hour({}, columns), minute({}, below)];
        const found = judge(one, one, other);
        expect(codes(found)).toEqual(expected);
        for (const { severity, detail } of found) {
            expect([severity, detail.includes("of public.minute")]).toEqual(["refuse", true]);
        }
    });
});
