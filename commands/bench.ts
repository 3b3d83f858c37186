/**
 * `npm run bench`: what this project costs, as ratios. Each case is timed side by side with a script
 * that does the same by hand, in turns on the same database, so that only the ratio means anything.
 *
 * `npm run bench -- --rows 3000000 --rounds 5`
 */
import Table from "cli-table3";
import { Command } from "commander";

import { aggregates, queryOf } from "../components/observatory/aggregates";
import { hypertables } from "../components/observatory/hypertables";
import { converge } from "../components/timescale/core/aggregate/converge";
import { type Memory, planLive } from "../components/timescale/core/aggregate/live";
import { removeAggregate } from "../components/timescale/core/aggregate/remove";
import { desiredAggregate } from "../components/timescale/core/aggregate/spec";
import type { Connection } from "../components/timescale/core/connection";
import { explain, TimescaleError } from "../components/timescale/core/errors";
import { convergeHypertable } from "../components/timescale/core/hypertable/converge";
import { desiredHypertable } from "../components/timescale/core/hypertable/spec";
import { statementBody } from "../components/timescale/core/query";
import { type Session, withSession } from "../components/timescale/core/session";
import { findServers } from "../test/helpers/databases";
import { withStep } from "./progress";

const nothing = {
    refreshPolicy: false,
    retentionPolicy: false,
    compressionPolicy: false,
    indexes: [],
};
const fresh: Memory = { managed: false, declared: nothing };
const silent = {
    onStatus: () => undefined,
    onApplied: () => undefined,
    checkDatabase: () => undefined,
};
const desired = aggregates.map((declaration) => {
    const { file: _file, ...aggregate } = declaration;
    return desiredAggregate({ ...aggregate, query: queryOf(declaration) });
});

interface Figure {
    readonly what: string;
    /** Milliseconds, one a round. */
    readonly ours: number[];
    readonly theirs: number[];
    readonly bound: string;
}

async function main(args: readonly string[]): Promise<void> {
    const { rows, rounds } = new Command("npm run bench --")
        .option("--rows <n>", "rows of llm_traces, over 90 days", Number, 300_000)
        .option("--rounds <n>", "how often each side runs", Number, 3)
        .parse([...args], { from: "user" })
        .opts<{ rows: number; rounds: number }>();
    // What was started ends with this process.
    const [server] = await findServers();
    if (server === undefined) throw new Error("no database can be had here");
    const database = await server.createDatabase();
    try {
        const figures = await measure(database.owner, rows, rounds);
        process.stdout.write(`\n${server.name}, ${rows.toLocaleString("en")} rows, 90 days\n`);
        process.stdout.write(`${render(figures)}\n`);
    } finally {
        await database.drop();
    }
}

function measure(owner: Connection, rows: number, rounds: number): Promise<Figure[]> {
    return withSession(owner, async (session) => {
        await withStep("loading rows", (step) => load(session, rows, step.report));
        const fill: Figure = {
            what: "first fill of llm_metrics_1min in windows, against one refresh call",
            ours: [],
            theirs: [],
            bound: "<= 1.05",
        };
        const up: Figure = {
            what: "create and fill four aggregates, against a script",
            ours: [],
            theirs: [],
            bound: "<= 1.00",
        };
        const plan: Figure = {
            what: "plan of four unchanged aggregates, against four empty queries",
            ours: [],
            theirs: [],
            bound: "150 ms in all",
        };
        await withStep("timing", async (step) => {
            for (let round = 1; round <= rounds; round += 1) {
                step.report(`round ${round} of ${rounds}`);
                const first = desired.slice(0, 1);
                fill.ours.push(await timed(() => create(session, first)));
                await drop(session, first);
                fill.theirs.push(await timed(() => script(session, first)));
                await drop(session, first);
                up.ours.push(await timed(() => create(session, desired)));
                plan.ours.push(await timed(() => planAll(session)));
                plan.theirs.push(await timed(() => emptyQueries(session)));
                await drop(session, desired);
                up.theirs.push(await timed(() => script(session, desired)));
                await drop(session, desired);
            }
        });
        return [fill, up, plan];
    });
}

