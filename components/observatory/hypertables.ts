/** The raw tables of the Observatory. Fields are those of the ingest service; see sql/ for what is computed of them. */
import type { Column, HypertableProperties, Index } from "../timescale";
import { writerReads } from "./grants";

export type TableDeclaration = Omit<HypertableProperties, "connection" | "databaseUuid" | "schema">;

function required(name: string, type: string, fallback?: string): Column {
    return { name, type, nullable: false, ...(fallback !== undefined && { default: fallback }) };
}

function optional(...names: readonly string[]): (type: string) => Column[] {
    return (type) => names.map((name) => ({ name, type }));
}

/**
 * Indexes of traces. The original had fifteen; each one costs every insert, so these are the ones
 * that a query of this project or a look-up of a single trace, user or session uses. Left out:
 * `(status_code, ts)`, `(provider, status_code, ts)` and the partial ones on errors, cost and
 * duration, whose questions the aggregates answer; the ones ordered by cost and by duration, for
 * the same reason; BRIN `(ts)`, because chunks exclude by time already; GIN `(attributes)` and GIN
 * `(tags)`, which nothing here searches.
 */
const traceIndexes: readonly Index[] = [
    { columns: ["trace_id", "ts DESC"] },
    { columns: ["provider", "model", "ts DESC"] },
    { columns: ["user_id", "ts DESC"], where: "user_id IS NOT NULL" },
    { columns: ["session_id", "ts DESC"], where: "session_id IS NOT NULL" },
];

/** One row a span of an LLM request. */
const traces: TableDeclaration = {
    name: "llm_traces",
    comment: "LLM request spans",
    columns: [
        required("ts", "timestamptz"),
        required("trace_id", "text"),
        required("span_id", "text"),
        ...optional("parent_span_id")("text"),
        required("span_name", "text"),
        required("span_kind", "text", "'internal'"),
        required("provider", "text"),
        required("model", "text"),
        required("input_type", "text"),
        ...optional("input_text")("text"),
        ...optional("input_messages")("jsonb"),
        ...optional("output_text", "finish_reason")("text"),
        ...optional("prompt_tokens", "completion_tokens", "total_tokens")("integer"),
        ...optional("prompt_cost_usd", "completion_cost_usd", "total_cost_usd")("numeric(12,8)"),
        required("duration_ms", "integer"),
        ...optional("ttft_ms")("integer"),
        required("status_code", "text"),
        ...optional("error_message", "user_id", "session_id", "environment")("text"),
        ...optional("tags")("text[]"),
        ...optional("attributes", "resource_attributes", "events", "links")("jsonb"),
        required("sampled", "boolean", "true"),
        ...optional("sample_rate")("real"),
    ],
    timeColumn: "ts",
    primaryKey: ["ts", "trace_id", "span_id"],
    chunkTimeInterval: "1 day",
    indexes: traceIndexes,
    compressionPolicy: {
        compressAfter: "7 days",
        segmentBy: ["provider", "model"],
        orderBy: ["ts DESC"],
    },
    retentionPolicy: { dropAfter: "90 days" },
    grants: writerReads,
};

/** Measurements that services send beside their spans. */
const metrics: TableDeclaration = {
    name: "llm_metrics",
    comment: "Metrics of LLM services",
    columns: [
        required("ts", "timestamptz"),
        required("metric_name", "text"),
        required("metric_type", "text"),
        required("provider", "text"),
        required("model", "text"),
        ...optional("environment", "user_id")("text"),
        required("value", "double precision"),
        ...optional("count")("bigint"),
        ...optional("sum", "min", "max")("double precision"),
        ...optional("tags")("jsonb"),
    ],
    timeColumn: "ts",
    primaryKey: ["ts", "metric_name", "provider", "model"],
    chunkTimeInterval: "1 hour",
    indexes: [
        { columns: ["metric_name", "provider", "model", "ts DESC"] },
        { columns: ["environment", "ts DESC"], where: "environment IS NOT NULL" },
    ],
    compressionPolicy: {
        compressAfter: "7 days",
        segmentBy: ["provider", "model", "metric_name"],
        orderBy: ["ts DESC"],
    },
    retentionPolicy: { dropAfter: "37 days" },
    grants: writerReads,
};

/**
 * Log lines. The original's primary key (ts, trace_id, span_id) made both ids mandatory and allowed
 * one line a span and instant; there is none here.
 */
const logs: TableDeclaration = {
    name: "llm_logs",
    comment: "Log lines of LLM services",
    columns: [
        required("ts", "timestamptz"),
        ...optional("trace_id", "span_id")("text"),
        required("log_level", "text"),
        required("message", "text"),
        ...optional("provider", "model", "environment")("text"),
        ...optional("attributes")("jsonb"),
    ],
    timeColumn: "ts",
    chunkTimeInterval: "1 day",
    indexes: [
        { columns: ["trace_id", "ts DESC"] },
        { columns: ["log_level", "ts DESC"] },
        { columns: ["provider", "ts DESC"] },
    ],
    compressionPolicy: {
        compressAfter: "7 days",
        segmentBy: ["provider", "log_level"],
        orderBy: ["ts DESC"],
    },
    retentionPolicy: { dropAfter: "37 days" },
    grants: writerReads,
};

export const hypertables: readonly TableDeclaration[] = [traces, metrics, logs];

/** What it holds, and for how long. */
export function tableComment({ comment, retentionPolicy }: TableDeclaration): string {
    const kept = retentionPolicy?.dropAfter ?? "for ever";
    return [comment, `raw rows are kept ${kept}`].filter(Boolean).join("; ");
}
