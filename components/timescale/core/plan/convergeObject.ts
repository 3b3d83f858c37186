/** Brings an object to its declaration: inspect, plan, apply, inspect again. */
import type { Client } from "pg";

import { type Session, withObjectLock } from "../connection/session";
import type { Remembered } from "../memory/memory";
import { applyStatements } from "./apply";
import { notConverged, refuse } from "./converging";
import { isEmpty, type Plan } from "./plan";

export interface ConvergeHooks<Result> {
    readonly onStatus: (text: string) => void;
    /** Told as soon as the object stands: from here on a failure is partial. */
    readonly onApplied: (result: Result) => void;
    /** @throws when another database answers than the one that is meant */
    readonly checkDatabase: (databaseUuid: string) => void;
    /** Before the first statement. @throws when the plan is not the one that was agreed to */
    readonly checkPlan?: (plan: Plan, exists: boolean) => void;
    /** Aborted when what takes long should end early; the next run goes on from there. */
    readonly stop?: AbortSignal | undefined;
    /** What people should read when the run is over. */
    readonly onReport?: (text: string) => void;
}

export interface ConvergedObject {
    readonly databaseUuid: string;
    readonly fingerprint: Remembered;
    /** Its number, by which it is found again after a rename by hand. */
    readonly objectId: number;
}

export interface ObjectPlan<Result> {
    readonly plan: Plan;
    readonly databaseUuid: string;
    readonly searchPath: readonly string[];
    /** What is remembered of it; undefined while it does not stand. */
    readonly standing: Result | undefined;
    /** Before the first statement. @throws what the server has against the declaration */
    readonly check?: () => Promise<void>;
    /** Does what the statements show, where they are not one transaction. */
    readonly run?: () => Promise<void>;
    /** First in the transaction of the statements, such as a backup of what they remove. */
    readonly prepare?: ((client: Client) => Promise<void>) | undefined;
    /** What there is to say of it when the statements are done. */
    readonly report?: () => string | undefined;
    /** What follows the statements and commits on its way, such as a fill. */
    readonly finish?: () => Promise<void>;
}

/**
 * Inspects, applies what differs and inspects again. Running it again after any failure finishes
 * the work.
 *
 * @param kind in words, such as "view"
 * @throws TimescaleError; nothing was changed then, or `onApplied` was told
 */
export function convergeObject<Result>(
    session: Session,
    kind: string,
    object: string,
    planLive: (applied: boolean) => Promise<ObjectPlan<Result>>,
    hooks: ConvergeHooks<Result>,
): Promise<Result> {
    return withObjectLock(session, object, hooks.onStatus, async () => {
        let now = await planLive(false);
        hooks.checkDatabase(now.databaseUuid);
        hooks.checkPlan?.(now.plan, now.standing !== undefined);
        // Default privileges give a new object grants that only show when it stands: a second round.
        for (let round = 0; round < 2 && (round === 0 || !isEmpty(now.plan)); round += 1) {
            refuse(now.plan.refusals);
            await now.check?.();
            hooks.onStatus(
                now.standing === undefined ? `creating the ${kind}` : "applying the plan",
            );
            await (now.run?.() ??
                applyStatements(session, now.plan.statements, {
                    object,
                    searchPath: now.searchPath,
                    onRetry: hooks.onStatus,
                    prepare: now.prepare,
                }));
            const done = now.report?.();
            if (done !== undefined) hooks.onReport?.(done);
            now = await planLive(true);
            if (now.standing !== undefined) hooks.onApplied(now.standing);
            if (now.finish !== undefined) {
                await now.finish();
                now = await planLive(true);
            }
        }
        if (now.standing === undefined || !isEmpty(now.plan)) throw notConverged(object, now.plan);
        return now.standing;
    });
}
