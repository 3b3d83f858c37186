/** The rules that need the live database's facts; pure, as all rules. */
import type { DesiredAggregate } from "../aggregate/spec";
import { displayName, type QualifiedName } from "../identifier";
import { describeLength } from "../interval";
import type { RetentionPolicy } from "../policies/policy";
import { chunkFindings } from "./chunks";
import { type Finding, finding } from "./finding";
import type { Reader, RuleFacts, SourceFacts, WorkerFacts } from "./inspect";
import { windowedAggregate } from "./own";
import { productsInTree } from "./products";
import { rollUpFindings } from "./rollUp";
import { hierarchyFindings, lengthIn, retentionOf, sourceFindings, type Windowed } from "./windows";

export interface LiveContext {
    readonly facts: RuleFacts;
    /** False on the embedded server, where nothing runs jobs. */
    readonly backgroundWorkers: boolean;
    /** Of the standing aggregate; undefined while there is none. */
    readonly chunkTimeInterval: string | undefined;
    /** Whether the query that stands is the declared one, so that its tree is too. */
    readonly sameQuery: boolean;
}

export function liveFindings(
    desired: DesiredAggregate,
    { facts, backgroundWorkers, chunkTimeInterval, sameQuery }: LiveContext,
): Finding[] {
    const windowed = windowedAggregate(desired);
    return [
        ...(facts.source === null ? [] : liveSourceFindings(desired, windowed, facts.source)),
        ...(sameQuery && facts.products !== null ? productsInTree(facts.products) : []),
        // What the program declares is judged without the server.
        ...(desired.chunkTimeInterval !== undefined
            ? []
            : chunkFindings({
                  title: windowed.title,
                  chunk: lengthIn(chunkTimeInterval),
                  bucket: windowed.bucket,
                  retention: retentionOf(windowed),
              })),
        ...decompressionFindings(desired, facts),
        ...scheduleFindings(desired, facts),
        ...(backgroundWorkers && desired.refreshPolicy !== undefined
            ? workerFindings(facts.workers)
            : []),
    ];
}

function liveSourceFindings(
    desired: DesiredAggregate,
    windowed: Windowed,
    source: SourceFacts,
): Finding[] {
    const parent: Windowed = {
        title: displayName(source),
        bucket: lengthIn(source.bucketWidth),
        ...(source.refresh !== null && { refreshPolicy: { ...source.refresh } }),
        ...(source.dropAfter !== null && { retentionPolicy: { dropAfter: source.dropAfter } }),
    };
    const pairs = [
        ...sourceFindings(windowed, parent),
        ...(source.definition === null ? [] : hierarchyFindings(windowed, parent)),
    ];
    const columns =
        source.definition === null
            ? []
            : rollUpFindings(
                  { title: windowed.title, query: desired.query },
                  { title: parent.title, query: source.definition },
              );
    return [...pairs.map(({ atReader }) => atReader), ...columns];
}

/** Aggregates that stand over a source whose retention would take away what they refresh from. */
export function readerFindings(
    source: QualifiedName,
    retentionPolicy: RetentionPolicy | undefined,
    readers: readonly Reader[],
): Finding[] {
    const kept: Windowed = {
        title: displayName(source),
        retentionPolicy: retentionPolicy as Windowed["retentionPolicy"],
    };
    return readers.flatMap(({ startOffset, ...reader }) =>
        sourceFindings(
            { title: displayName(reader), refreshPolicy: { startOffset } },
            kept,
        ).flatMap(({ atSource }) => atSource ?? []),
    );
}

function decompressionFindings(
    desired: DesiredAggregate,
    { compressedRows, decompressionLimit }: RuleFacts,
): Finding[] {
    const limit = decompressionLimit ?? 0;
    if (limit === 0 || compressedRows <= limit || desired.refreshPolicy === undefined) return [];
    return [
        finding("decompression_limit", "refreshPolicy", {
            message: `the next refresh of ${displayName(desired)} would fail: it has to decompress more rows than it may`,
            detail: `${compressedRows} rows of compressed chunks are to be taken apart for what changed within refreshPolicy.startOffset ${desired.refreshPolicy.startOffset ?? "(unbounded)"}, and timescaledb.max_tuples_decompressed_per_dml_transaction is ${limit}: the refresh ends with 53400, and so does every later one`,
            hint: `refresh that range once in a session with SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0, or set it for the job's owner with ALTER ROLE; or shorten refreshPolicy.startOffset`,
        }),
    ];
}

function scheduleFindings(desired: DesiredAggregate, { run }: RuleFacts): Finding[] {
    const policy = desired.refreshPolicy;
    const schedule = lengthIn(policy?.scheduleInterval);
    if (run?.mean == null || schedule === undefined || policy?.paused === true) return [];
    // One long run, such as the first after a load, is no reason.
    const usual = Math.min(run.mean, run.last ?? run.mean) * 1_000_000;
    if (usual <= schedule) return [];
    return [
        finding("schedule_too_tight", "refreshPolicy", {
            message: `refreshes of ${displayName(desired)} cannot keep their schedule`,
            detail: `refreshPolicy.scheduleInterval is ${describeLength(schedule)}, and a refresh takes ${seconds(run.mean)} on average of ${run.runs} runs${run.last === null ? "" : `, ${seconds(run.last)} the last time`}`,
            hint: `set refreshPolicy.scheduleInterval to more than ${seconds(run.mean)}, or refresh less with a shorter startOffset`,
        }),
    ];
}

function seconds(value: number): string {
    return `${value >= 10 ? Math.round(value) : value.toFixed(1)} s`;
}

/** Each database with the extension keeps one worker for its scheduler, and the launcher is one of PostgreSQL's. */
export function workerFindings(workers: WorkerFacts): Finding[] {
    const { demand, jobs, maxBackgroundWorkers, maxWorkerProcesses } = workers;
    const { otherSchedulers, otherWorkers } = workers;
    if (maxBackgroundWorkers === null || jobs === 0) return [];
    const byTimescale = maxBackgroundWorkers - otherSchedulers - 1;
    const byPostgres = maxWorkerProcesses - 2 - otherSchedulers - otherWorkers;
    const free = Math.min(byTimescale, byPostgres);
    if (demand <= free) return [];
    const setting =
        byTimescale <= byPostgres ? "timescaledb.max_background_workers" : "max_worker_processes";
    return [
        finding("few_background_workers", "refreshPolicy", {
            message: `the policies of this database have more to do than ${free} background worker${free === 1 ? "" : "s"} can do`,
            detail: `measured run time by schedule adds up to ${demand.toFixed(1)} workers for ${jobs} jobs; timescaledb.max_background_workers is ${maxBackgroundWorkers} and max_worker_processes ${maxWorkerProcesses}, of which ${otherSchedulers} other databases with TimescaleDB, ${otherWorkers} other workers and this database's scheduler take theirs`,
            hint: `raise ${setting} and restart the server, or let the policies run less often`,
        }),
    ];
}
