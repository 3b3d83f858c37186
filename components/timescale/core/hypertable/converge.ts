/** Brings one hypertable to its declaration. */
import { type ConvergeHooks, convergeObject } from "../convergeObject";
import { inspecting } from "../converging";
import type { PartsMemory } from "../hypertableParts";
import { displayName } from "../identifier";
import { knownIn } from "../memory";
import type { Plan } from "../plan";
import type { Session } from "../session";
import { diffHypertable, type HypertableDiff } from "./diff";
import { type ActualHypertable, type InspectedHypertable, inspectHypertable } from "./inspect";
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
}

/** Compares the live database with the declaration; reads only. */
export async function planLiveHypertable(
    session: Session,
    desired: DesiredHypertable,
    memory: HypertableMemory,
): Promise<HypertablePlan> {
    const login = session.connection.user;
    const {
        found: actual,
        server: { embedded, altersCompressed },
        searchPath,
    } = await inspecting(session, desired, async (client) => {
        const actual = await inspectHypertable(client, desired, memory.known);
        if (actual.kind !== "absent" || memory.formerName === undefined) return actual;
        const former = await inspectHypertable(client, memory.formerName);
        return former.kind === "hypertable" ? former : actual;
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
    return {
        plan: planHypertable(difference, desired, {
            login,
            // One session serves all clients of the embedded server, and cannot commit between chunks.
            perChunk: !embedded && actual.kind === "hypertable" && actual.chunks > 0,
        }),
        actual,
        searchPath,
        databaseUuid: actual.databaseUuid,
    };
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
): Promise<ConvergedHypertable> {
    const planLive = async (applied: boolean) => {
        const { plan, actual, searchPath, databaseUuid } = await planLiveHypertable(
            session,
            desired,
            applied ? { ...memory, managed: true } : memory,
        );
        const standing =
            actual.kind === "hypertable"
                ? {
                      databaseUuid,
                      objectId: actual.hypertableId,
                      columnNumbers: numbersOf(actual, desired),
                  }
                : undefined;
        return { plan, searchPath, databaseUuid, standing };
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
