/**
 * What filling, creating and planning the four aggregates costs, each timed in turns with a script
 * that does the same by hand on the same database.
 */
import Table from "cli-table3";

import { dashboardAggregates, queryOf } from "../../components/observatory/aggregates";
import { converge } from "../../components/timescale/core/aggregate/converge";
import { planLive } from "../../components/timescale/core/aggregate/live";
import { removeAggregate } from "../../components/timescale/core/aggregate/remove";
import { desiredAggregate } from "../../components/timescale/core/aggregate/spec";
import type { Connection } from "../../components/timescale/core/connection/connection";
import { type Session, withSession } from "../../components/timescale/core/connection/session";
import { statementBody } from "../../components/timescale/core/query/query";
import { withStep } from "../progress";
import { median, timed } from "./figures";
import { load, nothingDeclared, silent } from "./load";

const desired = dashboardAggregates.map((declaration) => {
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

/** The table of figures, on a database that holds nothing yet. */
export async function benchByHand(
    owner: Connection,
    rows: number,
    rounds: number,
): Promise<string> {
    return render(await measure(owner, rows, rounds));
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

async function create(session: Session, list: typeof desired): Promise<void> {
    for (const aggregate of list) await converge(session, aggregate, nothingDeclared, silent);
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
            acceptLoss: Number.MAX_SAFE_INTEGER,
            onDelete: "drop",
            onRetry: () => undefined,
        });
    }
}

async function planAll(session: Session): Promise<void> {
    for (const aggregate of desired) await planLive(session, aggregate, nothingDeclared);
}

async function emptyQueries(session: Session): Promise<void> {
    for (const _ of desired) await session.client.query("SELECT 1");
}

function render(figures: readonly Figure[]): string {
    const table = new Table({
        style: { head: [], border: [] },
        head: ["what", "here", "by hand", "ratio", "bound"],
    });
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
