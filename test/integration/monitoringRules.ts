/** What the exporter would export, read by its own queries as its own role, and which alerts that raises. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { type Client, escapeLiteral } from "pg";

import type { Connection } from "../../components/timescale/core/connection/connection";
import { withClient } from "../helpers/clients";
import { recordEnvironment } from "../helpers/environment";

// eslint-disable-next-line @typescript-eslint/no-require-imports
const yaml = require("js-yaml") as { load(text: string): unknown };

export const monitoringFolder = path.resolve(__dirname, "../../monitoring");

const read = (name: string): string => fs.readFileSync(path.join(monitoringFolder, name), "utf8");

interface Metric {
    readonly metric_name: string;
    readonly key_labels?: readonly string[];
    readonly values: readonly [string];
    readonly query?: string;
    readonly query_ref?: string;
}

interface Collector {
    readonly metrics: readonly Metric[];
    readonly queries: readonly { readonly query_name: string; readonly query: string }[];
}

interface Rule {
    readonly alert: string;
    readonly expr: string;
    readonly annotations: Readonly<Record<string, string>>;
}

export const collector = yaml.load(read("timescale.collector.yml")) as Collector;

export const rules = (yaml.load(read("alerts.yml")) as { groups: readonly { rules: Rule[] }[] })
    .groups[0]?.rules as readonly Rule[];

/** For tests that need promtool; elsewhere they are skipped, and the run says so. */
export const itWithPromtool =
    spawnSync("promtool", ["--version"]).error === undefined ? it : it.skip;
if (itWithPromtool === it.skip) {
    recordEnvironment(
        "not run: alert rules by promtool, which is not on PATH (Debian: apt-get install prometheus)",
    );
}

export const monitor = "observatory_monitor";

/** Runs role.sql as psql would, after removing what an earlier run left. */
export async function createMonitor(admin: Connection): Promise<Connection> {
    const password = "it's secret";
    const [, getenv, text = ""] = /^(\\getenv password MONITOR_PASSWORD)$([^]*)/m.exec(
        read("role.sql"),
    ) as unknown as string[];
    expect(getenv).toBeDefined();
    await withClient(admin, async (client) => {
        await client.query(`DROP ROLE IF EXISTS ${monitor}`);
        await client.query(text.replaceAll(":'password'", escapeLiteral(password)));
    });
    return { ...admin, user: monitor, password };
}

export interface Series {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
}

/** On a connection of its own. */
export async function scrape(login: Connection): Promise<readonly Series[]> {
    return await withClient(login, async (client) => {
        const series: Series[] = [];
        for (const metric of collector.metrics) series.push(...(await exported(client, metric)));
        return series;
    });
}

async function exported(client: Client, metric: Metric): Promise<readonly Series[]> {
    const { metric_name: name, key_labels: keys = [], values } = metric;
    const text =
        metric.query ??
        collector.queries.find((query) => query.query_name === metric.query_ref)?.query;
    const { rows, fields } = await client.query<Record<string, unknown>>(text ?? "");
    expect(fields.map((field) => field.name)).toEqual(expect.arrayContaining([...keys, ...values]));
    return rows.map((row) => ({
        name,
        labels: Object.fromEntries(keys.map((key) => [key, String(row[key])])),
        value: Number(row[values[0]]),
    }));
}

/** A rule that compares one metric with one number, or asks whether there is one. */
const plain = /^(\w+)(?:\{(\w+)="([^"]*)"\})? (>=?) (\d+(?:\.\d+)?)$/;
const missing = /^absent\((\w+)\)$/;

/** The metrics that a rule names. */
export function metricsOf({ expr }: Rule): readonly string[] {
    return [...expr.matchAll(/\btimescale_\w+/g)].map(([name]) => name);
}

export function isPlain({ expr }: Rule): boolean {
    return plain.test(expr) || missing.test(expr);
}

/** The plain alerts that fire when the series stay as they are, each with what it fires for. */
export function firing(series: readonly Series[]): readonly (readonly [string, string])[] {
    return rules.flatMap((rule) => found(rule, series).map((what) => [rule.alert, what] as const));
}

function found({ expr }: Rule, series: readonly Series[]): readonly string[] {
    const [, absent] = missing.exec(expr) ?? [];
    if (absent !== undefined) return series.some(({ name }) => name === absent) ? [] : [""];
    const [, metric, label, wanted, operator, limit] = plain.exec(expr) ?? [];
    return series
        .filter(({ name, labels }) => name === metric && (!label || labels[label] === wanted))
        .filter(
            ({ value }) => value > Number(limit) || (operator === ">=" && value === Number(limit)),
        )
        .map(({ labels }) => labels["object"] || labels["role"] || labels["procedure"] || "");
}

interface Expected {
    /** One value a minute, in promtool's notation. */
    readonly series: readonly { readonly series: string; readonly values: string }[];
    readonly minutes: number;
    readonly alerts: readonly string[];
}

/** The series as they are for two hours, and the alerts that must fire at their end, and no others. */
export function steady(series: readonly Series[], alerts: readonly string[]): Expected {
    return {
        series: series.map(({ name, labels, value }) => ({
            series: `${name}{${Object.entries({ ...labels, instance: "db", job: "timescale" })
                .map(([key, text]) => `${key}=${JSON.stringify(text)}`)
                .join(",")}}`,
            // Its short form knows no infinity.
            values: value === Infinity ? "Inf ".repeat(121).trim() : `${value}x120`,
        })),
        minutes: 119,
        alerts,
    };
}

/** Makes 1.1 times what a database takes its limit. */
export const shortOfDisk = `DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET observatory.disk_bytes = %L',
    current_database(), (pg_database_size(current_database()) * 1.1)::bigint); END$$`;

/** Throws what promtool says when another set of alerts fires than expected. */
export function judgeByPromtool(tests: readonly Expected[]): void {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "alerts-"));
    try {
        const file = path.join(folder, "test.json");
        const text = JSON.stringify({
            rule_files: [path.join(monitoringFolder, "alerts.yml")],
            evaluation_interval: "1m",
            tests: tests.map(({ series, minutes, alerts }) => ({
                interval: "1m",
                input_series: series,
                promql_expr_test: [
                    {
                        expr: 'group by (alertname) (ALERTS{alertstate="firing"})',
                        eval_time: `${minutes}m`,
                        exp_samples: [...new Set(alerts)].map((alertname) => ({
                            labels: `{alertname="${alertname}"}`,
                            value: 1,
                        })),
                    },
                ],
            })),
        });
        fs.writeFileSync(file, text);
        const { status, stdout, stderr } = spawnSync("promtool", ["test", "rules", file]);
        if (status !== 0) throw new Error(`${String(stdout)}${String(stderr)}`);
    } finally {
        fs.rmSync(folder, { recursive: true });
    }
}
