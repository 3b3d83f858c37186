/**
 * What a preview without a change costs beyond the engine's own time, and how that grows with the
 * number of aggregates: the same program and state, with the real provider and with one that does
 * nothing, in turns.
 */
import { join } from "node:path";

import Table from "cli-table3";

import { withSession } from "../../components/timescale/core/connection/session";
import type { ConvergedObject } from "../../components/timescale/core/plan/convergeObject";
import { withClient } from "../../test/helpers/clients";
import type { TestDatabase } from "../../test/helpers/databases";
import { succeeded } from "../../test/helpers/engineRun";
import { createEngineStack, type EngineStack } from "../../test/helpers/engineStack";
import { engineVariable } from "../../test/helpers/environment";
import { ensureEngine } from "../engine";
import { type Step, withStep } from "../progress";
import { median, milliseconds, seconds } from "./figures";
import {
    createAggregate,
    createTables,
    type ExportedState,
    program,
    stateOfMany,
} from "./manyAggregates";
import { exportState, importState, type Preview, preview } from "./previews";
import { timeStatements, type Timings } from "./statements";

interface Scale {
    readonly count: number;
    readonly real: Preview[];
    readonly empty: Preview[];
    /** Connections that one real preview opened; undefined where the server does not count them. */
    readonly connections: number | undefined;
}

/** The tables of figures, on a database that holds nothing yet. */
export async function benchScale(
    database: TestDatabase,
    counts: readonly number[],
    rounds: number,
): Promise<string> {
    return withStep("looking for the Pulumi engine", async (step) => {
        const engine = await ensureEngine(step.report);
        process.env[engineVariable] = engine.directory;
        // Their folders go with this process.
        const real = await createEngineStack();
        const empty = await createEngineStack(join(__dirname, "nothing"));
        const made: ConvergedObject[] = [];
        const scales: Scale[] = [];
        let first: ExportedState | undefined;
        for (const count of counts) {
            await createUpTo(count, made, database, step);
            step.report(`putting ${count} aggregates into the states`);
            first ??= await stateOfFirst(real, database);
            const state = stateOfMany(first, made);
            await importState(real, state);
            await importState(empty, state);
            scales.push(await measure({ real, empty, count, rounds, database, step }));
        }
        step.report("timing single statements");
        const statements = await renderStatements(database, made);
        step.done("measured");
        return [renderScales(scales), statements].join("\n");
    });
}

async function createUpTo(
    count: number,
    made: ConvergedObject[],
    database: TestDatabase,
    step: Step,
): Promise<void> {
    // Jobs in the middle of a round would time themselves.
    await withClient(database.admin, (client) =>
        client.query("SELECT _timescaledb_functions.stop_background_workers()"),
    );
    await withSession(database.owner, async (session) => {
        if (made.length === 0) await createTables(session);
        while (made.length < count) {
            step.report(`making aggregates: ${made.length} of ${count}`);
            made.push(await createAggregate(session, made.length));
        }
    });
}

/** From an `up` of the first alone, which takes over what stands. Not twice: it would delete the others. */
async function stateOfFirst(real: EngineStack, { owner }: TestDatabase): Promise<ExportedState> {
    succeeded(await real.up(program(owner, 1)));
    return exportState(real);
}

interface Measured {
    readonly real: EngineStack;
    readonly empty: EngineStack;
    readonly count: number;
    readonly rounds: number;
    readonly database: TestDatabase;
    readonly step: Step;
}

async function measure({ real, empty, count, rounds, database, step }: Measured): Promise<Scale> {
    const declared = program(database.owner, count);
    const scale = { count, real: [] as Preview[], empty: [] as Preview[] };
    step.report(`previewing ${count} aggregates, to count connections`);
    const before = await connectionsOpened(database);
    await preview(real, declared);
    const after = await connectionsOpened(database);
    for (let round = 1; round <= rounds; round += 1) {
        step.report(`previewing ${count} aggregates, round ${round} of ${rounds}`);
        scale.empty.push(await preview(empty, declared));
        scale.real.push(await preview(real, declared));
    }
    // This look itself is one of them.
    const connections =
        before === undefined || after === undefined ? undefined : after - before - 1;
    return { ...scale, connections };
}

async function connectionsOpened({ admin }: TestDatabase): Promise<number | undefined> {
    return withClient(admin, async (client) => {
        const { rows } = await client.query<{ sessions: string | null }>(
            "SELECT sessions FROM pg_stat_database WHERE datname = current_database()",
        );
        const opened = Number(rows[0]?.sessions ?? 0);
        return opened === 0 ? undefined : opened;
    });
}

function renderScales(scales: readonly Scale[]): string {
    const table = new Table({
        style: { head: [], border: [] },
        head: [
            "aggregates",
            "preview",
            "engine alone",
            "difference",
            "each",
            "memory",
            "engine alone",
            "connections",
        ],
    });
    for (const { count, real, empty, connections } of scales) {
        const [whole, alone] = [medianTime(real), medianTime(empty)];
        const difference = differenceOf({ real, empty });
        table.push([
            count,
            seconds(whole),
            seconds(alone),
            seconds(difference),
            milliseconds(difference / count),
            memory(real),
            memory(empty),
            connections ?? "not counted",
        ]);
    }
    return [table.toString(), ...growth(scales)].join("\n");
}

function differenceOf({ real, empty }: Pick<Scale, "real" | "empty">): number {
    return median(
        real.map(({ milliseconds: whole }, at) => whole - (empty[at]?.milliseconds ?? Number.NaN)),
    );
}

/** Between the two largest, where what is there only once weighs least. */
function growth(scales: readonly Scale[]): string[] {
    const [smaller, larger] = scales.slice(-2);
    if (smaller === undefined || larger === undefined) return [];
    const ratio = (one: number, other: number): string => (one / other).toFixed(2);
    return [
        `${larger.count} against ${smaller.count} aggregates: ${ratio(larger.count, smaller.count)} times as many`,
        `${ratio(differenceOf(larger), differenceOf(smaller))} times the difference, ` +
            `${ratio(medianTime(larger.real), medianTime(smaller.real))} times the preview, ` +
            `${ratio(medianTime(larger.empty), medianTime(smaller.empty))} times the engine's own time`,
    ];
}

function medianTime(previews: readonly Preview[]): number {
    return median(previews.map(({ milliseconds: time }) => time));
}

function memory(previews: readonly Preview[]): string {
    const peaks = previews.flatMap(({ peakMemory }) => peakMemory ?? []);
    return peaks.length === 0 ? "not known" : `${(Math.max(...peaks) / 1024 ** 2).toFixed(0)} MB`;
}

async function renderStatements(
    { owner }: TestDatabase,
    made: readonly ConvergedObject[],
): Promise<string> {
    const sample = new Map([...made.entries()].slice(0, 50));
    const fresh = await timeStatements(owner, sample, "new");
    const kept = await timeStatements(owner, sample, "kept");
    const table = new Table({
        style: { head: [], border: [] },
        head: ["one plan sends", "on a new connection", "on one that is kept"],
    });
    for (const [what, times] of fresh) {
        const again = kept.get(what);
        table.push([
            what,
            milliseconds(median(times)),
            again === undefined ? "" : milliseconds(median(again)),
        ]);
    }
    table.push(["all", milliseconds(sum(fresh)), milliseconds(sum(kept))]);
    return table.toString();
}

function sum(timings: Timings): number {
    return [...timings.values()].reduce((total, times) => total + median(times), 0);
}
