/** `npm run report`: its command line, windows and levels, the page, and the Grafana dashboard beside it. */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import * as echarts from "echarts";

import {
    type ChartOption,
    costChart,
    errorChart,
    latencyChart,
    mostModels,
    requestChart,
} from "../../commands/report/charts";
import type { ModelRow, ReportData } from "../../commands/report/data";
import { refuseOverwriting, writeReport } from "../../commands/report/file";
import { escaped, jsonOf, markup, textOf } from "../../commands/report/html";
import { freshnessOf } from "../../commands/report/newest";
import { parseOptions } from "../../commands/report/options";
import { pageOf } from "../../commands/report/page";
import units from "../../commands/report/page/units.cjs";
import { slaRowsOf, stepsOf, trafficOf } from "../../commands/report/shape";
import { chooseWindow, cutsOf, type Kept } from "../../commands/report/window";
import { aggregates, dashboardAggregates, queryOf } from "../../components/observatory/aggregates";
import { worstAge } from "../../components/observatory/freshness";
import { keptByDefault } from "../../components/observatory/kept";
import { queriesOf, readDashboard } from "../integration/grafana";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const now = Date.parse("2026-11-25T12:34:56Z");

describe("options", () => {
    const parse = (...args: string[]) => parseOptions(args, { INIT_CWD: "/here" });

    it("are the last seven days of the remembered stack, into report.html where the user stands", () => {
        expect(parse()).toEqual({
            window: { from: undefined, to: undefined, length: 7 * day },
            schema: undefined,
            out: resolve("/here", "report.html"),
            json: false,
            server: undefined,
            stack: undefined,
        });
    });

    it("take a window, a file and a database", () => {
        const options = parse("--from", "2026-09-01", "--window", "36 hours", "--out", "a/b.html", "--db-host", "db"); // prettier-ignore
        expect(options.window).toEqual({
            from: "2026-09-01T00:00:00.000000Z",
            to: undefined,
            length: 36 * hour,
        });
        expect(options.out).toBe(resolve("/here", "a/b.html"));
        expect(options.server?.host).toBe("db");
    });

    it("write no file with --json, unless one is named", () => {
        expect(parse("--json").out).toBeUndefined();
        expect(parse("--json", "--out", "/x.html").out).toBe("/x.html");
    });

    it("refuse what contradicts itself", () => {
        expect(() => parse("--from", "2026-09-02", "--to", "2026-09-01")).toThrow(
            "the window is empty",
        );
        expect(() => parse("--from", "2026-09-01", "--to", "2026-09-02", "--window", "1 day")).toThrow(
            "the window is given twice",
        ); // prettier-ignore
        expect(() => parse("--stack", "docker", "--db-host", "db")).toThrow("name two databases");
    });
});

