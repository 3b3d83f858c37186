/**
 * What changing an aggregate's query costs where raw data has lost 60 of 90 days: with
 * `onQueryChange: "keepHistory"` and with `"rebuild"`, while one client reads the aggregate and one
 * writes raw rows, each as fast as it can.
 */
import Table from "cli-table3";
import { Client } from "pg";

import { aggregates, queryOf } from "../../components/observatory/aggregates";
import { converge } from "../../components/timescale/core/aggregate/converge";
import {
    type DesiredAggregate,
    desiredAggregate,
} from "../../components/timescale/core/aggregate/spec";
import type { Connection } from "../../components/timescale/core/connection/connection";
import { type Session, withSession } from "../../components/timescale/core/connection/session";
import { clientConfig } from "../../components/timescale/core/connection/tls";
import type { PartsMemory } from "../../components/timescale/core/relation/hypertableParts";
import { withStep } from "../progress";
import { load } from "./load";

const name = "llm_metrics_1hour";
const nothing = {
    refreshPolicy: true,
    retentionPolicy: true,
    compressionPolicy: false,
    indexes: [],
};
const memory: PartsMemory = { managed: true, declared: nothing };

interface Run {
    readonly how: string;
    /** Milliseconds from one status to the next, by the status without its numbers. */
    readonly phases: ReadonlyMap<string, number>;
    readonly rowsBefore: number;
    readonly rowsAfter: number;
    readonly reads: Waits;
    readonly writes: Waits;
}

interface Waits {
    readonly times: number;
    /** The longest of them, in milliseconds. */
    readonly longest: number;
}

/** The table of phases and waits, on a database that holds nothing yet. */
export async function benchKeepHistory(owner: Connection, rows: number): Promise<string> {
    return withSession(owner, async (session) => {
        await withStep("loading rows", (step) => load(session, rows, step.report));
        const declaration = aggregates.find((it) => it.name === name);
        if (declaration === undefined) throw new Error(`there is no aggregate ${name}`);
        const { file: _file, ...rest } = declaration;
        const first = desiredAggregate({ ...rest, query: queryOf(declaration) });
        const { retentionPolicy: _r, ...standing } = first;
        await withStep("filling the aggregate", () => up(session, standing, () => undefined));
        await session.client.query("SELECT drop_chunks('llm_traces', interval '30 days')");
        const changed = {
            ...standing,
            query: standing.query.replace(/SELECT/i, "SELECT max(ttft_ms) AS slowest_ttft_ms,"),
        };
        const back = await measure(owner, session, "keepHistory", { ...changed, onQueryChange: "keepHistory" }); // prettier-ignore
        const again = await measure(owner, session, "back to the old version", standing);
        await up(session, { ...standing, history: { replacedVersions: "drop" } }, () => undefined);
        const rebuilt = await measure(owner, session, "rebuild", {
            ...changed,
            onQueryChange: "rebuild",
            acceptLoss: Number.MAX_SAFE_INTEGER,
        });
        return render([back, again, rebuilt]);
    });
}

async function up(
    session: Session,
    desired: DesiredAggregate,
    onStatus: (text: string) => void,
): Promise<void> {
    await converge(session, desired, memory, {
        onStatus,
        onApplied: () => undefined,
        checkDatabase: () => undefined,
    });
}

async function measure(
    owner: Connection,
    session: Session,
    how: string,
    desired: DesiredAggregate,
): Promise<Run> {
    const count = async (): Promise<number> => {
        const { rows } = await session.client.query<{ count: string }>(`SELECT count(*) FROM ${name}`); // prettier-ignore
        return Number(rows[0]?.count);
    };
    const rowsBefore = await count();
    const reader = await repeating(owner, `SELECT count(*), sum(request_count) FROM ${name}`);
    const writer = await repeating(
        owner,
        "INSERT INTO llm_traces (ts, trace_id, span_id, span_name, provider, model, input_type, duration_ms, status_code) VALUES (clock_timestamp(), 't', random()::text, 'chat', 'p', 'm', 'text', 7, 'OK')",
    );
    const phases = new Map<string, number>();
    let [phase, since] = ["planning", performance.now()];
    const turn = (text: string): void => {
        phases.set(phase, (phases.get(phase) ?? 0) + performance.now() - since);
        phase = text.replace(/: .*| \d+\/.*|, \d+.*/, "");
        since = performance.now();
    };
    await withStep(how, (step) =>
        up(session, desired, (text) => {
            turn(text);
            step.report(text);
        }),
    );
    turn("");
    return {
        how,
        phases,
        rowsBefore,
        rowsAfter: await count(),
        reads: await reader(),
        writes: await writer(),
    };
}

/** Repeats the statement on a connection of its own, until it is asked how that went. */
async function repeating(owner: Connection, text: string): Promise<() => Promise<Waits>> {
    const client = new Client(clientConfig(owner));
    await client.connect();
    let [stopped, times, longest] = [false, 0, 0];
    const running = (async () => {
        while (!stopped) {
            const started = performance.now();
            await client.query(text);
            longest = Math.max(longest, performance.now() - started);
            times += 1;
        }
    })();
    return async () => {
        stopped = true;
        await running;
        await client.end();
        return { times, longest };
    };
}

function render(runs: readonly Run[]): string {
    const table = new Table({
        style: { head: [], border: [] },
        head: ["change", "phase or figure", ""],
    });
    for (const { how, phases, rowsBefore, rowsAfter, reads, writes } of runs) {
        const all = [...phases.values()].reduce((one, other) => one + other, 0);
        table.push([how, "in all", `${all.toFixed(0)} ms`]);
        for (const [phase, time] of phases) table.push(["", phase, `${time.toFixed(0)} ms`]);
        table.push(["", "rows of the aggregate", `${rowsBefore} → ${rowsAfter}`]);
        table.push(["", `longest of ${reads.times} reads`, `${reads.longest.toFixed(0)} ms`]);
        table.push(["", `longest of ${writes.times} writes`, `${writes.longest.toFixed(0)} ms`]);
    }
    return table.toString();
}
