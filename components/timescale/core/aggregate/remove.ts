/**
 * Dropping an aggregate: idempotent, never with CASCADE, its jobs paused before, and not while it
 * holds history that raw data can no longer give, unless that loss was accepted.
 */
import { describeBackup } from "../backup/dump";
import { type Session, withObjectLock } from "../connection/session";
import { displayName, type QualifiedName, withSuffix } from "../identifier";
import { keptMarker } from "../memory/marker";
import type { KnownObject } from "../memory/memory";
import { applyStatements } from "../plan/apply";
import { inspecting } from "../plan/converging";
import type { Statement } from "../plan/plan";
import { deleteJob } from "../policies/jobStatements";
import { withJobsPaused } from "../policies/pausedJobs";
import { renameStatements, roleStatements } from "../relation/tableStatements";
import { refuseDependants } from "../removal/removal";
import { type HistoryAtStake, historyAtStake, lossRefused } from "./history";
import type { ActualAggregate } from "./inspect";
import { dropVersionStatements } from "./keepHistory/statements";
import { isReplaced } from "./keepHistory/versions";
import { findLeavers } from "./leaving";
import { markStatement } from "./mark";
import { aggregateBackup, describeVanished, rawStandsStatement, whatVanishes } from "./vanishing";
import { restoreViewStatements } from "./view";

export interface RemoveOptions {
    readonly name: QualifiedName;
    /** The aggregate of the last apply, which a rename by hand does not hide. */
    readonly known?: KnownObject;
    /** Whose it is, where that is not the login. */
    readonly owner?: string;
    /** "keep" leaves the aggregate standing under a dated name, without jobs. */
    readonly onDelete: "drop" | "keep";
    /** Rows of history that may be lost. */
    readonly acceptLoss: number;
    /** Folder that a backup goes to before the drop. */
    readonly backup?: string;
    readonly onRetry: (reason: string) => void;
}

/** Drops the aggregate with its jobs. What has gone, in words; undefined where no row has. */
export function removeAggregate(
    session: Session,
    options: RemoveOptions,
): Promise<string | undefined> {
    return withObjectLock(session, displayName(options.name), options.onRetry, () =>
        removeLocked(session, options),
    );
}

async function removeLocked(session: Session, options: RemoveOptions): Promise<string | undefined> {
    const { name, acceptLoss } = options;
    const object = displayName(name);
    const { found, searchPath } = await inspecting(session, name, async (client) => {
        const leavers = await findLeavers(client, options);
        if (leavers === undefined) return undefined;
        const { actual, versions, view } = leavers;
        if (options.onDelete === "keep") return { actual, versions: [] };
        await refuseDependants(client, "continuous aggregate", view);
        const vanishing = await whatVanishes(client, actual);
        if (vanishing.stake.rows > acceptLoss) {
            throw lossRefused(object, vanishing.stake, acceptLoss);
        }
        const leaving = [];
        for (const version of versions) {
            const stake = await historyAtStake(client, version);
            if (stake.rows > acceptLoss) {
                throw lossRefused(displayName(version.name), stake, acceptLoss);
            }
            leaving.push({ version, stake });
        }
        return { actual, vanishing, versions: leaving };
    });
    if (found === undefined) return undefined;
    const settings = { object, searchPath, onRetry: options.onRetry };
    const { actual, vanishing, versions } = found;
    const role = roleStatements(options.owner, session.connection.user);
    if (vanishing === undefined) {
        const { kept, statements } = keepStatements(name, actual);
        await applyStatements(session, [...role, ...reachable(actual), ...statements], settings);
        return `kept continuous aggregate ${object}: it stands on as ${displayName(kept)}, without jobs`;
    }
    const backupOf = (
        gone: ActualAggregate,
        object: QualifiedName,
        stake: HistoryAtStake,
    ): ReturnType<typeof aggregateBackup> | undefined =>
        options.backup === undefined
            ? undefined
            : aggregateBackup(gone, {
                  folder: options.backup,
                  reason: "delete",
                  object,
                  owner: options.owner,
                  login: session.connection.user,
                  databaseUuid: actual.databaseUuid,
                  vanishing: { stake },
                  onStatus: options.onRetry,
              });
    const backup = backupOf(actual, name, vanishing.stake);
    const told: string[] = [];
    // alter_job finds no job of an orphaned aggregate; dropping it cancels them all the same.
    const jobs = reachable(actual).length > 0 ? [] : actual.jobs;
    await withJobsPaused(session, { ...settings, jobs, owner: options.owner }, async () => {
        // Before the aggregate: where one of them cannot go, it is found again by the aggregate's name.
        for (const { version, stake } of versions) {
            const title = displayName(version.name);
            options.onRetry(`dropping ${title}`);
            const before = isReplaced(version) ? backupOf(version, version.name, stake) : undefined;
            await applyStatements(session, [...role, ...dropVersionStatements(version)], {
                ...settings,
                prepare: before?.prepare,
            });
            const written = before?.result();
            if (written !== undefined) {
                told.push(`dropped ${title}, which it had replaced: ${describeBackup(written)}`);
            }
        }
        await applyStatements(
            session,
            [
                ...role,
                ...reachable(actual),
                ...dropVersionStatements(actual),
                ...rawStandsStatement(vanishing, actual.sourceId),
            ],
            { ...settings, prepare: backup?.prepare },
        );
    });
    const written = backup?.result();
    if (vanishing.all.rows > 0 || written !== undefined) {
        told.unshift(describeVanished(object, vanishing, written));
    }
    return told.length === 0 ? undefined : told.join("\n");
}

/** An orphaned aggregate answers to no statement before it has its view again. */
function reachable(actual: ActualAggregate): Statement[] {
    const { state } = actual.view;
    return state === "renamed" || state === "missing" ? restoreViewStatements(actual) : [];
}

/** The aggregate without its jobs, under a name with today's date; readers of the old name are cut off. */
function keepStatements(
    name: QualifiedName,
    actual: ActualAggregate,
): { readonly kept: QualifiedName; readonly statements: Statement[] } {
    const date = new Date().toISOString().slice(0, 10).replaceAll("-", "");
    const suffix = `_kept_${date}_${actual.materializationId}`;
    const kept = { schema: name.schema, name: withSuffix(name.name, suffix) };
    return {
        kept,
        statements: [
            ...actual.jobs.map(deleteJob),
            ...renameStatements("MATERIALIZED VIEW", actual.name, kept),
            markStatement(kept, keptMarker(displayName(name))),
        ],
    };
}