describe("a window", () => {
    const kept: Kept = (level) => ({ minute: 37 * day, hour: 210 * day, day: undefined })[level];

    const choose = (length: number, ago = 0) =>
        chooseWindow(
            { from: undefined, to: ago === 0 ? undefined : new Date(now - ago).toISOString(), length },
            now,
            kept,
        ); // prettier-ignore

    it.each([
        ["an hour", hour, 0, minute, "minute"],
        ["a day", day, 0, 15 * minute, "minute"],
        ["seven days", 7 * day, 0, hour, "hour"],
        ["thirty days", 30 * day, 0, 6 * hour, "hour"],
        ["ninety days", 90 * day, 0, day, "day"],
        ["three years", 1095 * day, 0, 7 * day, "day"],
        ["ten years", 3650 * day, 0, 28 * day, "day"],
        ["an hour while minutes are kept", hour, 36 * day, minute, "minute"],
        ["an hour when minutes are gone", hour, 37 * day, hour, "hour"],
        ["an hour when hours are gone", hour, 210 * day, day, "day"],
    ])("of %s", (_, length, ago, step, level) => {
        const window = choose(length, ago);

        expect(window).toMatchObject({ step, level, to: now - ago });
        expect((window.to - window.from) / step).toBeLessThanOrEqual(181);
    });

    it("begins with a whole step, weeks with Monday", () => {
        expect(new Date(choose(7 * day).from).toISOString()).toBe("2026-11-18T12:00:00.000Z");
        const { from } = choose(1095 * day);
        expect([new Date(from).getUTCDay(), from % day]).toEqual([1, 0]);
    });

    it("has finer steps the longer an environment keeps minutes, and for ever without retention", () => {
        const asked = { from: undefined, to: new Date(now - 40 * day).toISOString(), length: hour };
        expect(chooseWindow(asked, now, kept).level).toBe("hour");
        expect(chooseWindow(asked, now, () => 41 * day).level).toBe("minute");
        expect(chooseWindow(asked, now, () => undefined).level).toBe("minute");
    });

    it("does not reach into the future", () => {
        const from = new Date(now - hour).toISOString();
        expect(chooseWindow({ from, to: undefined, length: 7 * day }, now, kept).to).toBe(now);
        const later = new Date(now + hour).toISOString();
        expect(() => chooseWindow({ from: later, to: undefined, length: day }, now, kept)).toThrow(
            "the window is in the future",
        );
    });

    it("is cut where the coarser aggregates end", () => {
        const window = { from: 0, to: 100, step: 10, level: "day" as const };
        expect(cutsOf(window, { day: 50, hour: 80, minute: 95 })).toEqual({ days: 50, hours: 80, minutes: 95 }); // prettier-ignore
        expect(cutsOf({ ...window, level: "hour" }, { day: 50, hour: 80, minute: 200 })).toEqual({ days: 0, hours: 80, minutes: 100 }); // prettier-ignore
        expect(cutsOf({ ...window, level: "minute" }, { day: 50, hour: 80, minute: 95 })).toEqual({ days: 0, hours: 0, minutes: 95 }); // prettier-ignore
        // Nothing is counted twice where a coarser one is ahead, and nothing is asked before the window.
        expect(cutsOf(window, { day: 90, hour: 80, minute: undefined })).toEqual({ days: 90, hours: 90, minutes: 90 }); // prettier-ignore
        expect(cutsOf(window, { day: -50, hour: undefined, minute: undefined })).toEqual({ days: 0, hours: 0, minutes: 0 }); // prettier-ignore
    });
});

describe("shapes", () => {
    it("give every step of the window, the last one cut", () => {
        expect(stepsOf(0, 25, 10)).toEqual([0, 10, 20]);
        const traffic = trafficOf([], { from: 0, to: 90_000, step: 60_000 });
        expect(traffic.map(({ seconds, requests, errorRate }) => [seconds, requests, errorRate])).toEqual([
            [60, 0, null],
            [30, 0, null],
        ]); // prettier-ignore
    });

    it("judge a bucket by all its targets", () => {
        const bucket = {
            ...{ provider: "p", model: "m", environment: null, requests: 2 },
            ...{ p95_target: 2000, p99_target: 5000, error_rate_target: 0.01 },
        };
        const rows = slaRowsOf([
            { ...bucket, at: new Date(600_000), p95: 9000, p99: 9000, error_rate: 0, p95_sla: "FAIL", p99_sla: "FAIL", error_rate_sla: "PASS" },
            { ...bucket, at: new Date(0), p95: 10, p99: 20, error_rate: 0, p95_sla: "PASS", p99_sla: "PASS", error_rate_sla: "PASS" },
            { ...bucket, at: new Date(300_000), p95: null, p99: null, error_rate: 1, p95_sla: "NO DATA", p99_sla: "NO DATA", error_rate_sla: "FAIL" },
        ]); // prettier-ignore
        expect(rows).toHaveLength(1);
        expect(rows[0]).toMatchObject({
            requests: 6,
            p95: { target: 2000, newest: 9000, worst: 9000, passed: 1, judged: 2 },
            errorRate: { newest: 0, worst: 1, passed: 2, judged: 3 },
        });
        expect(rows[0]?.buckets.map(({ verdict }) => verdict)).toEqual(["PASS", "FAIL", "FAIL"]);
    });

    it("call an aggregate old when it is older than its policies allow", () => {
        const at = new Date(now);
        const state = (seconds: number) =>
            freshnessOf("a", new Date(now - seconds * 1000), at, 150).state;
        expect([state(150), state(151)]).toEqual(["fresh", "old"]);
        expect(freshnessOf("a", at, at, null)).toMatchObject({
            state: "old",
            allowedSeconds: null,
        });
        expect(freshnessOf("a", null, at, 150)).toMatchObject({ state: "empty", lagSeconds: null });
    });
});

