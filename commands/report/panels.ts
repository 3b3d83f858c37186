/** What the page shows, panel by panel; each says so where it has nothing to show. */
import { showTime } from "../backfill/times";
import {
    type ChartOption,
    costChart,
    errorChart,
    latencyChart,
    modelNames,
    mostModels,
    requestChart,
} from "./charts";
import type { Freshness, ModelRow, Percentiles, ReportData, SlaMeasure, SlaRow } from "./data";
import { type Html, jsonOf, markup } from "./html";
import units from "./page/units.cjs";
import { type Column, tableOf } from "./table";

type Unit = keyof typeof units;

export interface Panel {
    readonly title: string;
    readonly note: string;
    readonly body: Html;
    readonly wide?: boolean;
}

export function panelsOf(data: ReportData): readonly Panel[] {
    return [
        latencyPanel(data),
        requestPanel(data),
        errorPanel(data),
        costPanel(data),
        modelPanel(data),
        slaPanel(data),
        freshnessPanel(data),
    ];
}

function latencyPanel(data: ReportData): Panel {
    const p95 = data.bands.flatMap(({ p95 }) => (p95 === null ? [] : [p95]));
    return {
        title: "Latency",
        note: `Percentiles of all requests, failed ones too, by ${stepOf(data)}; within 1 %, from the bins.`,
        wide: true,
        body: chartOf(
            "latency",
            `Percentiles of latency over time. p95 is between ${shown(p95.length === 0 ? null : Math.min(...p95), "ms")} and ${shown(p95.length === 0 ? null : Math.max(...p95), "ms")}.`,
            data.bands.length === 0 ? undefined : latencyChart(data),
            tableOf("Latency by step", [
                { name: "from (UTC)", cell: ({ at }) => timeOf(at) },
                { name: "requests", number: true, cell: ({ requests }) => units.count(requests) },
                ...percentileColumns<ReportData["bands"][number]>(),
            ], data.bands, "plain"), // prettier-ignore
        ),
    };
}

function requestPanel(data: ReportData): Panel {
    const { totals } = data;
    return {
        title: "Requests",
        note: `Per minute, by ${stepOf(data)} and how they ended; unset: nobody said.`,
        body: chartOf(
            "requests",
            `Requests per minute over time: ${units.count(totals.success)} ended well, ${units.count(totals.errors)} failed, ${units.count(totals.unset)} are unset.`,
            totals.requests === 0 ? undefined : requestChart(data),
            tableOf("Requests by step", [
                { name: "from (UTC)", cell: ({ at }) => timeOf(at) },
                { name: "per minute", number: true, cell: ({ requests, seconds }) => units.rate((requests * 60) / seconds) },
                { name: "requests", number: true, cell: ({ requests }) => units.count(requests) },
                { name: "success", number: true, cell: ({ success }) => units.count(success) },
                { name: "error", number: true, cell: ({ errors }) => units.count(errors) },
                { name: "unset", number: true, cell: ({ unset }) => units.count(unset) },
            ], data.traffic, "plain"), // prettier-ignore
        ),
    };
}

function errorPanel(data: ReportData): Panel {
    const rates = data.traffic.flatMap(({ errorRate }) => (errorRate === null ? [] : [errorRate]));
    return {
        title: "Error rate",
        note: `Share of requests with status ERROR, by ${stepOf(data)}.`,
        body: chartOf(
            "errors",
            `Error rate over time, ${shown(data.totals.errorRate, "share")} of all; highest ${shown(rates.length === 0 ? null : Math.max(...rates), "share")}.`,
            data.totals.requests === 0 ? undefined : errorChart(data),
            tableOf("Error rate by step", [
                { name: "from (UTC)", cell: ({ at }) => timeOf(at) },
                { name: "error rate", number: true, cell: ({ errorRate }) => shown(errorRate, "share") },
                { name: "errors", number: true, cell: ({ errors }) => units.count(errors) },
            ], data.traffic, "plain"), // prettier-ignore
        ),
    };
}

function costPanel(data: ReportData): Panel {
    const { models, cost, totals } = data;
    const names = modelNames(models);
    return {
        title: "Cost by model",
        note: `US dollars by ${stepOf(data)}, ${units.usd(totals.costUsd)} in all; failed requests often cost nothing.`,
        wide: true,
        body: chartOf(
            "cost",
            `Cost over time by model, ${units.usd(totals.costUsd)} in all. Most expensive: ${names[0] ?? "none"}.`,
            totals.costUsd === 0 ? undefined : costChart(data),
            tableOf("Cost by step and model", [
                { name: "from (UTC)", cell: ({ at }) => timeOf(at) },
                ...names.map((name, at): Column<ReportData["cost"][number]> => ({
                    name, number: true, cell: ({ costUsd }) => units.usd(costUsd[at] ?? 0),
                })),
            ], cost, "plain"), // prettier-ignore
            totals.requests === 0 ? undefined : "No request in this window has a cost",
        ),
    };
}

function modelPanel({ models }: ReportData): Panel {
    return {
        title: "Models",
        note: "Over the whole window; percentiles of latency from llm_percentiles, within 1 %.",
        wide: true,
        body:
            models.length === 0
                ? nothing("No requests in this window")
                : tableOf<ModelRow>("Models over the whole window", [
                      { name: "model", cell: (row) => markup`${dotOf(models.indexOf(row))}${row.model}<small>${row.provider}</small>` },
                      { name: "requests", number: true, cell: ({ requests }) => units.count(requests) },
                      { name: "error rate", number: true, cell: ({ errorRate }) => shown(errorRate, "share") },
                      ...percentileColumns<ModelRow>(),
                      { name: "tokens", number: true, cell: ({ tokens }) => units.amount(tokens) },
                      { name: "cost", number: true, cell: ({ costUsd }) => units.usd(costUsd) },
                      { name: "per 1,000", number: true, cell: ({ costUsd, requests }) => requests === 0 ? "none" : units.usd((costUsd * 1000) / requests) },
                  ], models), // prettier-ignore
    };
}

