/**
 * What the views and functions for dashboards take to answer, side by side with the same question asked of
 * raw rows: the first time on a new connection, and again on one that is kept.
 */
import Table from "cli-table3";

import { aggregates, commentOf, queryOf } from "../../components/observatory/aggregates";
import { functions } from "../../components/observatory/functions";
import { helperFunctions, helperViews } from "../../components/observatory/helpers";
import { defaultTarget } from "../../components/observatory/slaTargets";
import { converge } from "../../components/timescale/core/aggregate/converge";
import { desiredAggregate } from "../../components/timescale/core/aggregate/spec";
import type { Connection } from "../../components/timescale/core/connection/connection";
import { type Session, withSession } from "../../components/timescale/core/connection/session";
import { statementBody } from "../../components/timescale/core/query/query";
import { withStep } from "../progress";
import { median, milliseconds, timed } from "./figures";
import { load, nothingDeclared, silent } from "./load";

interface Question {
    readonly what: string;
    readonly view: string;
    /** The same of raw rows; undefined: the view reads them itself. */
    readonly raw?: string;
}

const percentilesOf = "percentile_cont(ARRAY[0.5, 0.9, 0.95, 0.99]) WITHIN GROUP (ORDER BY duration_ms)"; // prettier-ignore

const questions: readonly Question[] = [
    { what: "llm_percentiles_realtime", view: "SELECT * FROM llm_percentiles_realtime" },
    { what: "llm_percentiles_hourly", view: "SELECT * FROM llm_percentiles_hourly" },
    { what: "llm_sla_monitoring", view: "SELECT * FROM llm_sla_monitoring" },
    {
        what: "llm_percentiles_approximate, an hour",
        view: "SELECT * FROM llm_percentiles_approximate WHERE bucket >= now() - interval '1 hour'",
        raw: `SELECT time_bucket('1 minute', ts), provider, model, status_code, count(*), avg(duration_ms), ${percentilesOf}
              FROM llm_traces WHERE ts >= now() - interval '1 hour' GROUP BY 1, 2, 3, 4`,
    },
    {
        what: "llm_percentiles_approximate, a model's day",
        view: "SELECT * FROM llm_percentiles_approximate WHERE bucket >= now() - interval '1 day' AND model = 'gpt-4o'",
        raw: `SELECT time_bucket('1 minute', ts), provider, model, status_code, count(*), avg(duration_ms), ${percentilesOf}
              FROM llm_traces WHERE ts >= now() - interval '1 day' AND model = 'gpt-4o' GROUP BY 1, 2, 3, 4`,
    },
    {
        what: "cost_analysis_hourly, cost by model of 7 days",
        view: "SELECT model, sum(total_cost) FROM cost_analysis_hourly WHERE bucket >= now() - interval '7 days' GROUP BY 1",
        raw: "SELECT model, sum(total_cost_usd) FROM llm_traces WHERE ts >= now() - interval '7 days' GROUP BY 1",
    },
    {
        what: "llm_metrics_1hour, requests by hour of 7 days",
        view: "SELECT bucket, sum(request_count), sum(error_count) FROM llm_metrics_1hour WHERE bucket >= now() - interval '7 days' GROUP BY 1",
        raw: "SELECT time_bucket('1 hour', ts), count(*), count(*) FILTER (WHERE status_code = 'ERROR') FROM llm_traces WHERE ts >= now() - interval '7 days' GROUP BY 1",
    },
    {
        what: "llm_metrics_1day, 90 days by model",
        view: "SELECT model, sum(request_count), sum(total_cost_usd) FROM llm_metrics_1day GROUP BY 1",
        raw: "SELECT model, count(*), sum(total_cost_usd) FROM llm_traces GROUP BY 1",
    },
    {
        what: "llm_percentiles, four by model of 7 days",
        view: "SELECT * FROM llm_percentiles('duration_ms', '{0.5,0.9,0.95,0.99}', now() - interval '7 days', now(), '{model}')",
        raw: `SELECT model, ${percentilesOf} FROM llm_traces WHERE ts >= now() - interval '7 days' GROUP BY 1`,
    },
    {
        what: "llm_percentiles, four by model of 80 days",
        view: "SELECT * FROM llm_percentiles('duration_ms', '{0.5,0.9,0.95,0.99}', now() - interval '80 days', now(), '{model}')",
        raw: `SELECT model, ${percentilesOf} FROM llm_traces WHERE ts >= now() - interval '80 days' GROUP BY 1`,
    },
    {
        what: "llm_latency_percentile, a model's 7 days",
        view: "SELECT llm_latency_percentile(0.95, now() - interval '7 days', now(), model => 'gpt-4o')",
        raw: "SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) FROM llm_traces WHERE ts >= now() - interval '7 days' AND model = 'gpt-4o'",
    },
];

/** The table of figures, on a database that holds nothing yet. */
export async function benchViews(owner: Connection, rows: number, rounds: number): Promise<string> {
    await withSession(owner, async (session) => {
        await withStep("loading rows", (step) => load(session, rows, step.report));
        await withStep("filling aggregates", (step) => declare(session, step.report));
    });
    const table = new Table({
        style: { head: [], border: [] },
        head: ["question", "first", "again", "raw, first", "raw, again", "ratio"],
    });
    await withStep("timing", async (step) => {
        for (const { what, view, raw } of questions) {
            step.report(what);
            const ours = await measure(owner, view, rounds);
            const theirs = raw === undefined ? undefined : await measure(owner, raw, rounds);
            table.push([
                what,
                milliseconds(ours.first),
                milliseconds(ours.again),
                theirs === undefined ? "reads raw rows" : milliseconds(theirs.first),
                theirs === undefined ? "" : milliseconds(theirs.again),
                theirs === undefined ? "" : (ours.again / theirs.again).toFixed(3),
            ]);
        }
    });
    return table.toString();
}

async function declare(session: Session, report: (text: string) => void): Promise<void> {
    for (const declaration of aggregates) {
        report(declaration.name);
        const { file: _file, ...rest } = declaration;
        const query = queryOf(declaration);
        const desired = desiredAggregate({ ...rest, query, comment: commentOf(declaration) });
        await converge(session, desired, nothingDeclared, silent);
    }
    for (const { definition } of [...functions("public"), ...helperFunctions("public")]) {
        await session.client.query(definition);
    }
    for (const { name, query } of helperViews([defaultTarget])) {
        await session.client.query(`CREATE VIEW ${name} AS ${statementBody(query)}`);
    }
    await session.client.query("ANALYZE");
}

/** Medians over connections, each of which asks once anew and then several times. */
async function measure(
    owner: Connection,
    text: string,
    rounds: number,
): Promise<{ readonly first: number; readonly again: number }> {
    const [first, again]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
        await withSession(owner, async ({ client }) => {
            first.push(await timed(() => client.query(text)));
            for (let time = 0; time < 5; time += 1) {
                again.push(await timed(() => client.query(text)));
            }
        });
    }
    return { first: median(first), again: median(again) };
}
