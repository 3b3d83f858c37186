/**
 * Views and functions for dashboards and for people, with the names and columns that the original
 * deployment had. All may be left out by the config key `helpers`.
 */
import type { ViewProperties } from "../timescale";
import { escapeLiteral } from "../timescale/core/identifier";
import { aggregates, queryOf } from "./aggregates";
import type { Declaration } from "./declaration";
import { behind } from "./freshness";
import { definition, type FunctionDeclaration } from "./functions";
import { readerCalls, readerReads } from "./grants";
import type { SlaTarget } from "./slaTargets";
import { readSql } from "./statements";

type ViewDeclaration = Pick<ViewProperties, "name" | "query" | "comment" | "grants">;

const live = "from raw rows: exact, and as fresh as what has been written";

/** How old what an aggregate says may be, in words for a comment. */
function asFreshAs(aggregate: string, declared: readonly Declaration[]): string {
    const found = declared.find(({ name }) => name === aggregate);
    if (found === undefined) throw new Error(`there is no aggregate ${aggregate}`);
    return `from ${aggregate}: complete up to at most ${behind(found, queryOf(found))} ago`;
}

/** @param declared the aggregates as this environment has them */
export function helperViews(
    targets: readonly SlaTarget[],
    declared = aggregates,
): readonly ViewDeclaration[] {
    return [
        view(
            "llm_percentiles_realtime",
            "views/llm_percentiles_realtime.sql",
            `Successful requests of the last 15 minutes by minute, ${live}; the last bucket is running`,
        ),
        view(
            "llm_percentiles_hourly",
            "views/llm_percentiles_hourly.sql",
            `Requests of the last 24 hours by hour, ${live}; the last bucket is running; error_rate is the share of status ERROR`,
        ),
        view(
            "llm_percentiles_approximate",
            "views/llm_percentiles_approximate.sql",
            `Requests by minute, ${asFreshAs("llm_metrics_1min", declared)}; percentiles are exact for their minute and cannot be merged: llm_percentiles gives those of longer windows, to 1 %`,
        ),
        {
            name: "llm_sla_targets",
            query: targetsQuery(targets),
            comment:
                "Targets of llm_sla_monitoring by model and environment, null for any; the config key slaTargets says them",
            grants: readerReads,
        },
        view(
            "llm_sla_monitoring",
            "views/llm_sla_monitoring.sql",
            `Targets against the last hour by 5 minutes, ${live}; latency is that of requests that did not fail, failures count in error_rate; models that fell silent have request_count 0`,
        ),
        view(
            "cost_analysis_hourly",
            "views/cost_analysis_hourly.sql",
            `For queries written before llm_metrics_1hour, ${asFreshAs("llm_metrics_1hour", declared)}; user_id is always null`,
        ),
    ];
}

export function helperFunctions(schema: string): readonly FunctionDeclaration[] {
    return [
        {
            name: "compare_model_percentiles",
            file: "functions/compare_model_percentiles.sql",
            comment: `Models side by side over the time until now, ${live}`,
        },
        {
            name: "user_percentiles",
            file: "functions/user_percentiles.sql",
            comment: `One user's requests by hour, ${live}; the window begins with a whole hour`,
        },
    ].map(({ name, file, comment }) => ({
        name,
        comment,
        definition: definition(file, schema),
        grants: readerCalls,
    }));
}

function view(name: string, file: string, comment: string): ViewDeclaration {
    return { name, query: readSql(file), comment, grants: readerReads };
}

function targetsQuery(targets: readonly SlaTarget[]): string {
    const text = (value: string | undefined): string =>
        value === undefined ? "NULL::text" : `${escapeLiteral(value)}::text`;
    const number = (value: number): string => `${value}::double precision`;
    const rows = targets.map(
        ({ model, environment, p95Ms, p99Ms, errorRate }) =>
            `    (${[text(model), text(environment), number(p95Ms), number(p99Ms), number(errorRate)].join(", ")})`,
    );
    return `SELECT * FROM (VALUES\n${rows.join(",\n")}\n) AS targets (model, environment, p95_ms, p99_ms, error_rate)`;
}
