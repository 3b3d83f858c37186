/** Brings one view to its declaration, and drops it. */
import { type Session, withObjectLock } from "../connection/session";
import { displayName, quoteQualified } from "../identifier";
import { type ObjectMemory, rememberedOf } from "../memory/memory";
import { applyStatements } from "../plan/apply";
import { type ConvergedObject, type ConvergeHooks, convergeObject } from "../plan/convergeObject";
import { inspecting } from "../plan/converging";
import { refuseUsed } from "../removal/removal";
import { findView, planLiveView } from "./live";
import type { DesiredView } from "./spec";

export function convergeView(
    session: Session,
    desired: DesiredView,
    memory: ObjectMemory,
    hooks: ConvergeHooks<ConvergedObject>,
): Promise<ConvergedObject> {
    const planLive = async (applied: boolean) => {
        const { plan, actual, searchPath, databaseUuid } = await planLiveView(
            session,
            desired,
            // What the first plan saw is no longer what stands.
            applied ? { managed: true } : memory,
        );
        const standing =
            actual.kind === "view"
                ? {
                      databaseUuid,
                      fingerprint: rememberedOf(desired.query, actual.definition),
                      objectId: Number(actual.oid),
                  }
                : undefined;
        return { plan, searchPath, databaseUuid, standing };
    };
    return convergeObject(session, "view", displayName(desired), planLive, hooks);
}

/** Drops the view, where somebody renamed it too; whether there was one. Never with CASCADE. */
export function removeView(
    session: Session,
    desired: DesiredView,
    memory: ObjectMemory,
    onRetry: (reason: string) => void,
): Promise<boolean> {
    const object = displayName(desired);
    return withObjectLock(session, object, onRetry, async () => {
        const owner = desired.owner ?? session.connection.user;
        const { found: actual, searchPath } = await findView(session, desired, owner, memory);
        // Something else took the name; what this resource made may stand elsewhere.
        const moved = actual.kind === "other" ? actual.movedTo : undefined;
        const found =
            moved === undefined
                ? actual
                : (await findView(session, { ...desired, ...moved }, owner, { managed: true }))
                      .found;
        if (found.kind !== "view") return false;
        const title = `view ${displayName(found.name)}`;
        await inspecting(session, desired, (client) =>
            refuseUsed(client, "pg_class", found.oid, title, object),
        );
        await applyStatements(
            session,
            [{ name: "drop_view", sql: `DROP VIEW ${quoteQualified(found.name)}` }],
            { object, searchPath, onRetry },
        );
        return true;
    });
}
