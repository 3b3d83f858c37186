/** Brings one aggregate to its declaration: inspect, plan, apply, fill, inspect again. */
import { applyStatements } from "../apply";
import { notConverged, refuse } from "../converging";
import type { PartsMemory } from "../hypertableParts";
import { displayName } from "../identifier";
import { alterPolicy } from "../jobStatements";
import { type Remembered, rememberedOf } from "../memory";
import { isEmpty } from "../plan";
import { desiredRefreshJob, policyProcedures } from "../policy";
import { type Session, withObjectLock } from "../session";
import { roleStatements } from "../tableStatements";
import { fill } from "./fill";
import type { InspectedAggregate } from "./inspect";
import { normaliseDesired, planLive, queryRefusals } from "./live";
import { markStatement } from "./plan";
import type { DesiredAggregate } from "./spec";

export interface ConvergeOptions {
    readonly onStatus: (text: string) => void;
    /** Told as soon as the object stands, before the fill: from here on a failure is partial. */
    readonly onApplied: (result: Converged) => void;
    /** @throws when another database answers than the one that is meant */
    readonly checkDatabase: (databaseUuid: string) => void;
}

export interface Converged {
    readonly databaseUuid: string;
    readonly fingerprint: Remembered;
    /** Number of the materialization hypertable, by which it is found again after a rename by hand. */
    readonly objectId: number;
}

/**
 * Inspects, applies what differs, fills what is missing and inspects again. Running it again after
 * any failure finishes the work.
 *
 * @throws TimescaleError; `onApplied` tells whether the object stood by then
 */
export async function converge(
    session: Session,
    desired: DesiredAggregate,
    memory: PartsMemory,
    options: ConvergeOptions,
): Promise<Converged> {
    const object = displayName(desired);
    return withObjectLock(session, object, options.onStatus, async () => {
        const before = await planLive(session, desired, memory);
        options.checkDatabase(before.databaseUuid);
        refuse(before.plan.refusals);
        const anew = before.plan.lines.some(({ code }) => code === "create" || code === "rebuild");
        if (anew) {
            const normalised = await normaliseDesired(session, desired, before.searchPath);
            refuse(queryRefusals(normalised, object));
        }
        const { searchPath } = before;
        options.onStatus(
            before.actual.kind === "absent" ? "creating the aggregate" : "applying the plan",
        );
        await applyStatements(session, before.plan.statements, {
            object,
            searchPath,
            onRetry: options.onStatus,
        });
        const standing = await planLive(session, desired, memory);
        if (standing.actual.kind === "aggregate") {
            options.onApplied(result(standing.actual, desired));
        }
        if (standing.plan.fill && standing.actual.kind === "aggregate") {
            await fill(session, {
                name: desired,
                aggregate: standing.actual,
                retention: desired.retentionPolicy?.dropAfter ?? null,
                searchPath,
                extensionSchema: before.server.extensionSchema,
                onProgress: (done, total) => options.onStatus(`backfill ${done}/${total} windows`),
            });
            await applyStatements(session, finishFill(session, standing.actual, desired), {
                object,
                searchPath,
                onRetry: options.onStatus,
            });
        }
        const after = standing.plan.fill ? await planLive(session, desired, memory) : standing;
        if (!isEmpty(after.plan) || after.actual.kind !== "aggregate")
            throw notConverged(object, after.plan);
        return result(after.actual, desired);
    });
}

function result(
    actual: InspectedAggregate & { kind: "aggregate" },
    desired: DesiredAggregate,
): Converged {
    return {
        databaseUuid: actual.databaseUuid,
        fingerprint: rememberedOf(desired.query, actual.definition),
        objectId: actual.materializationId,
    };
}

function finishFill(
    session: Session,
    actual: InspectedAggregate & { kind: "aggregate" },
    desired: DesiredAggregate,
): Parameters<typeof applyStatements>[1] {
    const job = actual.jobs.find(({ procedure }) => procedure === policyProcedures.refresh);
    const policy = desired.refreshPolicy;
    const wanted = policy === undefined ? undefined : desiredRefreshJob(policy);
    return [
        ...roleStatements(desired.owner, session.connection.user),
        markStatement(desired, null),
        ...(job === undefined || wanted === undefined
            ? []
            : [alterPolicy(job, wanted, { scheduled: wanted.scheduled })]),
    ];
}
