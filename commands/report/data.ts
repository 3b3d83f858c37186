/**
 * The data behind the pictures, as `--json` prints it. Times are ISO 8601 in UTC, durations milliseconds unless the
 * name says otherwise, shares from 0 to 1; null stands for "there is none".
 */
export interface ReportData {
    /** By the server's clock. */
    readonly at: string;
    readonly database: string;
    readonly schema: string;
    readonly window: {
        readonly from: string;
        /** Not included: the end of what the aggregates hold of the window. */
        readonly to: string;
        readonly stepSeconds: number;
        /** The coarsest aggregate that was read for requests, errors and cost. */
        readonly level: string;
    };
    readonly totals: Counts & Percentiles;
    /** Oldest first; without steps that had no request. */
    readonly bands: readonly Band[];
    /** Every step of the window, oldest first. */
    readonly traffic: readonly Traffic[];
    /** Most expensive first. */
    readonly models: readonly ModelRow[];
    readonly cost: readonly CostPoint[];
    readonly sla: Sla;
    readonly freshness: readonly Freshness[];
}

export interface Counts {
    readonly requests: number;
    readonly success: number;
    readonly errors: number;
    readonly unset: number;
    readonly errorRate: number | null;
    readonly tokens: number;
    readonly costUsd: number;
}

export interface Percentiles {
    readonly p50: number | null;
    readonly p90: number | null;
    readonly p95: number | null;
    readonly p99: number | null;
}

export interface Band extends Percentiles {
    readonly at: string;
    readonly requests: number;
}

export interface Traffic extends Counts {
    readonly at: string;
    /** Seconds that the step covers: the first and last ones may be cut. */
    readonly seconds: number;
}

export interface ModelKey {
    readonly provider: string;
    readonly model: string;
}

export interface ModelRow extends ModelKey, Counts, Percentiles {}

export interface CostPoint {
    readonly at: string;
    /** In the order of `models`. */
    readonly costUsd: readonly number[];
}

export interface Sla {
    /** Whether llm_sla_monitoring stands: the config key `helpers` may leave it out. */
    readonly stands: boolean;
    readonly rows: readonly SlaRow[];
}

export type Verdict = "PASS" | "FAIL" | "NO DATA";

/** A model in an environment over the last hour by 5 minutes. */
export interface SlaRow extends ModelKey {
    readonly environment: string | null;
    readonly requests: number;
    readonly p95: SlaMeasure;
    readonly p99: SlaMeasure;
    readonly errorRate: SlaMeasure;
    /** Oldest first; a bucket passes when all three do. */
    readonly buckets: readonly { readonly at: string; readonly verdict: Verdict }[];
}

export interface SlaMeasure {
    readonly target: number;
    /** Of the newest bucket. */
    readonly newest: number | null;
    /** The highest of the hour's buckets. */
    readonly worst: number | null;
    readonly passed: number;
    readonly judged: number;
}

export interface Freshness {
    readonly aggregate: string;
    /** End of its newest bucket, not included. */
    readonly completeTo: string | null;
    readonly lagSeconds: number | null;
    /** The worst age that its refresh policy in the database allows, paused or not; null: it has none. */
    readonly allowedSeconds: number | null;
    readonly state: "fresh" | "old" | "empty";
}
