/** What a plan may do to an aggregate's history, readers and jobs. Pure: from changes and what was inspected. */
import { lockPatience, policyHazards } from "../plan/hazards";
import type { Hazard } from "../plan/plan";
import { type PolicyKind, policyProcedures, policyProperties } from "../policies/policy";
import type { Extent } from "../removal/extent";
import type { AggregateChange } from "./changes";
import { describeStake, type HistoryAtStake } from "./history";
import type { ActualAggregate } from "./inspect";
import type { DesiredAggregate } from "./spec";

/** What hazards are told with; where it is missing they are told without numbers. */
export interface AggregateFacts {
    /** What the aggregate reads. */
    readonly source?: Extent;
    /** Its own chunks that a new retention drops. */
    readonly beyond?: Extent;
}

/** Whether there is anything to tell of what the aggregate reads. */
export function needsSource(changes: readonly AggregateChange[]): boolean {
    return changes.some(
        (change) =>
            change.kind === "create" ||
            change.kind === "rebuild" ||
            change.kind === "fill" ||
            (change.kind === "restoreView" && isRealTime(change.actual)),
    );
}

/** @param object its name for people */
export function aggregateHazards(
    changes: readonly AggregateChange[],
    desired: DesiredAggregate,
    object: string,
    { source, beyond }: AggregateFacts,
): Hazard[] {
    const reads = source?.object ?? "what it reads";
    return [
        ...changes.flatMap((change): Hazard[] => {
            switch (change.kind) {
                case "rebuild":
                    return [
                        ...losesHistory(change.stake),
                        {
                            name: "REBUILDS",
                            message: `${object} is dropped, created again and filled from ${reads}, oldest buckets first: until then its readers find the buckets that are filled already`,
                        },
                        ...waits(
                            `while ${object} is dropped and created again under one AccessExclusiveLock`,
                            reads,
                            object,
                        ),
                        ...goesWithIt(change.actual, desired),
                        ...restarted(change.actual, desired),
                    ];
                case "refuse":
                    return change.reason.what === "query" && change.reason.rebuild !== undefined
                        ? losesHistory(change.reason.rebuild.stake)
                        : [];
                case "restoreView":
                    return isRealTime(change.actual)
                        ? waits("while its model is dropped again", reads, object)
                        : [];
                default:
                    return [];
            }
        }),
        ...policyHazards(changes, beyond),
    ];
}

/** Whether putting the view back takes a model aggregate. */
function isRealTime({ view, materializedOnly }: ActualAggregate): boolean {
    return !materializedOnly && view.state !== "renamed";
}

function losesHistory(stake: HistoryAtStake): Hazard[] {
    if (stake.rows === 0) return [];
    const { rows, oldest, newest } = stake;
    return [
        {
            name: "LOSES_HISTORY",
            message: describeStake(stake),
            stake: { rows, oldest, newest },
        },
    ];
}

/** Dropping any aggregate locks the source, chunks and all, against everybody. */
function waits(during: string, reads: string, object: string): Hazard[] {
    return [
        {
            name: "BLOCKS_WRITES",
            message: `writers of ${reads} wait ${during}; ${lockPatience}`,
        },
        {
            name: "BLOCKS_READS",
            message: `readers of ${reads} and of ${object} wait as long`,
        },
    ];
}

/** What stands on the old one, was never declared, and so is not made again. */
function goesWithIt(actual: ActualAggregate, desired: DesiredAggregate): Hazard[] {
    const jobs = actual.jobs.filter(({ procedure }) => !isDeclared(procedure, desired));
    const declared = new Set(desired.indexes.map(({ name }) => name));
    const parts = [
        ...jobs.map(({ id, procedure }) => `job ${id} (${procedure})`),
        ...actual.indexes
            .filter(({ name }) => !declared.has(name))
            .map(({ name }) => `index ${name}`),
        ...(actual.compressed && desired.compressionPolicy === undefined ? ["compression"] : []),
    ];
    if (parts.length === 0) return [];
    return [
        {
            name: "DROPS_DEPENDANT",
            message: `what the program does not declare goes with it: ${parts.join(", ")}`,
        },
    ];
}

function restarted(actual: ActualAggregate, desired: DesiredAggregate): Hazard[] {
    const jobs = actual.jobs.filter(({ procedure }) => isDeclared(procedure, desired));
    if (jobs.length === 0) return [];
    const numbers = jobs.map(({ id }) => id).join(", ");
    return [
        {
            name: "RESTARTS_JOB",
            message: `its policies get new jobs: ${jobs.length === 1 ? `job ${numbers} goes` : `jobs ${numbers} go`}, and their statistics with them`,
        },
    ];
}

function isDeclared(procedure: string, desired: DesiredAggregate): boolean {
    return (Object.keys(policyProcedures) as PolicyKind[]).some(
        (policy) =>
            policyProcedures[policy] === procedure &&
            desired[policyProperties[policy]] !== undefined,
    );
}
