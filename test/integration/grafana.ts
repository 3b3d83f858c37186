/**
 * A dashboard's queries as Grafana's PostgreSQL data source sends them: template variables and intervals as the
 * browser puts them in, then macros as the server does.
 *
 * Macros: https://github.com/grafana/grafana/blob/main/pkg/tsdb/grafana-postgresql-datasource/macros.go
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface DashboardQuery {
    readonly title: string;
    readonly format: "time_series" | "table" | "variable";
    readonly sql: string;
}

export interface Panel {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly description: string;
    readonly gridPos: {
        readonly x: number;
        readonly y: number;
        readonly w: number;
        readonly h: number;
    };
    readonly datasource: { readonly type: string; readonly uid: string };
    readonly targets: readonly {
        readonly format: "time_series" | "table";
        readonly rawSql: string;
        readonly datasource: { readonly uid: string };
    }[];
}

export interface Variable {
    readonly name: string;
    readonly query: string;
    readonly allValue: string;
    readonly includeAll: boolean;
    readonly multi: boolean;
}

export interface Dashboard {
    readonly __inputs: readonly Readonly<Record<string, string>>[];
    readonly schemaVersion: number;
    readonly timezone: string;
    readonly panels: readonly Panel[];
    readonly templating: { readonly list: readonly Variable[] };
}

export function readDashboard(): Dashboard {
    const file = join(__dirname, "../../grafana/llm-observatory.json");
    return JSON.parse(readFileSync(file, "utf8")) as Dashboard;
}

export function queriesOf({ panels, templating }: Dashboard): readonly DashboardQuery[] {
    return [
        ...templating.list.map(({ name, query }) => ({
            title: `$${name}`,
            format: "variable" as const,
            sql: query,
        })),
        ...panels.flatMap(({ id, title, targets }) =>
            targets.map(({ format, rawSql }) => ({ title: `${id} ${title}`, format, sql: rawSql })),
        ),
    ];
}

export interface View {
    readonly from: Date;
    readonly to: Date;
    /** Values chosen for each variable; one that is not here is All. */
    readonly chosen: Readonly<Record<string, readonly string[]>>;
    /** The data source's switch "TimescaleDB". */
    readonly timescaledb: boolean;
}

const maxDataPoints = 120;

export function expanded(sql: string, { templating }: Dashboard, view: View): string {
    const interval = intervalOf(view.to.getTime() - view.from.getTime());
    const inBrowser = templating.list
        .reduce(
            (text, { name, allValue }) =>
                // All that has a value of its own is put in as it is, whatever the format.
                text.replaceAll(`\${${name}:sqlstring}`, () =>
                    (view.chosen[name] ?? []).length === 0
                        ? allValue
                        : (view.chosen[name] ?? [])
                              .map((one) => `'${one.replaceAll("'", "''")}'`)
                              .join(","),
                ),
            sql,
        )
        .replaceAll("$__interval_ms", String(interval * 1000))
        .replaceAll("$__interval", `${interval}s`);
    return inBrowser.replace(
        /\$([_a-zA-Z0-9]+)\(([^)]*)\)/g,
        (_, name: string, list: string) =>
        macro(name, list.split(",").map((one) => one.trim()), view), // prettier-ignore
    );
}

function macro(name: string, args: readonly string[], view: View): string {
    const [column = "", width = ""] = args;
    const [from, to] = [`'${view.from.toISOString()}'`, `'${view.to.toISOString()}'`];
    switch (name) {
        case "__timeFilter":
            return `${column} BETWEEN ${from} AND ${to}`;
        case "__timeFrom":
            return from;
        case "__timeTo":
            return to;
        case "__timeGroupAlias": {
            const seconds = Number(/^'?(\d+)s'?$/.exec(width)?.[1]);
            const group = view.timescaledb
                ? `time_bucket('${seconds.toFixed(3)}s',${column})`
                : `floor(extract(epoch from ${column})/${seconds})*${seconds}`;
            return `${group} AS "time"`;
        }
        default:
            throw new Error(`this test does not know the macro ${name}`);
    }
}

/** Seconds: the widths that Grafana rounds to, as far as the windows of the test need them. */
function intervalOf(milliseconds: number): number {
    const wanted = milliseconds / 1000 / maxDataPoints;
    const widths = [60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
    return widths.find((one) => wanted < one * 1.5) ?? 604_800;
}
