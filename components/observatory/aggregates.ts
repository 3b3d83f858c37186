/**
 * The continuous aggregates, all computed from llm_traces: four that dashboards read, and the bins of
 * distributions that percentiles are computed from.
 */
import { binAggregates } from "./bins";
import type { Declaration } from "./declaration";
import { behind } from "./freshness";
import { readerReads } from "./grants";
import { readSql } from "./statements";

/** Those that dashboards read; the names are known to them. */
export const dashboardAggregates: readonly Declaration[] = [
    {
        name: "llm_metrics_1min",
        file: "aggregates/llm_metrics_1min.sql",
        comment:
            "Requests by minute, provider, model and status; percentiles are exact per bucket and cannot be merged",
        refreshPolicy: {
            startOffset: "1 hour",
            endOffset: "1 minute",
            scheduleInterval: "30 seconds",
        },
        retentionPolicy: { dropAfter: "37 days" },
        // Retention drops whole chunks; the default, ten days here, would keep up to ten days more.
        chunkTimeInterval: "1 day",
        grants: readerReads,
    },
    {
        name: "llm_metrics_1hour",
        file: "aggregates/llm_metrics_1hour.sql",
        comment:
            "Requests by hour, provider, model and environment; success + error + unset = request_count",
        refreshPolicy: { startOffset: "1 day", endOffset: "1 hour", scheduleInterval: "5 minutes" },
        retentionPolicy: { dropAfter: "210 days" },
        grants: readerReads,
    },
    {
        name: "llm_metrics_1day",
        file: "aggregates/llm_metrics_1day.sql",
        comment:
            "Requests by day, provider and model; success + error + unset = request_count; unique users and sessions are exact per row and cannot be added up",
        refreshPolicy: { startOffset: "7 days", endOffset: "1 day", scheduleInterval: "1 hour" },
        retentionPolicy: { dropAfter: "1095 days" },
        grants: readerReads,
    },
    {
        name: "llm_error_summary",
        file: "aggregates/llm_error_summary.sql",
        comment:
            "Requests with status ERROR by hour; the sample is the latest message, cut to 200 characters",
        refreshPolicy: { startOffset: "1 day", endOffset: "1 hour", scheduleInterval: "5 minutes" },
        retentionPolicy: { dropAfter: "210 days" },
        grants: readerReads,
    },
];

export const aggregates: readonly Declaration[] = [...dashboardAggregates, ...binAggregates];

/** What it holds, and how far behind it may be. */
export function commentOf(declaration: Declaration): string {
    return `${declaration.comment}; complete up to at most ${behind(declaration, queryOf(declaration))} ago`;
}

/**
 * What `up` does about a query that this program has changed: aggregates outlive raw data, so what
 * only they have is carried into the new version.
 */
export const onQueryChange = "keepHistory" as const;

export function queryOf({ file, query }: Declaration): string {
    return query ?? readSql(file);
}