async function load(session: Session, rows: number, report: (text: string) => void): Promise<void> {
    const [traces] = hypertables;
    if (traces === undefined) return;
    const memory = { managed: false, declared: nothing };
    // Without its policies: jobs in the middle of a round would time themselves.
    const { compressionPolicy: _c, retentionPolicy: _r, ...table } = traces;
    await convergeHypertable(session, desiredHypertable(table), memory, silent);
    const batch = 50_000;
    for (let from = 0; from < rows; from += batch) {
        report(`${from.toLocaleString("en")} of ${rows.toLocaleString("en")}`);
        await session.client.query(`
            INSERT INTO llm_traces (ts, trace_id, span_id, span_name, provider, model, input_type, duration_ms,
                status_code, prompt_tokens, completion_tokens, total_tokens, total_cost_usd, user_id, session_id, environment)
            SELECT now() - interval '90 days' + i * (interval '90 days' / ${rows}), 't' || i, 's', 'chat',
                'provider-' || i % 3, 'model-' || i % 9, 'text', exp(7 + 1.2 * (random() + random() - 1))::int,
                (array['OK', 'OK', 'OK', 'OK', 'OK', 'OK', 'OK', 'OK', 'ERROR', 'UNSET'])[1 + i % 10],
                500, 200, 700, 0.002, 'user-' || i % 997, 'session-' || i % 9973, (array['production', 'staging'])[1 + i % 2]
            FROM generate_series(${from}, ${Math.min(from + batch, rows) - 1}) i`);
    }
    await session.client.query("ANALYZE llm_traces");
}

async function create(session: Session, list: typeof desired): Promise<void> {
    for (const aggregate of list) await converge(session, aggregate, fresh, silent);
}

/** What a careful person writes by hand for the same: no comparison, no windows, no retries. */
async function script(session: Session, list: typeof desired): Promise<void> {
    const { client } = session;
    for (const { name, query, refreshPolicy, retentionPolicy, comment } of list) {
        await client.query("BEGIN");
        await client.query(
            `CREATE MATERIALIZED VIEW ${name} WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS ${statementBody(query)} WITH NO DATA`,
        );
        await client.query(
            `SELECT alter_job(add_continuous_aggregate_policy('${name}', start_offset => interval '${refreshPolicy?.startOffset}', end_offset => interval '${refreshPolicy?.endOffset}', schedule_interval => interval '${refreshPolicy?.scheduleInterval}'), scheduled => false)`,
        );
        await client.query(
            `SELECT add_retention_policy('${name}', interval '${retentionPolicy?.dropAfter}')`,
        );
        await client.query(`COMMENT ON VIEW ${name} IS '${comment}'`);
        await client.query(`GRANT SELECT ON ${name} TO observatory_reader`);
        await client.query("COMMIT");
        await client.query(
            `CALL refresh_continuous_aggregate('${name}', now() - interval '${retentionPolicy?.dropAfter}', now())`,
        );
        await client.query(
            `SELECT alter_job(job_id, scheduled => true) FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate' AND NOT scheduled`,
        );
    }
}

async function drop(session: Session, list: typeof desired): Promise<void> {
    for (const name of list) {
        await removeAggregate(session, {
            name,
            searchPath: ["public"],
            acceptLoss: Number.MAX_SAFE_INTEGER,
            onDelete: "drop",
            onRetry: () => undefined,
        });
    }
}

async function planAll(session: Session): Promise<void> {
    for (const aggregate of desired) await planLive(session, aggregate, fresh);
}

async function emptyQueries(session: Session): Promise<void> {
    for (const _ of desired) await session.client.query("SELECT 1");
}

async function timed(work: () => Promise<void>): Promise<number> {
    const start = performance.now();
    await work();
    return performance.now() - start;
}

function render(figures: readonly Figure[]): string {
    const table = new Table({ head: ["what", "here", "by hand", "ratio", "bound"] });
    for (const { what, ours, theirs, bound } of figures) {
        const [here, there] = [median(ours), median(theirs)];
        table.push([
            what,
            `${here.toFixed(0)} ms`,
            `${there.toFixed(0)} ms`,
            (here / there).toFixed(2),
            bound,
        ]);
    }
    return table.toString();
}

function median(values: readonly number[]): number {
    const sorted = [...values].sort((one, other) => one - other);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

main(process.argv.slice(2)).then(
    () => process.exit(0),
    (error: unknown) => {
        process.stderr.write(
            `${error instanceof TimescaleError ? `error: ${explain(error)}` : String(error)}\n`,
        );
        process.exit(1);
    },
);
