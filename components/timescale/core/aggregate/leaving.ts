/** What stands of an aggregate that is to be dropped, and what it would take with it. */
import type { Queryable, Session } from "../connection/session";
import { TimescaleError } from "../errors";
import { displayName, type QualifiedName } from "../identifier";
import type { KnownObject } from "../memory/memory";
import { inspecting } from "../plan/converging";
import { inspectHeld } from "../removal/held";
import {
    boundStatements,
    type Leaving,
    type LeavingBuckets,
    type LeavingHistory,
} from "../removal/leaving";
import { readersOf, refuseAnother } from "../removal/removal";
import { historyAtStake, lossRefused } from "./history";
import { type ActualAggregate, inspectAggregate, type InspectedAggregate } from "./inspect";
import { versionsBeside } from "./keepHistory/versions";

export interface LeavingOptions {
    readonly name: QualifiedName;
    /** The aggregate of the last apply, which a rename by hand does not hide. */
    readonly known?: KnownObject;
    /** Rows of history that may be lost. */
    readonly acceptLoss: number;
}

export interface Leavers {
    readonly actual: Extract<InspectedAggregate, { readonly kind: "aggregate" }>;
    /** Of it that stand beside it. */
    readonly versions: readonly ActualAggregate[];
    /** What its readers read. */
    readonly view: QualifiedName;
}

/**
 * Undefined: nothing of this resource stands.
 *
 * @throws TimescaleError where another aggregate has its name
 */
export async function findLeavers(
    client: Queryable,
    { name, known }: Pick<LeavingOptions, "name" | "known">,
): Promise<Leavers | undefined> {
    const actual = await inspectAggregate(client, name, known);
    if (actual.kind === "absent") return undefined;
    const versions = await versionsBeside(client, name);
    // What a change has replaced since the last apply is no other aggregate.
    const replaced = versions.some(
        ({ materializationId }) => materializationId === known?.objectId,
    );
    if (!replaced) {
        await refuseAnother(client, "continuous aggregate", name, known, {
            databaseUuid: actual.databaseUuid,
            ...(actual.kind === "aggregate" && { hypertableId: actual.materializationId }),
        });
    }
    // Something else that took the name is none of this resource's.
    if (actual.kind !== "aggregate") return undefined;
    const view = actual.view.state === "renamed" ? actual.view.to : actual.name;
    return { actual, versions, view };
}

/**
 * Reads what dropping the aggregate would take. Undefined: nothing of this resource stands.
 *
 * @param patience for each statement, in milliseconds; where counting the history takes longer, the rest is told
 * @throws TimescaleError where another aggregate has its name, or the database cannot be asked
 */
export async function leavingAggregate(
    session: Session,
    options: LeavingOptions,
    patience: number,
): Promise<Leaving | undefined> {
    const { name } = options;
    const { found } = await inspecting(session, name, async (client) => {
        await boundStatements(client, patience);
        const leavers = await findLeavers(client, options);
        if (leavers === undefined) return undefined;
        const { actual, view } = leavers;
        const { materializationId, materialization, timeColumn } = actual;
        return {
            ...leavers,
            held: await inspectHeld(client, materializationId, materialization, timeColumn),
            readers: await readersOf(client, view),
        };
    });
    if (found === undefined) return undefined;
    const { actual, held, readers } = found;
    return {
        databaseUuid: actual.databaseUuid,
        held,
        readers,
        buckets: await historyOf(session, options, found, patience),
    };
}

async function historyOf(
    session: Session,
    { name, acceptLoss }: LeavingOptions,
    { actual, versions }: Leavers,
    patience: number,
): Promise<LeavingBuckets> {
    const { source } = actual;
    try {
        const { found: history } = await inspecting(session, name, async (client) => {
            await boundStatements(client, patience);
            const all: LeavingHistory[] = [{ stake: await historyAtStake(client, actual) }];
            for (const version of versions) {
                const stake = await historyAtStake(client, version);
                all.push({ version: displayName(version.name), stake });
            }
            return all;
        });
        const refusals = history
            .filter(({ stake }) => stake.rows > acceptLoss)
            .map(({ version, stake }) =>
                lossRefused(version ?? displayName(name), stake, acceptLoss),
            );
        return { source, history: history.filter(({ stake }) => stake.rows > 0), refusals };
    } catch (error) {
        if (!(error instanceof TimescaleError)) throw error;
        return { source, history: [], refusals: [], notCounted: error.message };
    }
}
