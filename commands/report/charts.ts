/**
 * The charts as ECharts options that are plain JSON: colours stand as `var(--x)`, functions as `unit:x`, and the
 * page's script puts in what they mean.
 */
import type { ReportData } from "./data";
import units from "./page/units.cjs";

export type ChartOption = Readonly<Record<string, unknown>>;

/** Models with a colour of their own; the others are one. */
export const mostModels = 7;

export function latencyChart({ bands, sla, window }: ReportData): ChartOption {
    const line = (name: "p50" | "p90" | "p95" | "p99", opacity: number): unknown => ({
        name,
        type: "line",
        showSymbol: bands.length < 3,
        symbolSize: 6,
        lineStyle: { width: 1.6 },
        itemStyle: { color: `var(--${name})` },
        areaStyle: { origin: "start", opacity },
        emphasis: { disabled: true },
        // A logarithm has no zero.
        data: withGaps(bands, window.stepSeconds, (band) => (band[name] === 0 ? null : band[name])),
        ...(name === "p95" && targetLine(commonTarget(sla.rows, "p95"), "p95 target", "ms")),
    });
    return {
        ...frame("ms"),
        yAxis: axis("latency (log scale)", "ms", {
            type: "log",
            minorSplitLine: { show: true, lineStyle: { color: "var(--line)", opacity: 0.5 } },
        }),
        series: [line("p99", 0.06), line("p95", 0.08), line("p90", 0.1), line("p50", 0.14)],
    };
}

export function requestChart({ traffic }: ReportData): ChartOption {
    const area = (name: string, colour: string, key: "success" | "unset" | "errors"): unknown => ({
        name,
        type: "bar",
        stack: "requests",
        barCategoryGap: "15%",
        itemStyle: { color: colour },
        data: traffic.map((one) => [one.at, (one[key] * 60) / one.seconds]),
    });
    return {
        ...frame("rate"),
        yAxis: axis("requests per minute", "amount"),
        series: [
            area("success", "var(--success)", "success"),
            area("unset", "var(--unset)", "unset"),
            area("error", "var(--error)", "errors"),
        ],
    };
}

export function errorChart({ traffic, sla }: ReportData): ChartOption {
    return {
        ...frame("share"),
        yAxis: axis("share of requests", "share"),
        series: [
            {
                name: "error rate",
                type: "line",
                showSymbol: traffic.length < 3,
                lineStyle: { width: 1.6 },
                itemStyle: { color: "var(--error)" },
                areaStyle: { opacity: 0.14 },
                emphasis: { disabled: true },
                data: traffic.map(({ at, errorRate }) => [at, errorRate]),
                ...targetLine(commonTarget(sla.rows, "errorRate"), "target", "share"),
            },
        ],
    };
}

export function costChart({ cost, models }: ReportData): ChartOption {
    const names = modelNames(models);
    const bar = (
        name: string,
        colour: string,
        pick: (usd: readonly number[]) => number,
    ): unknown => ({
        name,
        type: "bar",
        stack: "cost",
        barCategoryGap: "15%",
        itemStyle: { color: colour },
        data: cost.map(({ at, costUsd }) => [at, pick(costUsd)]),
    });
    const shown = models
        .slice(0, mostModels)
        .map((_, i) => bar(names[i] ?? "", `var(--series-${i + 1})`, (usd) => usd[i] ?? 0));
    const rest = models.length - mostModels;
    const others = bar(`${rest} more`, "var(--series-8)", (usd) =>
        usd.slice(mostModels).reduce((sum, one) => sum + one, 0),
    );
    return {
        ...frame("usd"),
        yAxis: axis("cost (USD)", "usd"),
        series: rest > 0 ? [...shown, others] : shown,
    };
}

/** A model's name, with its provider where two have one of the same name. */
export function modelNames(
    models: readonly { readonly provider: string; readonly model: string }[],
): readonly string[] {
    return models.map(({ provider, model }) =>
        models.filter((one) => one.model === model).length > 1 ? `${model} (${provider})` : model,
    );
}

/** The target that all rows have; where they differ no line is theirs. */
export function commonTarget(
    rows: ReportData["sla"]["rows"],
    key: "p95" | "errorRate",
): number | null {
    const targets = new Set(rows.map((row) => row[key].target));
    return targets.size === 1 ? ([...targets][0] ?? null) : null;
}

function targetLine(target: number | null, name: string, unit: "ms" | "share"): object {
    if (target === null) return {};
    return {
        markLine: {
            silent: true,
            symbol: "none",
            lineStyle: { color: "var(--target)", type: "dashed", width: 1.2 },
            label: {
                position: "insideStartTop",
                color: "var(--target)",
                backgroundColor: "var(--card)",
                padding: [1, 4],
                borderRadius: 3,
                formatter: `${name} ${units[unit](target)}`,
            },
            data: [{ yAxis: target }],
        },
    };
}

/** Points, with a null where steps had no request: a line over them would invent some. */
function withGaps<Point extends { readonly at: string }>(
    points: readonly Point[],
    stepSeconds: number,
    pick: (point: Point) => number | null,
): readonly (readonly [string, number | null])[] {
    const step = stepSeconds * 1000;
    return points.flatMap((point, i) => {
        const before = points[i - 1];
        const here = [point.at, pick(point)] as const;
        const gap = before !== undefined && Date.parse(point.at) - Date.parse(before.at) > step;
        return gap
            ? [[new Date(Date.parse(point.at) - step).toISOString(), null] as const, here]
            : [here];
    });
}

/** Each mark says what is new at it. */
const timeLabels = {
    year: "{yyyy}",
    month: "{MMM} {yyyy}",
    day: "{MMM} {d}",
    hour: "{HH}:{mm}",
    minute: "{HH}:{mm}",
};

function frame(unit: string): object {
    return {
        useUTC: true,
        animation: false,
        textStyle: { fontFamily: "var(--font)", color: "var(--ink)" },
        grid: { left: 4, right: 14, top: 56, bottom: 22, containLabel: true },
        legend: {
            type: "scroll",
            top: 0,
            left: 0,
            right: 0,
            itemWidth: 14,
            itemHeight: 10,
            icon: "roundRect",
            inactiveColor: "var(--faint)",
            textStyle: { color: "var(--muted)" },
            pageTextStyle: { color: "var(--muted)" },
            pageIconColor: "var(--muted)",
            pageIconInactiveColor: "var(--line)",
        },
        tooltip: {
            trigger: "axis",
            confine: true,
            backgroundColor: "var(--card)",
            borderColor: "var(--line)",
            textStyle: { color: "var(--ink)", fontSize: 13 },
            axisPointer: { type: "line", lineStyle: { color: "var(--faint)" } },
            valueFormatter: `unit:${unit}`,
        },
        xAxis: {
            type: "time",
            name: "UTC",
            nameLocation: "middle",
            nameGap: 24,
            nameTextStyle: { color: "var(--muted)" },
            axisLine: { lineStyle: { color: "var(--line)" } },
            axisTick: { lineStyle: { color: "var(--line)" } },
            axisLabel: { color: "var(--muted)", hideOverlap: true, formatter: timeLabels },
            splitLine: { show: false },
        },
    };
}

function axis(name: string, unit: string, more: object = {}): object {
    return {
        type: "value",
        name,
        nameTextStyle: { color: "var(--muted)", align: "left", padding: [0, 0, 0, -30] },
        axisLabel: { color: "var(--muted)", formatter: `unit:${unit}` },
        splitLine: { lineStyle: { color: "var(--line)" } },
        ...more,
    };
}