it.each([
    ["ms", 0, "0 ms"],
    ["ms", 999.4, "999 ms"],
    ["ms", 2219, "2.22 s"],
    ["ms", 60_000, "60 s"],
    ["share", 0.0275, "2.75 %"],
    ["share", 0, "0 %"],
    ["count", 74844, "74,844"],
    ["amount", 30_801_538, "30.8 M"],
    ["rate", 7.389, "7.39 / min"],
    ["usd", 380.834, "$380.83"],
    ["usd", 0.00123, "$0.0012"],
    ["usd", 0, "$0"],
    ["seconds", 7500, "2 h 5 min"],
    ["seconds", 176_400, "2 d 1 h"],
    ["seconds", 0.2, "0 s"],
] as const)("%s of %d is %s", (unit, value, text) => {
    expect(units[unit](value)).toBe(text);
});

describe("HTML", () => {
    it("escapes every value, and nothing twice", () => {
        expect(escaped(`<a href="x">'&'</a>`)).toBe("&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;"); // prettier-ignore
        const inner = markup`<b>${"<i>"}</b>`;
        expect(textOf(markup`<p title="${'"'}">${[inner, "&", 1, undefined]}</p>`)).toBe(
            '<p title="&quot;"><b>&lt;i&gt;</b>&amp;1</p>',
        );
    });

    it("holds JSON that cannot end its element", () => {
        const value = { name: "</script><!--<script>\u2028&" };
        const text = textOf(jsonOf(value));
        expect(text).not.toMatch(/[<>&\u2028]/);
        expect(JSON.parse(text)).toEqual(value);
    });
});

const hostile = `</script><script>alert(1)</script>"'&`;

function model(name: string, at: number): ModelRow {
    return {
        ...{ provider: "p", model: name, requests: 10, success: 8, errors: 1, unset: 1 },
        ...{ errorRate: 0.1, tokens: 1000, costUsd: 10 - at, p50: 100, p90: 200, p95: 300, p99: 0 },
    };
}

function reportOf(names: readonly string[], requests: number): ReportData {
    const models = requests === 0 ? [] : names.map(model);
    const counts = {
        ...{ requests, success: requests, errors: 0, unset: 0, tokens: 0 },
        errorRate: requests === 0 ? null : 0,
        costUsd: requests,
    };
    const none = { p50: null, p90: null, p95: null, p99: null };
    const times = [0, 1, 3].map((at) =>
        new Date(now - (now % hour) - (4 - at) * hour).toISOString(),
    );
    const measure = { target: 0.01, newest: 0, worst: 0, passed: 1, judged: 1 };
    const data: ReportData = {
        at: new Date(now).toISOString(),
        ...{ database: hostile, schema: hostile },
        window: { from: times[0] ?? "", to: new Date(now).toISOString(), stepSeconds: 3600, level: "llm_metrics_1hour" },
        totals: { ...counts, ...none },
        bands: requests === 0 ? [] : times.map((at) => ({ at, requests, p50: 100, p90: 200, p95: 3000, p99: 0 })),
        traffic: times.map((at) => ({ at, seconds: 3600, ...counts })),
        models,
        cost: times.map((at) => ({ at, costUsd: models.map(({ costUsd }) => costUsd) })),
        sla: {
            stands: true,
            rows: models.map(({ provider, model: name }) => ({
                ...{ provider, model: name, environment: hostile, requests },
                ...{ p95: { ...measure, target: 2000 }, p99: { ...measure, newest: null }, errorRate: measure },
                buckets: [{ at: times[0] ?? "", verdict: "PASS" as const }],
            })),
        },
        freshness: [freshnessOf("llm_metrics_1min", new Date(now), new Date(now), 150)],
    }; // prettier-ignore
    return data;
}

