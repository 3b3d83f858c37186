/** Brings one hypertable to its declaration. */
import type { Queryable, Session } from "../connection/session";
import { displayName } from "../identifier";
import { knownIn } from "../memory/memory";
import { type ConvergeHooks, convergeObject, type ObjectPlan } from "../plan/convergeObject";
import { inspecting, refuse } from "../plan/converging";
import { newRetention } from "../plan/hazards";
import type { Plan } from "../plan/plan";
import type { PartsMemory } from "../relation/hypertableParts";
import { inspectExtent } from "../removal/inspectExtent";
import { type ProgramJudgement, withRules } from "../rules/finding";
import { judgeHypertable, undeclaredReaders } from "../rules/judgeLive";
import { readSql } from "../sqlFile";
import { diffHypertable, type HypertableDiff } from "./diff";
import { dropColumnsAfterBackup } from "./dropColumns";
import { defaultCalls, type HypertableFacts, needsExtent } from "./hazards";
import { type ActualHypertable, type InspectedHypertable, inspectHypertable } from "./inspect";
import type { LeavingColumn } from "./leaving";
import { inServersWords, mayBeSpelling } from "./normalise";
import { planHypertable } from "./plan";
import type { DesiredHypertable } from "./spec";

export interface HypertableMemory extends PartsMemory {
    /** Numbers of its columns by their names, as the last apply left them. */
    readonly columnNumbers?: Readonly<Record<string, number>>;
}

export interface HypertablePlan {
    readonly plan: Plan;
    readonly actual: InspectedHypertable;
    readonly searchPath: readonly string[];
    readonly databaseUuid: string;
    /** Columns that go with their values. */
    readonly dropped: readonly LeavingColumn[];
}

/**
 * Compares the live database with the declaration; reads only.
 *
 * @param rules what the program found of the rules; without it none is looked at
 */
export async function planLiveHypertable(
    session: Session,
    desired: DesiredHypertable,
    memory: HypertableMemory,
    rules?: ProgramJudgement,
): Promise<HypertablePlan> {
    const login = session.connection.user;
    const {
        found: { actual, readers },
        server: { embedded, altersCompressed },
        searchPath,
    } = await inspecting(session, desired, async (client) => {
        const actual = await inspectHypertable(client, desired, memory.known);
        const asked = rules !== undefined && desired.retentionPolicy !== undefined;
        const readers =
            asked && actual.kind === "hypertable"
                ? await undeclaredReaders(client, actual.hypertableId, rules.declaredReaders)
                : [];
        if (actual.kind !== "absent" || memory.formerName === undefined) return { actual, readers };
        const former = await inspectHypertable(client, memory.formerName);
        return { actual: former.kind === "hypertable" ? former : actual, readers };
    });
    const compare = (declared: DesiredHypertable): HypertableDiff =>
        diffHypertable({
            actual,
            desired: declared,
            owner: desired.owner ?? login,
            declared: memory.declared,
            managed: memory.managed,
            // Of another table the numbers say nothing.
            columnNumbers:
                actual.kind === "hypertable" &&
                knownIn(actual.databaseUuid, memory.known) === actual.hypertableId
                    ? memory.columnNumbers
                    : undefined,
            altersCompressed,
        });
    let difference = compare(desired);
    if (actual.kind === "hypertable" && mayBeSpelling(difference)) {
        difference = compare(await inServersWords(session, desired, actual, searchPath));
    }
    const plan = planHypertable(difference, desired, {
        login,
        // One session serves all clients of the embedded server, and cannot commit between chunks.
        perChunk: !embedded && actual.kind === "hypertable" && actual.chunks > 0,
        ...(actual.kind === "hypertable" && {
            standing: actual.name,
            facts: await inspectFacts(session, desired, actual, difference),
        }),
    });
    return {
        plan:
            rules === undefined ? plan : withRules(plan, judgeHypertable(desired, rules, readers)),
        actual,
        searchPath,
        databaseUuid: actual.databaseUuid,
        dropped: difference.changes.filter((change) => change.kind === "dropColumn"),
    };
}

/** What preview says of hazards, beyond what the comparison took. */
async function inspectFacts(
    session: Session,
    desired: DesiredHypertable,
    { hypertableId, indexes }: ActualHypertable,
    { changes }: HypertableDiff,
): Promise<HypertableFacts> {
    const retention = newRetention(changes);
    if (retention === undefined && !needsExtent(changes)) return {};
    const { found } = await inspecting(session, desired, async (client) => {
        const extent = await inspectExtent(client, hypertableId, { measured: true });
        const beyond =
            retention === undefined
                ? undefined
                : await inspectExtent(client, hypertableId, {
                      measured: true,
                      olderThan: retention,
                  });
        return {
            indexes,
            volatile: await volatileFunctions(client, defaultCalls(changes)),
            ...(extent !== undefined && { extent }),
            ...(beyond !== undefined && { beyond }),
        };
    });
    return found;
}

async function volatileFunctions(client: Queryable, names: readonly string[]): Promise<string[]> {
    if (names.length === 0) return [];
    const { rows } = await client.query<{ name: string }>(
        readSql("catalog/volatile_functions.sql"),
        [names],
    );
    return rows.map(({ name }) => name);
}

export interface ConvergedHypertable {
    readonly databaseUuid: string;
    /** Its number, by which it is found again after a rename by hand. */
    readonly objectId: number;
    readonly columnNumbers: Readonly<Record<string, number>>;
}

export function convergeHypertable(
    session: Session,
    desired: DesiredHypertable,
    memory: HypertableMemory,
    hooks: ConvergeHooks<ConvergedHypertable>,
    rules?: ProgramJudgement,
): Promise<ConvergedHypertable> {
    const { backup: folder, owner } = desired;
    const planLive = async (applied: boolean): Promise<ObjectPlan<ConvergedHypertable>> => {
        const known = applied ? { ...memory, managed: true } : memory;
        const live = await planLiveHypertable(session, desired, known, rules);
        const { plan, actual, searchPath, databaseUuid, dropped } = live;
        if (actual.kind !== "hypertable") {
            return { plan, searchPath, databaseUuid, standing: undefined };
        }
        const standing = {
            databaseUuid,
            objectId: actual.hypertableId,
            columnNumbers: numbersOf(actual, desired),
        };
        if (folder === undefined || dropped.length === 0) {
            return { plan, searchPath, databaseUuid, standing };
        }
        let done: string | undefined;
        const run = async (): Promise<void> => {
            done = await dropColumnsAfterBackup(session, {
                ...{ name: desired, actual, databaseUuid, columns: dropped, folder, owner, searchPath }, // prettier-ignore
                onStatus: hooks.onStatus,
                plan: async () => {
                    const { plan } = await planLiveHypertable(session, desired, known, rules);
                    refuse(plan.refusals);
                    return plan.statements;
                },
            });
        };
        return { plan, searchPath, databaseUuid, standing, run, report: () => done };
    };
    return convergeObject(session, "hypertable", displayName(desired), planLive, hooks);
}

/** Of the declared columns: others may be called anything. */
function numbersOf(actual: ActualHypertable, desired: DesiredHypertable): Record<string, number> {
    const declared = new Set(desired.columns.map(({ name }) => name));
    return Object.fromEntries(
        actual.columns.flatMap(({ name, number }) =>
            declared.has(name) && number !== undefined ? [[name, number] as const] : [],
        ),
    );
}