function slaPanel({ sla }: ReportData): Panel {
    const nothingToShow = sla.stands
        ? nothing("No requests in the last hour, and no model that had some in the last seven days")
        : nothing("The view llm_sla_monitoring does not stand: helpers is false in config");
    return {
        title: "Targets, last hour",
        note: "By 5 minutes, whatever the report's window: each value is the newest bucket's, below it the target and in how many buckets it was met. Latency is that of requests that did not fail.",
        wide: true,
        body:
            sla.rows.length === 0
                ? nothingToShow
                : tableOf<SlaRow>("Targets in the last hour", [
                      { name: "model", cell: ({ provider, model }) => markup`${model}<small>${provider}</small>` },
                      { name: "environment", cell: ({ environment }) => environment ?? "none" },
                      { name: "requests", number: true, cell: ({ requests }) => units.count(requests) },
                      { name: "p95", number: true, cell: ({ p95 }) => measured(p95, "ms") },
                      { name: "p99", number: true, cell: ({ p99 }) => measured(p99, "ms") },
                      { name: "error rate", number: true, cell: ({ errorRate }) => measured(errorRate, "share") },
                      { name: "buckets, oldest first", number: true, cell: stripOf },
                  ], sla.rows), // prettier-ignore
    };
}

function freshnessPanel({ freshness }: ReportData): Panel {
    return {
        title: "Freshness of the aggregates",
        note: "Where the newest bucket ends, and the age that refresh policies allow. Older: refreshes are late, or nothing was written since.",
        wide: true,
        body: tableOf<Freshness>("Freshness of the aggregates", [
            { name: "aggregate", cell: ({ aggregate }) => aggregate },
            { name: "complete to (UTC)", cell: ({ completeTo }) => completeTo === null ? "no rows" : timeOf(completeTo) },
            { name: "age", number: true, cell: ({ lagSeconds }) => shown(lagSeconds, "seconds") },
            { name: "allowed", number: true, cell: ({ allowedSeconds }) => allowedSeconds === null ? "no policy" : units.seconds(allowedSeconds) },
            { name: "state", number: true, cell: ({ state }) => states[state] },
        ], freshness), // prettier-ignore
    };
}

const states: Readonly<Record<Freshness["state"], Html>> = {
    fresh: markup`<span class="badge pass">as fresh as allowed</span>`,
    old: markup`<span class="badge fail">older than allowed</span>`,
    empty: markup`<span class="badge none">no rows yet</span>`,
};

function percentileColumns<Row extends Percentiles>(): readonly Column<Row>[] {
    return (["p50", "p90", "p95", "p99"] as const).map((name) => ({
        name,
        number: true,
        cell: (row) => shown(row[name], "ms"),
    }));
}

function measured({ newest, target, passed, judged }: SlaMeasure, unit: Unit): Html {
    const verdict = newest === null ? "none" : newest < target ? "pass" : "fail";
    const value = newest === null ? "no data" : units[unit](newest);
    const mark = { pass: "✓ ", fail: "✗ ", none: "" }[verdict];
    return markup`<span><span class="badge ${verdict}">${mark}${value}</span>
        <small>under ${units[unit](target)}${judged === 0 ? "" : `: ${passed} of ${judged}`}</small></span>`;
}

function stripOf({ buckets }: SlaRow): Html {
    const passed = buckets.filter(({ verdict }) => verdict === "PASS").length;
    const judged = buckets.filter(({ verdict }) => verdict !== "NO DATA").length;
    const text = judged === 0 ? "silent" : `${passed} of ${judged} met all`;
    const kinds = { PASS: "pass", FAIL: "fail", "NO DATA": "none" } as const;
    const cells = buckets.map(
        ({ at, verdict }) =>
            markup`<i class="${kinds[verdict]}" title="${timeOf(at)} UTC: ${verdict.toLowerCase()}"></i>`,
    );
    return markup`<span><span class="strip" role="img" aria-label="${text}">${cells}</span>
        <small>${text}</small></span>`;
}

function dotOf(at: number): Html {
    return markup`<span class="dot" style="background: var(--series-${Math.min(at, mostModels) + 1})"></span>`;
}

/** A chart with its text alternative: what it shows in a sentence, and its numbers as a table. */
function chartOf(
    name: string,
    description: string,
    option: ChartOption | undefined,
    table: Html,
    why = "No requests in this window",
): Html {
    if (option === undefined) return nothing(why);
    return markup`<div class="chart" role="img" aria-label="${description}" data-chart="${name}-data" hidden></div>
        <script type="application/json" id="${name}-data">${jsonOf(option)}</script>
        <details>
            <summary>The same as a table</summary>
            <div class="scroll" tabindex="0">${table}</div>
        </details>`;
}

function nothing(why: string): Html {
    return markup`<p class="empty">${why}.</p>`;
}

export function shown(value: number | null, unit: Unit): string {
    return value === null ? "none" : units[unit](value);
}

/** `2026-11-25 19:50`, in UTC as everything here. */
export function timeOf(literal: string): string {
    return showTime(literal).replace(" UTC", "");
}

/** Such as `hour` or `15 min`. */
export function stepOf({ window }: ReportData): string {
    const names: Readonly<Record<number, string>> = {
        60: "minute",
        3600: "hour",
        86_400: "day",
        604_800: "week",
    };
    return names[window.stepSeconds] ?? units.seconds(window.stepSeconds);
}