describe("the page", () => {
    const withoutScripts = (text: string): string => text.replace(/<script>.*?<\/script>/gs, "");
    const page = pageOf(reportOf([hostile, "plain"], 10));

    it("writes names as text, in tables, attributes, titles and data", () => {
        expect(page).not.toContain("<script>alert");
        expect(page).toContain("&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;");
        // Three scripts that run, and the data of four charts.
        expect(page.match(/<script>/g)).toHaveLength(3);
        expect(page.match(/<script type="application\/json"/g)).toHaveLength(4);
    }); // prettier-ignore

    it("needs and allows no network", () => {
        const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1];
        // Of the very texts: one space more, and the browser runs none of them.
        const hashes = [...page.matchAll(/<script>(.*?)<\/script>/gs)].map(
            ([, text = ""]) =>
                `&#39;sha256-${createHash("sha256").update(text).digest("base64")}&#39;`,
        );
        expect(hashes).toHaveLength(3);
        expect(policy).toBe(
            `default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; script-src ${hashes.join(" ")}; base-uri &#39;none&#39;; form-action &#39;none&#39;`,
        );
        const loading = /<(?:link|img|iframe|base)\b|\bsrc=|@import|url\(/;
        expect(loading.exec(withoutScripts(page))).toBeNull();
        expect(Buffer.byteLength(page)).toBeLessThan(1_500_000);
    });

    it("gives every chart a sentence and a table", () => {
        const charts = page.match(/<div class="chart"[^>]*>/g) ?? [];
        expect(charts).toHaveLength(4);
        expect(charts.every((one) => /role="img" aria-label="[^"]{20,}"/.test(one))).toBe(true);
        expect(page.match(/<summary>The same as a table<\/summary>/g)).toHaveLength(4);
    });

    it("says so where there is nothing to show, and draws no chart", () => {
        const empty = pageOf(reportOf([], 0));
        expect(empty).not.toContain("data-chart=");
        expect(empty.match(/No requests in this window\./g)).toHaveLength(5);
        expect(/\bNaN\b|undefined|>null</.exec(withoutScripts(empty))).toBeNull();
    });

    it("has every colour that the charts name, in light and dark", () => {
        const style = readFileSync(join(__dirname, "../../commands/report/page/style.css"), "utf8");
        const [light = "", dark = ""] = style.split("@media (prefers-color-scheme: dark)");
        const named = new Set(withoutScripts(page).match(/(?<=var\()--[\w-]+(?=\))/g));
        expect(named.size).toBeGreaterThan(20);
        for (const name of named) {
            expect(light).toContain(`${name}:`);
            if (name !== "--font") expect(dark).toContain(`${name}:`);
        }
    });
});

/** As the page's script does it, with one colour for all. */
function drawn(option: ChartOption): string {
    const resolved = JSON.parse(JSON.stringify(option), (_, value: unknown) => {
        if (typeof value !== "string") return value;
        if (value === "var(--font)") return "sans-serif";
        if (value.startsWith("var(")) return "#123456";
        const unit = /^unit:(\w+)$/.exec(value)?.[1] as keyof typeof units | undefined;
        return unit === undefined ? value : (number: number) => units[unit](number);
    }) as echarts.EChartsOption;
    const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: 600, height: 300 });
    chart.setOption(resolved);
    const svg = chart.renderToSVGString();
    chart.dispose();
    return svg;
}

