/**
 * Dropping a hypertable with all its rows: idempotent, never with CASCADE, its jobs paused before.
 *
 * With a backup, the table is first renamed away in a transaction of its own. Writers are refused
 * from then on, as they would be after the drop; none of them waits, and no row is written that the
 * backup does not hold, however long it takes. When the backup fails the table gets its name back.
 */
import { describeRows } from "../backup/manifest";
import { type Queryable, type Session, withObjectLock } from "../connection/session";
import { displayName, type QualifiedName, quoteQualified, withSuffix } from "../identifier";
import type { KnownObject } from "../memory/memory";
import { applyStatements } from "../plan/apply";
import { inspecting } from "../plan/converging";
import { withJobsPaused } from "../policies/pausedJobs";
import { renameStatements, roleStatements } from "../relation/tableStatements";
import { describeHeld, type Held, inspectHeld } from "../removal/held";
import { boundStatements, type Leaving } from "../removal/leaving";
import { readersOf, refuseAnother, refuseDependants } from "../removal/removal";
import { backUpHypertable } from "./backup";
import { type InspectedHypertable, inspectHypertable } from "./inspect";

export interface RemoveHypertableOptions {
    readonly name: QualifiedName;
    /** The hypertable of the last apply, which a rename by hand does not hide. */
    readonly known?: KnownObject;
    /** Whose it is, where that is not the login. */
    readonly owner?: string;
    /** Folder that a backup goes to before the drop. */
    readonly backup?: string;
    readonly onRetry: (reason: string) => void;
}

/** Drops the table with all its rows. What has gone, in words; undefined where no row has. */
export function removeHypertable(
    session: Session,
    options: RemoveHypertableOptions,
): Promise<string | undefined> {
    return withObjectLock(session, displayName(options.name), options.onRetry, () =>
        removeLocked(session, options),
    );
}

interface Found {
    readonly actual: Leaver;
    /** Undefined: no row. */
    readonly held: string | undefined;
}

type Leaver = Extract<InspectedHypertable, { readonly kind: "hypertable" }>;

/**
 * Undefined: nothing of this resource stands.
 *
 * @throws TimescaleError where another hypertable has its name
 */
async function findLeaver(
    client: Queryable,
    name: QualifiedName,
    known: KnownObject | undefined,
): Promise<Leaver | undefined> {
    const actual = await inspectHypertable(client, name, known);
    if (actual.kind === "absent") return undefined;
    await refuseAnother(client, "hypertable", name, known, actual);
    return actual.kind === "hypertable" ? actual : undefined;
}

function heldBy(client: Queryable, { hypertableId, name, timeColumn }: Leaver): Promise<Held> {
    return inspectHeld(client, hypertableId, name, timeColumn);
}

/**
 * Reads what dropping the table would take. Undefined: nothing of this resource stands.
 *
 * @param patience for each statement, in milliseconds
 * @throws TimescaleError where another hypertable has its name, or the database cannot be asked
 */
export async function leavingHypertable(
    session: Session,
    { name, known }: Pick<RemoveHypertableOptions, "name" | "known">,
    patience: number,
): Promise<Leaving | undefined> {
    const { found } = await inspecting(session, name, async (client) => {
        await boundStatements(client, patience);
        const actual = await findLeaver(client, name, known);
        if (actual === undefined) return undefined;
        return {
            databaseUuid: actual.databaseUuid,
            held: await heldBy(client, actual),
            readers: await readersOf(client, actual.name),
        };
    });
    return found;
}

async function removeLocked(
    session: Session,
    { name, known, owner, backup, onRetry }: RemoveHypertableOptions,
): Promise<string | undefined> {
    const { found, searchPath } = await inspecting(session, name, async (client) => {
        const actual = await findLeaver(client, name, known);
        if (actual === undefined) return undefined;
        await refuseDependants(client, "hypertable", actual.name);
        const held = describeHeld(await heldBy(client, actual));
        return { actual, held } satisfies Found;
    });
    if (found === undefined) return undefined;
    const object = displayName(name);
    const settings = { object, searchPath, onRetry };
    const { actual } = found;
    const role = roleStatements(owner, session.connection.user);
    const drop = (standing: QualifiedName): Promise<void> =>
        applyStatements(
            session,
            [...role, { name: "drop_hypertable", sql: `DROP TABLE ${quoteQualified(standing)}` }],
            settings,
        );
    return withJobsPaused(session, { ...settings, jobs: actual.jobs, owner }, async () => {
        if (backup === undefined) {
            await drop(actual.name);
            return found.held && `dropped hypertable ${object}: ${found.held}`;
        }
        const written = await withNameTaken(
            session,
            { ...settings, owner, standing: actual.name, id: actual.hypertableId },
            async (aside) => {
                const backedUp = await backUpHypertable(session, {
                    ...{ name, owner, searchPath, folder: backup, onStatus: onRetry },
                    reason: "delete",
                    relation: aside,
                    timeColumn: actual.timeColumn,
                    databaseUuid: actual.databaseUuid,
                });
                await drop(aside);
                return backedUp;
            },
        );
        return `dropped hypertable ${object}: ${describeRows(written.range)}; backup in ${written.folder}`;
    });
}

interface NameTaken {
    readonly standing: QualifiedName;
    /** Of the hypertable. */
    readonly id: number;
    readonly owner: string | undefined;
    readonly object: string;
    readonly searchPath: readonly string[];
    readonly onRetry: (reason: string) => void;
}

/**
 * Runs `work` while the table has another name, which nobody writes to; puts the name back when it
 * fails. A killed process leaves it there: the table is known by its number, so that the next `up`
 * renames it back, and the next destroy goes on.
 */
async function withNameTaken<T>(
    session: Session,
    { standing, id, owner, ...settings }: NameTaken,
    work: (aside: QualifiedName) => Promise<T>,
): Promise<T> {
    const suffix = `_leaving_${id}`;
    const already = standing.name.endsWith(suffix);
    const aside = already
        ? standing
        : { schema: standing.schema, name: withSuffix(standing.name, suffix) };
    const role = roleStatements(owner, session.connection.user);
    const rename = (was: QualifiedName, will: QualifiedName): Promise<void> =>
        applyStatements(session, [...role, ...renameStatements("TABLE", was, will)], settings);
    if (!already) await rename(standing, aside);
    try {
        return await work(aside);
    } catch (error) {
        // Where the connection broke, the error itself tells; the next up renames it back.
        if (!already) await rename(aside, standing).then(undefined, () => undefined);
        throw error;
    }
}
