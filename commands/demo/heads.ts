/** The latest rows of an aggregate, and percentiles, as tables for people. */
import Table from "cli-table3";
import type { Client } from "pg";

import {
    displayName,
    type QualifiedName,
    quoteQualified,
} from "../../components/timescale/core/identifier";

/** Columns worth a place, in this order; an aggregate has more of them than a terminal is wide. */
const columns = [
    "bucket",
    "provider",
    "model",
    "environment",
    "status_code",
    "request_count",
    "error_count",
    "total_cost_usd",
    "p50_duration_ms",
    "p95_duration_ms",
    "p99_duration_ms",
    "avg_duration_ms",
    "unique_users",
    "affected_users",
    "sample_error_message",
];

const columnLimit = 9;

/** The first lines of an aggregate, latest bucket first, with its name above them. */
export async function readHead(
    client: Client,
    aggregate: QualifiedName,
    rowLimit = 5,
): Promise<string> {
    const { rows, fields } = await client.query<Record<string, unknown>>(
        `SELECT * FROM ${quoteQualified(aggregate)} ORDER BY bucket DESC, provider, model LIMIT ${rowLimit}`,
    );
    const title = displayName(aggregate);
    if (rows.length === 0) return `${title}\n  no rows`;
    const present = new Set(fields.map(({ name }) => name));
    const shown = columns.filter((name) => present.has(name)).slice(0, columnLimit);
    return renderHead(title, shown, rows);
}

/** Latency by model over the whole time, from the bins. */
export async function readPercentiles(
    client: Client,
    procedure: QualifiedName,
    from: Date,
    to: Date,
): Promise<string> {
    const { rows } = await client.query<Record<string, unknown>>(
        `SELECT model, max(request_count) AS request_count, ${[50, 95, 99]
            .map((p) => `max(value) FILTER (WHERE fraction = ${p / 100}) AS p${p}_duration_ms`)
            .join(", ")}
         FROM ${quoteQualified(procedure)}('duration_ms', '{0.5,0.95,0.99}', $1, $2, '{model}')
         GROUP BY model ORDER BY model`,
        [from, to],
    );
    const title = `${displayName(procedure)} from ${render("from", from)} to ${render("to", to)} UTC`;
    if (rows.length === 0) return `${title}\n  no rows`;
    return renderHead(title, Object.keys(rows[0] ?? {}), rows);
}

export function renderHead(
    title: string,
    shown: readonly string[],
    rows: readonly Readonly<Record<string, unknown>>[],
): string {
    const table = new Table({
        head: shown.map((name) => name.replace(/_duration_ms$/, " ms").replaceAll("_", " ")),
        style: { head: [], border: [], compact: true },
        chars: plainLines,
        colAligns: shown.map((name) => (isNumber(rows[0]?.[name]) ? "right" : "left")),
    });
    for (const row of rows) table.push(shown.map((name) => render(name, row[name])));
    return `${title}\n${table.toString()}`;
}

const plainLines = {
    top: "",
    "top-mid": "",
    "top-left": "",
    "top-right": "",
    bottom: "",
    "bottom-mid": "",
    "bottom-left": "",
    "bottom-right": "",
    left: " ",
    "left-mid": "",
    mid: "",
    "mid-mid": "",
    right: "",
    "right-mid": "",
    middle: " ",
};

/** `pg` gives bigint and numeric as text. */
function isNumber(value: unknown): boolean {
    return typeof value === "number" || (typeof value === "string" && /^-?[\d.]+$/.test(value));
}

function render(name: string, value: unknown): string {
    if (value === null || value === undefined) return "-";
    if (value instanceof Date) return value.toISOString().slice(0, 16).replace("T", " ");
    if (typeof value === "string" && !isNumber(value)) return value.slice(0, 40);
    if (!isNumber(value)) return JSON.stringify(value).slice(0, 40);
    if (name.endsWith("_usd")) return Number(value).toFixed(4);
    return Math.round(Number(value)).toLocaleString("en-US");
}