describe("the charts", () => {
    const many = Array.from({ length: mostModels + 3 }, (_, at) => `model ${at}`);

    it.each([
        ["latency", latencyChart, ["p50", "p99", "latency (log scale)", "p95 target 2 s", "UTC"]],
        ["requests", requestChart, ["success", "error", "unset", "requests per minute", "UTC"]],
        ["errors", errorChart, ["error rate", "share of requests", "target 1 %", "UTC"]],
        ["cost", costChart, ["model 0", "cost (USD)", "UTC"]],
    ] as const)("of %s are drawn with their names and units", (_, chart, texts) => {
        const svg = drawn(chart(reportOf(many, 10)));

        for (const text of texts) expect(svg).toContain(text);
        expect(svg).not.toMatch(/NaN|undefined|var\(|unit:/);
    });

    it("name so many models, and the others together", () => {
        const names = (costChart(reportOf(many, 10))["series"] as readonly { readonly name: string }[]).map(({ name }) => name); // prettier-ignore
        expect(names).toEqual([...many.slice(0, mostModels), "3 more"]);
    });

    it("draw no line over steps without requests", () => {
        const [series] = latencyChart(reportOf(many, 10))["series"] as readonly { readonly data: readonly unknown[][] }[]; // prettier-ignore
        // The third point is two steps after the second; a value of zero has no place on a logarithm.
        expect(series?.data.map(([, value]) => value)).toEqual([null, null, null, null]);
        const p50 = (latencyChart(reportOf(many, 10))["series"] as readonly { readonly data: readonly unknown[][] }[]).at(-1); // prettier-ignore
        expect(p50?.data.map(([, value]) => value)).toEqual([100, 100, null, 100]);
    });
});

describe("the file", () => {
    it("replaces a report, and nothing else", () => {
        const folder = mkdtempSync(join(tmpdir(), "report-"));
        const [report, other] = [join(folder, "deep", "r.html"), join(folder, "notes.txt")];
        writeFileSync(other, "mine");

        writeReport(report, pageOf(reportOf([], 0)));
        writeReport(report, pageOf(reportOf(["again"], 1)));
        expect(readFileSync(report, "utf8")).toContain("again");
        expect(() => refuseOverwriting(other)).toThrow("the file is no report");
        expect(() => writeReport(other, "x")).toThrow("the file is no report");
        expect(readFileSync(other, "utf8")).toBe("mine");

        rmSync(folder, { recursive: true });
        expect(existsSync(folder)).toBe(false);
    });
});

describe("the Grafana dashboard", () => {
    const dashboard = readDashboard();
    const queries = queriesOf(dashboard);

    it("asks on import for the data source that everything uses", () => {
        expect(dashboard.__inputs).toMatchObject([
            {
                name: "DS_POSTGRESQL",
                type: "datasource",
                pluginId: "grafana-postgresql-datasource",
            },
        ]);
        for (const { datasource, targets, description } of dashboard.panels) {
            expect(description).not.toBe("");
            for (const used of [datasource, ...targets.map((one) => one.datasource)]) {
                expect(used.uid).toBe("${DS_POSTGRESQL}");
            }
        }
        expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
        expect(dashboard.timezone).toBe("utc");
    });

    it("has variables whose All takes every row, also those without a value", () => {
        expect(dashboard.templating.list.map(({ name }) => name)).toEqual(["provider", "model", "environment"]); // prettier-ignore
        for (const { multi, includeAll, allValue } of dashboard.templating.list) {
            expect({ multi, includeAll, allValue }).toEqual({ multi: true, includeAll: true, allValue: "NULL" }); // prettier-ignore
        }
    });

    it("has panels that do not overlap", () => {
        const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
            Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
        );
        expect(new Set(cells).size).toBe(cells.length);
        expect(dashboard.panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
    });

    it("reads no raw table", () => {
        for (const { sql } of queries) expect(sql).not.toMatch(/\bllm_(?:traces|logs|metrics)\b/);
    });

    it("allows each aggregate the age that its policies allow", () => {
        const sql = queries.find(({ title }) => title.includes("Freshness"))?.sql ?? "";
        const found = [...sql.matchAll(/'(\w+)' AS name, (\d+) AS allowed/g)].map(
            ([, name, allowed]) => [name, Number(allowed)],
        );
        expect(found).toEqual(
            aggregates.map((one) => [one.name, worstAge(one, queryOf(one)) / 1e6]),
        );
    });

    it("asks for minutes and hours as long as they are kept, but for a day", () => {
        const hours = dashboardAggregates.find(({ name }) => name === "llm_metrics_1hour");
        const days = (text: string | undefined): number => Number.parseInt(text ?? "", 10) - 1;
        const said = new Set(queries.flatMap(({ sql }) => [...sql.matchAll(/interval '(\d\d+) days'/g)].map(([, n]) => Number(n)))); // prettier-ignore
        expect(said).toEqual(
            new Set([days(hours?.retentionPolicy?.dropAfter), days(keptByDefault.raw)]),
        );
    });
});
