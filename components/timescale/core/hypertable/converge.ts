/** Brings one hypertable to its declaration: inspect, plan, apply, inspect again. */
import { applyStatements } from "../apply";
import { notConverged, refuse, searchPathOf, setSearchPath } from "../converging";
import { displayName, type QualifiedName, quoteQualified } from "../identifier";
import { isEmpty, type Plan } from "../plan";
import type { DeclaredPolicies } from "../policyDiff";
import { refuseDependants } from "../removal";
import { inspectServer } from "../server";
import { serverError } from "../serverErrors";
import { inTransaction, type Session, withObjectLock } from "../session";
import { diffHypertable, type HypertableDiff } from "./diff";
import { type InspectedHypertable, inspectHypertable } from "./inspect";
import { inServersWords, mayBeSpelling } from "./normalise";
import { planHypertable } from "./plan";
import type { DesiredHypertable } from "./spec";

export interface HypertableMemory {
    readonly managed: boolean;
    readonly declared: DeclaredPolicies & { readonly indexes: readonly string[] };
    readonly databaseUuid: string | null;
    /** Its name at the last apply, when the program has given it another one since. */
    readonly formerName?: QualifiedName | undefined;
}

interface LiveHypertable {
    readonly actual: InspectedHypertable;
    readonly searchPath: readonly string[];
    readonly formerName?: QualifiedName;
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
    const object = displayName(desired);
    const { actual, searchPath, formerName } = await inTransaction(
        session,
        { readOnly: true, searchPath: ["pg_catalog"] },
        async (client): Promise<LiveHypertable> => {
            const server = await inspectServer(client);
            const searchPath = searchPathOf(desired, server);
            // Types and defaults are printed with the schemas that are not on it.
            await setSearchPath(client, searchPath);
            const found = await inspectHypertable(client, desired);
            if (found.kind !== "absent" || memory.formerName === undefined) {
                return { actual: found, searchPath };
            }
            const former = await inspectHypertable(client, memory.formerName);
            return former.kind === "hypertable"
                ? { actual: former, searchPath, formerName: memory.formerName }
                : { actual: found, searchPath };
        },
    ).then(undefined, (error: unknown) => {
        throw serverError(error, { statement: "inspect", object });
    });
    const compare = (declared: DesiredHypertable): HypertableDiff =>
        diffHypertable({
            actual,
            desired: declared,
            owner: session.connection.user,
            declared: memory.declared,
            managed: memory.managed,
            formerName,
        });
    let difference = compare(desired);
    if (actual.kind === "hypertable" && mayBeSpelling(difference)) {
        difference = compare(await inServersWords(session, desired, actual, searchPath));
    }
    return {
        plan: planHypertable(difference, desired),
        actual,
        searchPath,
        databaseUuid: actual.databaseUuid,
    };
}

export interface ConvergeHypertableOptions {
    readonly onStatus: (text: string) => void;
    /** Told as soon as the object stands: from here on a failure is partial. */
    readonly onApplied: (result: { readonly databaseUuid: string }) => void;
    /** @throws when another database answers than the one that is meant */
    readonly checkDatabase: (databaseUuid: string) => void;
}

/** @throws TimescaleError; nothing was changed then, because all of it is one transaction */
export async function convergeHypertable(
    session: Session,
    desired: DesiredHypertable,
    memory: HypertableMemory,
    options: ConvergeHypertableOptions,
): Promise<{ readonly databaseUuid: string }> {
    const object = displayName(desired);
    return withObjectLock(session, object, options.onStatus, async () => {
        const { plan, searchPath, databaseUuid, actual } = await planLiveHypertable(
            session,
            desired,
            memory,
        );
        options.checkDatabase(databaseUuid);
        refuse(plan.refusals);
        options.onStatus(
            actual.kind === "absent" ? "creating the hypertable" : "applying the plan",
        );
        await applyStatements(session, plan.statements, {
            object,
            searchPath,
            onRetry: options.onStatus,
        });
        options.onApplied({ databaseUuid });
        const after = await planLiveHypertable(session, desired, { ...memory, managed: true });
        if (!isEmpty(after.plan)) throw notConverged(object, after.plan);
        return { databaseUuid };
    });
}

export interface RemoveHypertableOptions {
    readonly name: QualifiedName;
    readonly searchPath: readonly string[];
    readonly onRetry: (reason: string) => void;
}

/** Drops the table with all its rows; whether there was one. Never with CASCADE. */
export function removeHypertable(
    session: Session,
    options: RemoveHypertableOptions,
): Promise<boolean> {
    return withObjectLock(session, displayName(options.name), options.onRetry, () =>
        removeLocked(session, options),
    );
}

async function removeLocked(
    session: Session,
    { name, searchPath, onRetry }: RemoveHypertableOptions,
): Promise<boolean> {
    const found = await inTransaction(session, { readOnly: true, searchPath }, async (client) => {
        const actual = await inspectHypertable(client, name);
        if (actual.kind !== "hypertable") return false;
        await refuseDependants(client, "hypertable", name);
        return true;
    });
    if (!found) return false;
    await applyStatements(
        session,
        [{ name: "drop_hypertable", sql: `DROP TABLE ${quoteQualified(name)}` }],
        { object: displayName(name), searchPath, onRetry },
    );
    return true;
}
