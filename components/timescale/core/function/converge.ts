/** Brings one function to its declaration, and drops it. */
import { applyStatements } from "../apply";
import { type ConvergedObject, type ConvergeHooks, convergeObject } from "../convergeObject";
import { inspectDependants } from "../dependants";
import { TimescaleError } from "../errors";
import { displayName } from "../identifier";
import { rememberedOf } from "../memory";
import { inTransaction, type Session, withObjectLock } from "../session";
import type { FunctionMemory, RememberedSignature } from "./find";
import { lookUp, planLiveFunction } from "./live";
import { dropFunction } from "./plan";
import { list } from "./refusals";
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
        const dependants = await inTransaction(session, { readOnly: true, searchPath }, (client) =>
            inspectDependants(client, "pg_proc", known.oid),
        );
        if (dependants.length > 0) {
            throw new TimescaleError(`function ${object} is used by others and was not dropped`, {
                code: "2BP01",
                detail: list(dependants),
                hint: "drop or redefine these first; nothing is ever dropped with CASCADE",
                object,
            });
        }
        await applyStatements(session, [dropFunction(known)], { object, searchPath, onRetry });
        return true;
    });
}
