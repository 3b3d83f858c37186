/** Each rule fires with its numbers, and does not fire just outside its bound. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { desiredAggregate } from "../../components/timescale/core/aggregate/spec";
import { validateAggregate } from "../../components/timescale/core/aggregate/spec";
import { desiredHypertable } from "../../components/timescale/core/hypertable/spec";
import { ruleCodes, rules } from "../../components/timescale/core/rules/codes";
import { type Finding, judge } from "../../components/timescale/core/rules/finding";
import type { RuleFacts, SourceFacts } from "../../components/timescale/core/rules/inspect";
import { liveFindings, readerFindings } from "../../components/timescale/core/rules/live";
import { aggregateFindings, hypertableFindings } from "../../components/timescale/core/rules/own";
import { hourlyInputs } from "../helpers/builders";

const query = "SELECT time_bucket('1 hour', ts) AS bucket, count(*) AS n FROM m GROUP BY 1";
const refreshPolicy = { startOffset: "7 days", endOffset: "1 hour", scheduleInterval: "1 hour" };

function own(inputs: Readonly<Record<string, unknown>>): Finding[] {
    return aggregateFindings(desiredAggregate({ name: "hourly", query, ...inputs }));
}

function codes(findings: readonly Finding[]): string[] {
    return findings.map(({ rule }) => rule);
}

describe("rules on an aggregate alone", () => {
    it("find nothing in a sound one", () => {
        expect(
            own({
                refreshPolicy,
                retentionPolicy: { dropAfter: "7 days" },
                chunkTimeInterval: "1 day",
            }),
        ).toEqual([]);
    });

    it("want retention to begin where refreshes no longer reach", () => {
        const [found, ...others] = own({
            refreshPolicy,
            retentionPolicy: { dropAfter: "6 days 23 hours" },
        });
        expect(others).toEqual([]);
        expect(found).toMatchObject({
            rule: "retention_inside_refresh_window",
            severity: "refuse",
            property: "retentionPolicy",
            message: "retention of public.hourly lies inside its refresh window",
            detail: expect.stringMatching(/dropAfter is 6 days 23 hours, and .*startOffset 7 days/),
            hint: 'set retentionPolicy.dropAfter to at least "7 days", or refreshPolicy.startOffset to at most "6 days 23 hours"',
        });
        const paused = { dropAfter: "1 day", paused: true };
        expect(own({ refreshPolicy, retentionPolicy: paused })).toEqual([]);
    });

    it("point out refreshes without a start beside retention", () => {
        const unbounded = { endOffset: "1 hour", scheduleInterval: "1 hour" };
        expect(own({ refreshPolicy: unbounded })).toEqual([]);
        const [found] = own({ refreshPolicy: unbounded, retentionPolicy: { dropAfter: "1 year" } });
        expect(found).toMatchObject({
            rule: "retention_with_unbounded_refresh",
            severity: "warn",
            hint: 'set refreshPolicy.startOffset to at most "360 days"',
        });
    });

    it.each([
        [undefined, true],
        ["-1 hour", true],
        ["0 seconds", false],
        ["1 minute", false],
    ])("with endOffset %s, serves the open bucket: %s", (endOffset, open) => {
        const found = own({ refreshPolicy: { ...refreshPolicy, endOffset } });
        expect(codes(found)).toEqual(open ? ["open_bucket"] : []);
        if (open) expect(found[0]?.detail).toContain("the newest bucket, of 1 hour,");
    });

    it.each([
        ["59 minutes", undefined, ["chunk_shorter_than_bucket"]],
        ["1 hour", undefined, []],
        ["5 days", "10 days", []],
        ["121 hours", "10 days", ["chunk_longer_than_retention"]],
    ])("weigh a chunk of %s with retention %s: %j", (chunkTimeInterval, dropAfter, expected) => {
        const retentionPolicy = dropAfter && { retentionPolicy: { dropAfter } };
        expect(codes(own({ chunkTimeInterval, ...retentionPolicy }))).toEqual(expected);
    });

    it("weigh chunks of a hypertable as well, with its default", () => {
        const table = (dropAfter: string): Finding[] =>
            hypertableFindings(desiredHypertable({ name: "m", retentionPolicy: { dropAfter } }));
        expect(table("14 days")).toEqual([]);
        expect(table("13 days")[0]).toMatchObject({
            rule: "chunk_longer_than_retention",
            message: "public.m keeps rows for up to 20 days",
            hint: expect.stringContaining('such as "1 day 7 hours"') as string,
        });
    });

    it.each([
        ["HAVING", `${query} HAVING count(*) > 1`, ["having"]],
        ["ORDER BY", `${query} ORDER BY 1`, ["order_by"]],
        ["both, in brackets", `(${query}\nhaving true order  by 1) ;`, ["having", "order_by"]],
        [
            "ORDER BY in a call only",
            query.replace("count(*)", "percentile_cont(0.5) WITHIN GROUP (ORDER BY x)"),
            [],
        ],
        ["the words elsewhere", `${query} -- HAVING ORDER BY\n`, []],
        ["a column named so", query.replace("count(*)", 'max("having")'), []],
    ])("look at a query with %s", (_what, text, expected) => {
        expect(codes(own({ query: text }))).toEqual(expected);
    });
});

const nothing: RuleFacts = {
    source: null,
    run: null,
    compressedRows: 0,
    decompressionLimit: 100_000,
    workers: {
        demand: 0,
        jobs: 0,
        maxBackgroundWorkers: 16,
        maxWorkerProcesses: 27,
        otherSchedulers: 0,
        otherWorkers: 1,
    },
    products: null,
};

function live(facts: Partial<RuleFacts>, inputs = {}): Finding[] {
    const desired = desiredAggregate({ name: "hourly", query, refreshPolicy, ...inputs });
    return liveFindings(desired, {
        facts: { ...nothing, ...facts },
        backgroundWorkers: true,
        chunkTimeInterval: "10 days",
        sameQuery: true,
    });
}

describe("rules on the live database", () => {
    it("find nothing where nothing is known", () => {
        expect(live({})).toEqual([]);
    });

    it("know what a refresh may decompress", () => {
        expect(live({ compressedRows: 100_000 })).toEqual([]);
        expect(live({ compressedRows: 1e9, decompressionLimit: 0 })).toEqual([]);
        expect(live({ compressedRows: 1e9, decompressionLimit: null })).toEqual([]);
        expect(live({ compressedRows: 1e9 }, { refreshPolicy: undefined })).toEqual([]);
        expect(live({ compressedRows: 100_001 })).toEqual([
            expect.objectContaining({
                rule: "decompression_limit",
                severity: "refuse",
                detail: expect.stringMatching(/^100001 rows .* is 100000: .* 53400/) as string,
            }),
        ]);
    });

    it.each([
        [3600, 3600, false],
        [3601, 3601, true],
        [7200, null, true],
        [7200, 20, false],
        [20, 7200, false],
        [null, 7200, false],
    ])("compare a mean run of %s s and a last one of %s s with an hour", (mean, last, fires) => {
        const found = live({ run: { runs: 12, mean, last } });
        expect(codes(found)).toEqual(fires ? ["schedule_too_tight"] : []);
        if (fires) {
            expect(found[0]?.detail).toContain(
                `scheduleInterval is 1 hour, and a refresh takes ${mean} s on average of 12 runs`,
            );
        }
    });

    it("say nothing of the schedule of a job that is paused", () => {
        const paused = { refreshPolicy: { ...refreshPolicy, paused: true } };
        expect(live({ run: { runs: 12, mean: 9000, last: 9000 } }, paused)).toEqual([]);
    });

    it("add up the work of background workers", () => {
        const workers = { ...nothing.workers, jobs: 40, demand: 3, maxBackgroundWorkers: 4 };
        expect(live({ workers })).toEqual([]);
        const [found] = live({ workers: { ...workers, demand: 3.1 } });
        expect(found).toMatchObject({
            rule: "few_background_workers",
            severity: "warn",
            message:
                "the policies of this database have more to do than 3 background workers can do",
            detail: expect.stringContaining("adds up to 3.1 workers for 40 jobs") as string,
            hint: expect.stringContaining("raise timescaledb.max_background_workers") as string,
        });
        const few = { ...workers, maxBackgroundWorkers: 16, maxWorkerProcesses: 5, demand: 2.1 };
        expect(live({ workers: few })[0]?.hint).toContain("raise max_worker_processes");
    });

    it("know chunks that are not declared", () => {
        const retentionPolicy = { dropAfter: "15 days" };
        expect(codes(live({}, { retentionPolicy }))).toEqual(["chunk_longer_than_retention"]);
        const declared = { retentionPolicy, chunkTimeInterval: "1 day" };
        expect(live({}, declared)).toEqual([]);
    });

    const source: SourceFacts = {
        schema: "public",
        name: "m",
        definition: null,
        bucketWidth: null,
        dropAfter: "7 days",
        refresh: null,
    };

    it("know the retention of a source that is not declared", () => {
        expect(live({ source })).toEqual([]);
        expect(live({ source: { ...source, dropAfter: "6 days" } })).toEqual([
            expect.objectContaining({
                rule: "refresh_beyond_source_retention",
                severity: "refuse",
                detail: expect.stringContaining(
                    "startOffset of public.hourly is 7 days, and public.m drops after 6 days",
                ) as string,
            }),
        ]);
        const unbounded = { refreshPolicy: { endOffset: "1 hour", scheduleInterval: "1 hour" } };
        expect(codes(live({ source }, unbounded))).toEqual(["unbounded_refresh_over_retention"]);
        expect(live({ source: { ...source, dropAfter: null } }, unbounded)).toEqual([]);
    });

    it("know a parent's columns from the server's words", () => {
        const definition =
            " SELECT time_bucket('00:01:00'::interval, m.ts) AS ts,\n    avg(m.v) AS v,\n    (count(DISTINCT m.u))::integer AS u\n   FROM m\n  GROUP BY (time_bucket('00:01:00'::interval, m.ts));";
        const parent = { ...source, name: "minute", definition, bucketWidth: "00:01:00" };
        const refresh = { startOffset: "8 days", endOffset: "00:59:30" };
        const found = live(
            { source: { ...parent, refresh } },
            {
                query: "SELECT time_bucket('1 hour', ts) AS ts, avg(v) AS v, sum(u) AS u FROM minute GROUP BY 1",
            },
        );
        expect(codes(found)).toEqual([
            "child_window_shorter",
            "child_ahead_of_parent",
            "average_of_averages",
            "sum_of_distinct_counts",
        ]);
    });

    it("know the readers of a source whose retention is declared", () => {
        const m = { schema: "public", name: "m" };
        const readers = [
            { schema: "public", name: "a", startOffset: "7 days" },
            { schema: "public", name: "b", startOffset: "7 days 00:00:01" },
            { schema: "public", name: "c", startOffset: null },
        ];
        const found = readerFindings(m, { dropAfter: "7 days" }, readers);
        expect(found.map(({ rule, property, message }) => [rule, property, message])).toEqual([
            [
                "refresh_beyond_source_retention",
                "retentionPolicy",
                "refreshes of public.b reach further back than public.m is kept",
            ],
            [
                "unbounded_refresh_over_retention",
                "retentionPolicy",
                "refreshes of public.c would delete the history that public.m no longer has",
            ],
        ]);
        expect(readerFindings(m, undefined, readers)).toEqual([]);
    });
});

describe("names of columns", () => {
    const problems = (columns: string): (string | undefined)[] =>
        validateAggregate(
            hourlyInputs({
                query: `SELECT time_bucket('1 h', ts) AS bucket, ${columns} FROM m GROUP BY 1`,
            }),
            () => false,
        ).map(({ reason }) => /\((\w+)\)$/.exec(reason.split("\n")[0] ?? "")?.[1]);

    it.each([
        ["count(*) AS n, sum(x) AS n", ["duplicate_columns"]],
        ["count(*), count(x)", ["duplicate_columns"]],
        ["x, m.X", ["duplicate_columns"]],
        ['x, "X"', []],
        ["count(*), sum(x)", []],
        ["x::text, y", []],
        ["sum(x) / count(*)", ["unnamed_columns"]],
        ["sum(x) / count(*) ratio", []],
        ["CASE WHEN max(x) - 1 > 2 THEN 1 END", []],
        ["CASE WHEN max(x) > 2 THEN 1 END big, max(x) AS big", ["duplicate_columns"]],
        ["count(*) FILTER (WHERE x > 1)", []],
        ["percentile_cont(0.5) WITHIN GROUP (ORDER BY x - 1)", []],
        ["x IS NOT NULL, max(y) IS NULL", []],
        ["'a - b'::text AS label, -max(x) AS low", []],
        ["x, 'it''s, x' AS y, extract(hour FROM max(ts)) AS z", []],
    ])("%s: %j", (columns, expected) => {
        expect(problems(columns)).toEqual(expected);
    });

    it.each(readdirSync(join(__dirname, "../../sql/aggregates")))("are sound in %s", (file) => {
        const text = readFileSync(join(__dirname, "../../sql/aggregates", file), "utf8");
        expect(validateAggregate(hourlyInputs({ query: text }), () => false)).toEqual([]);
    });
});

describe("findings", () => {
    const [warn] = own({ query: `${query} ORDER BY 1` });
    const [refuse] = own({ refreshPolicy, retentionPolicy: { dropAfter: "1 day" } });
    const found = [warn!, refuse!, refuse!];

    it("become a note or a refusal, once each", () => {
        const { refusals, notes } = judge(found, [], "public.hourly", true);
        expect(refusals).toMatchObject([
            { code: "retention_inside_refresh_window", object: "public.hourly" },
        ]);
        expect(notes).toEqual([
            {
                code: "rule",
                rule: "order_by",
                message: expect.stringContaining("(order_by)\n  detail: ") as string,
            },
        ]);
    });

    it("that are waived become notes, and so do waivers that find nothing", () => {
        const waivers = [
            { rule: "retention_inside_refresh_window", reason: "on purpose" },
            { rule: "having", reason: "once" },
        ] as const;
        const { refusals, notes } = judge(found, waivers, "public.hourly", true);
        expect(refusals).toEqual([]);
        expect(notes.map(({ code, message }) => [code, message.split("\n")[0]])).toEqual([
            ["rule", "the query of public.hourly has ORDER BY (order_by)"],
            [
                "waived",
                "rule retention_inside_refresh_window waived: on purpose; retention of public.hourly lies inside its refresh window",
            ],
            ["waived", "rule having waived, and does not apply: once"],
        ]);
        expect(judge([], waivers, "public.hourly", false).notes).toEqual([]);
    });
});

describe("waivers", () => {
    const problems = (waive: unknown): string[] =>
        validateAggregate(hourlyInputs({ waive }), (value) => value === "unknown").map(
            ({ property, reason }) => `${property}: ${reason}`,
        );

    it("name a rule and a reason", () => {
        expect(problems([{ rule: "having", reason: "because" }])).toEqual([]);
        expect(problems([{ rule: "having", reason: "unknown" }, "unknown"])).toEqual([]);
        expect(problems([{ rule: "having", reason: " " }])[0]).toContain(
            "waive[0].reason is missing",
        );
        expect(problems(["having"])[0]).toContain("waive[0] must be { rule, reason }");
        expect(problems({})[0]).toContain("waive must be a list");
        const twice = { rule: "having", reason: "because" };
        expect(problems([twice, twice])[0]).toContain("rule having is waived twice");
    });

    it("that name no rule are told the nearest", () => {
        const [near] = problems([{ rule: "refresh-beyond-source-retentions", reason: "x" }]);
        expect(near).toContain("hint:   write refresh_beyond_source_retention");
        expect(problems([{ rule: "colour", reason: "x" }])[0]).toContain(
            "known are refresh_beyond",
        );
    });

    it("cannot waive what is malformed", () => {
        expect(problems([{ rule: "two_buckets", reason: "x" }])[0]).toContain(
            "rule two_buckets cannot be waived\n  detail: it says that the declaration is malformed",
        );
    });
});

describe("the table of rules", () => {
    it.each(["docs/resources.md", "docs/library.md"])("in %s is that of the code", (file) => {
        const text = readFileSync(join(__dirname, "../..", file), "utf8");
        const rows = [
            ...text.matchAll(/^\| `([a-z_]+)` +\| (malformed|refuse|warn) +\| (.*?) +\|$/gm),
        ];
        expect(rows.map(([, code, severity, meaning]) => [code, severity, meaning])).toEqual(
            ruleCodes.map((code) => [code, rules[code].severity, rules[code].meaning]),
        );
    });
});
