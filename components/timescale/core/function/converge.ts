/** Brings one function to its declaration, and drops it. */
import { type Session, withObjectLock } from "../connection/session";
import { displayName } from "../identifier";
import { rememberedOf } from "../memory/memory";
import { applyStatements } from "../plan/apply";
import { type ConvergedObject, type ConvergeHooks, convergeObject } from "../plan/convergeObject";
import { inspecting } from "../plan/converging";
import { refuseUsed } from "../removal/removal";
import type { FunctionMemory, RememberedSignature } from "./find";
import { lookUp, planLiveFunction } from "./live";
import { dropFunction } from "./plan";
import { displayFunction } from "./routine";
import type { DesiredFunction } from "./spec";

export interface ConvergedFunction extends ConvergedObject {
    readonly signature: RememberedSignature;
}

export function convergeFunction(
    session: Session,
    desired: DesiredFunction,
    memory: FunctionMemory,
    hooks: ConvergeHooks<ConvergedFunction>,
): Promise<ConvergedFunction> {
    const planLive = async (applied: boolean) => {
        const { plan, standing, searchPath, databaseUuid } = await planLiveFunction(
            session,
            desired,
            // What the first plan saw is no longer what stands.
            applied ? { managed: true } : memory,
        );
        const result =
            standing === undefined
                ? undefined
                : {
                      databaseUuid,
                      fingerprint: rememberedOf(desired.definition, standing.definition),
                      objectId: Number(standing.oid),
                      signature: {
                          schema: desired.schema,
                          name: desired.name,
                          argumentTypes: standing.argumentTypes,
                      },
                  };
        return { plan, searchPath, databaseUuid, standing: result };
    };
    // Overloads share the lock: each looks at all functions of the name.
    return convergeObject(session, "function", `${displayName(desired)}()`, planLive, hooks);
}

/** Drops the function of the last apply; whether there was one. Never with CASCADE. */
export function removeFunction(
    session: Session,
    desired: DesiredFunction,
    memory: FunctionMemory,
    onRetry: (reason: string) => void,
): Promise<boolean> {
    const lock = `${displayName(desired)}()`;
    return withObjectLock(session, lock, onRetry, async () => {
        const owner = desired.owner ?? session.connection.user;
        const { found, searchPath } = await lookUp(session, desired, owner, memory);
        const { known } = found;
        if (known === undefined) return false;
        const object = displayFunction(known);
        await inspecting(session, desired, (client) =>
            refuseUsed(client, "pg_proc", known.oid, `function ${object}`, object),
        );
        await applyStatements(session, [dropFunction(known)], { object, searchPath, onRetry });
        return true;
    });
}
