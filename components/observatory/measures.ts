/**
 * What distributions are kept of, as logarithmic bins: 2 % wide, so that the middle of a bin is at
 * most 1 % from any value in it. docs/percentiles.md tells how the layout was chosen.
 */
export interface Measure {
    /** Column of llm_traces. */
    readonly name: string;
    /** Its aggregates are `<bins>_1hour`, `_1day` and `_1month`. */
    readonly bins: string;
    /** For people. */
    readonly title: string;
    /** The value as a whole number, in SQL. */
    readonly value: string;
    /** Which rows have one. */
    readonly known: string;
    /** How many of the whole numbers make one of the column's unit. */
    readonly scale: number;
}

export const measures: readonly Measure[] = [
    {
        name: "duration_ms",
        bins: "llm_latency_bins",
        title: "latency",
        value: "duration_ms",
        known: "duration_ms IS NOT NULL",
        scale: 1,
    },
    {
        name: "ttft_ms",
        bins: "llm_ttft_bins",
        title: "time to first token",
        value: "ttft_ms",
        known: "ttft_ms IS NOT NULL",
        scale: 1,
    },
    {
        name: "total_tokens",
        bins: "llm_token_bins",
        title: "tokens",
        value: "total_tokens",
        known: "total_tokens IS NOT NULL",
        scale: 1,
    },
    {
        name: "total_cost_usd",
        bins: "llm_cost_bins",
        title: "cost",
        // All eight decimals of the column. NaN, which numeric can be, has no bin and would stop the refresh.
        value: "(total_cost_usd * 100000000)::bigint",
        known: "total_cost_usd <> 'NaN'",
        scale: 100_000_000,
    },
];
