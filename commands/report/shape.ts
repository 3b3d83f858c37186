/** From rows to the data of a report; nothing here asks the database. */
import { grouped } from "../../components/timescale/core/grouped";
import type {
    Band,
    CostPoint,
    Counts,
    ModelKey,
    ModelRow,
    Percentiles,
    SlaMeasure,
    SlaRow,
    Traffic,
    Verdict,
} from "./data";

export interface TrafficRow extends ModelKey {
    readonly at: Date;
    readonly requests: number;
    readonly success: number;
    readonly errors: number;
    readonly unset: number;
    readonly tokens: number;
    readonly cost_usd: number;
}

export interface PercentileRow {
    readonly fraction: number;
    readonly ms: number;
    readonly requests: number;
}

export interface BandRow extends PercentileRow {
    readonly at: Date;
}

export interface ModelPercentileRow extends PercentileRow, ModelKey {}

export interface SlaBucketRow extends ModelKey {
    readonly at: Date;
    readonly environment: string | null;
    readonly requests: number;
    readonly p95: number | null;
    readonly p99: number | null;
    readonly error_rate: number | null;
    readonly p95_target: number;
    readonly p99_target: number;
    readonly error_rate_target: number;
    readonly p95_sla: Verdict;
    readonly p99_sla: Verdict;
    readonly error_rate_sla: Verdict;
}

export const fractions = [0.5, 0.9, 0.95, 0.99] as const;

/** Sums; a rate of no requests is none. */
export function countsOf(rows: readonly TrafficRow[]): Counts {
    const sum = (pick: (row: TrafficRow) => number): number =>
        rows.reduce((total, row) => total + pick(row), 0);
    const requests = sum((row) => row.requests);
    const errors = sum((row) => row.errors);
    return {
        requests,
        success: sum((row) => row.success),
        errors,
        unset: sum((row) => row.unset),
        errorRate: requests === 0 ? null : errors / requests,
        tokens: sum((row) => row.tokens),
        // Cents of a thousand models would otherwise show the last digits of doubles.
        costUsd: Number(sum((row) => row.cost_usd).toFixed(8)),
    };
}

export function percentilesOf(rows: readonly PercentileRow[]): Percentiles {
    const at = (fraction: number): number | null =>
        rows.find((row) => row.fraction === fraction)?.ms ?? null;
    return { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99) };
}

export function bandsOf(rows: readonly BandRow[]): readonly Band[] {
    return [...grouped(rows, ({ at }) => at.toISOString())].map(([at, some]) => ({
        at,
        requests: some[0]?.requests ?? 0,
        ...percentilesOf(some),
    }));
}

/** Where each step of the window begins, in milliseconds since 1970. */
export function stepsOf(from: number, to: number, step: number): readonly number[] {
    return Array.from(
        { length: Math.max(0, Math.ceil((to - from) / step)) },
        (_, i) => from + i * step,
    );
}

export function trafficOf(
    rows: readonly TrafficRow[],
    { from, to, step }: { readonly from: number; readonly to: number; readonly step: number },
): readonly Traffic[] {
    const byStep = grouped(rows, ({ at }) => at.getTime());
    return stepsOf(from, to, step).map((at) => ({
        at: new Date(at).toISOString(),
        seconds: (Math.min(at + step, to) - at) / 1000,
        ...countsOf(byStep.get(at) ?? []),
    }));
}

export function modelsOf(
    rows: readonly TrafficRow[],
    percentiles: readonly ModelPercentileRow[],
): readonly ModelRow[] {
    const latency = grouped(percentiles, keyOf);
    return [...grouped(rows, keyOf)]
        .map(([key, some]) => ({
            provider: some[0]?.provider ?? "",
            model: some[0]?.model ?? "",
            ...countsOf(some),
            ...percentilesOf(latency.get(key) ?? []),
        }))
        .sort((a, b) => b.costUsd - a.costUsd || b.requests - a.requests);
}

/** Cost of each step, in the order of the models. */
export function costOf(
    rows: readonly TrafficRow[],
    models: readonly ModelKey[],
    steps: readonly number[],
): readonly CostPoint[] {
    const byStep = grouped(rows, ({ at }) => at.getTime());
    return steps.map((at) => {
        const costs = new Map((byStep.get(at) ?? []).map((row) => [keyOf(row), row.cost_usd]));
        return {
            at: new Date(at).toISOString(),
            costUsd: models.map((model) => costs.get(keyOf(model)) ?? 0),
        };
    });
}

export function slaRowsOf(rows: readonly SlaBucketRow[]): readonly SlaRow[] {
    return [
        ...grouped(rows, (row) =>
            JSON.stringify([row.provider, row.model, row.environment]),
        ).values(),
    ].flatMap((some) => {
        const buckets = [...some].sort((a, b) => a.at.getTime() - b.at.getTime());
        const newest = buckets.at(-1);
        if (newest === undefined) return [];
        const { provider, model, environment } = newest;
        return [
            {
                provider,
                model,
                environment,
                requests: buckets.reduce((sum, { requests }) => sum + requests, 0),
                p95: measureOf(
                    buckets.map((b) => [b.p95, b.p95_sla]),
                    newest.p95_target,
                ),
                p99: measureOf(
                    buckets.map((b) => [b.p99, b.p99_sla]),
                    newest.p99_target,
                ),
                errorRate: measureOf(
                    buckets.map((b) => [b.error_rate, b.error_rate_sla]),
                    newest.error_rate_target,
                ),
                buckets: buckets.map((bucket) => ({
                    at: bucket.at.toISOString(),
                    verdict: verdictOf(bucket),
                })),
            },
        ];
    });
}

function measureOf(
    buckets: readonly (readonly [value: number | null, verdict: Verdict])[],
    target: number,
): SlaMeasure {
    const values = buckets.flatMap(([value]) => (value === null ? [] : [value]));
    return {
        target,
        newest: buckets.at(-1)?.[0] ?? null,
        worst: values.length === 0 ? null : Math.max(...values),
        passed: buckets.filter(([, verdict]) => verdict === "PASS").length,
        judged: buckets.filter(([, verdict]) => verdict !== "NO DATA").length,
    };
}

/** One failed target fails the bucket; latency without a judgement leaves it to the others. */
function verdictOf({ p95_sla, p99_sla, error_rate_sla }: SlaBucketRow): Verdict {
    const all = [p95_sla, p99_sla, error_rate_sla];
    if (all.includes("FAIL")) return "FAIL";
    return all.includes("PASS") ? "PASS" : "NO DATA";
}

function keyOf({ provider, model }: ModelKey): string {
    return JSON.stringify([provider, model]);
}
