/** Brings one aggregate to its declaration, and fills it. */
import { describeBackup } from "../backup/dump";
import type { Session } from "../connection/session";
import { displayName } from "../identifier";
import { rememberedOf } from "../memory/memory";
import { applyStatements } from "../plan/apply";
import {
    type ConvergedObject,
    type ConvergeHooks,
    convergeObject,
    type ObjectPlan,
} from "../plan/convergeObject";
import { inspecting, refuse } from "../plan/converging";
import type { Statement } from "../plan/plan";
import { alterPolicy } from "../policies/jobStatements";
import { desiredRefreshJob, policyProcedures } from "../policies/policy";
import type { PartsMemory } from "../relation/hypertableParts";
import { roleStatements } from "../relation/tableStatements";
import type { ProgramJudgement } from "../rules/finding";
import { fill } from "./fill";
import { historyAtStake } from "./history";
import type { ActualAggregate } from "./inspect";
import { runReplacement } from "./keepHistory/run";
import { type AggregatePlan, normaliseDesired, planLive, queryRefusals } from "./live";
import { markStatement } from "./mark";
import { creationStatements } from "./plan";
import type { DesiredAggregate } from "./spec";
import { aggregateBackup } from "./vanishing";

export function converge(
    session: Session,
    desired: DesiredAggregate,
    memory: PartsMemory,
    hooks: ConvergeHooks<ConvergedObject>,
    rules?: ProgramJudgement,
): Promise<ConvergedObject> {
    const object = displayName(desired);
    const planning = async () => {
        const live = await planLive(session, desired, memory, rules);
        const { plan, actual, searchPath, databaseUuid } = live;
        const check = async (): Promise<void> => {
            const normalised = await normaliseDesired(session, desired, searchPath);
            refuse(queryRefusals(normalised, object));
        };
        if (actual.kind !== "aggregate") {
            return { plan, searchPath, databaseUuid, standing: undefined, check };
        }
        const rebuilding = plan.lines.some(({ code }) => code === "rebuild");
        const standing = {
            databaseUuid,
            fingerprint: rememberedOf(desired.query, actual.definition),
            objectId: actual.materializationId,
        };
        const { replacement } = live;
        if (replacement !== undefined) {
            const run = (): Promise<void> =>
                runReplacement(session, replacement, {
                    server: live.server,
                    searchPath,
                    onStatus: hooks.onStatus,
                    stop: hooks.stop,
                    creation: creationStatements,
                });
            return { plan, searchPath, databaseUuid, standing, check, run };
        }
        const backup = await backupFirst(
            session,
            desired,
            rebuilding ? actual : undefined,
            live,
            hooks,
        );
        const finish = (): Promise<void> => fillUp(session, desired, live, actual, hooks);
        return {
            plan,
            searchPath,
            databaseUuid,
            standing,
            ...(rebuilding && { check }),
            ...backup,
            ...(plan.fill && { finish }),
        };
    };
    return convergeObject(session, "aggregate", object, planning, hooks);
}

/** Of the buckets that are about to be dropped: by a rebuild, which fills anew as far as raw data goes, or with a version. */
async function backupFirst(
    session: Session,
    desired: DesiredAggregate,
    rebuilt: ActualAggregate | undefined,
    { droppedVersions, databaseUuid }: AggregatePlan,
    { onStatus }: ConvergeHooks<ConvergedObject>,
): Promise<Pick<ObjectPlan<ConvergedObject>, "prepare" | "report"> | undefined> {
    const { backup: folder, owner } = desired;
    const leaving = [
        ...(rebuilt === undefined ? [] : [{ actual: rebuilt, reason: "rebuild", object: desired } as const]), // prettier-ignore
        ...droppedVersions.map((actual) => ({ actual, reason: "drop_version", object: actual.name }) as const), // prettier-ignore
    ];
    if (folder === undefined || leaving.length === 0) return undefined;
    const { found } = await inspecting(session, desired, async (client) => {
        const all = [];
        for (const one of leaving) all.push({ ...one, stake: await historyAtStake(client, one.actual) }); // prettier-ignore
        return all;
    });
    const backups = found.map(({ actual, reason, object, stake }) => ({
        reason,
        ...aggregateBackup(actual, {
            ...{ folder, reason, object, owner, databaseUuid, onStatus },
            login: session.connection.user,
            vanishing: { stake },
        }),
        title: displayName(object),
    }));
    return {
        async prepare(client) {
            for (const { prepare } of backups) await prepare(client);
        },
        report: () =>
            backups
                .flatMap(({ reason, title, result }) => {
                    const written = result();
                    if (written === undefined) return [];
                    const what = reason === "rebuild" ? "before the rebuild" : `dropped ${title}`;
                    return [`${what}: ${describeBackup(written)}`];
                })
                .join("\n") || undefined,
    };
}

async function fillUp(
    session: Session,
    desired: DesiredAggregate,
    { searchPath, server }: AggregatePlan,
    aggregate: ActualAggregate,
    { onStatus, stop }: Pick<ConvergeHooks<ConvergedObject>, "onStatus" | "stop">,
): Promise<void> {
    await fill(session, {
        name: desired,
        aggregate,
        retention: desired.retentionPolicy?.dropAfter ?? null,
        searchPath,
        extensionSchema: server.extensionSchema,
        onProgress: (_done, _total, text) => onStatus(text),
        onStatus,
        stop,
    });
    await applyStatements(session, finishFill(session, aggregate, desired), {
        object: displayName(desired),
        searchPath,
        onRetry: onStatus,
    });
}

function finishFill(
    session: Session,
    actual: ActualAggregate,
    desired: DesiredAggregate,
): Statement[] {
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
