/**
 * Dropping columns of a hypertable after a backup of their values.
 *
 * The columns are first renamed, in a transaction of their own: whoever writes to one is refused from
 * then on, as after the drop, and nobody waits while the backup is written. When it fails they get
 * their names back.
 */
import { describeRows } from "../backup/manifest";
import { isTransient, serverError } from "../connection/serverErrors";
import { inTransaction, type Session } from "../connection/session";
import { displayName, escapeIdentifier, type QualifiedName, quoteQualified, unquote } from "../identifier"; // prettier-ignore
import { applyStatements } from "../plan/apply";
import type { Statement } from "../plan/plan";
import { renameColumnStatements } from "../relation/columns";
import { roleStatements } from "../relation/tableStatements";
import { backUpHypertable } from "./backup";
import type { ActualHypertable } from "./inspect";
import { type LeavingColumn, leavingName } from "./leaving";

export interface DropColumnsOptions {
    /** As it is declared. */
    readonly name: QualifiedName;
    readonly actual: ActualHypertable;
    readonly databaseUuid: string;
    readonly columns: readonly LeavingColumn[];
    /** Folder of the backups. */
    readonly folder: string;
    readonly owner: string | undefined;
    readonly searchPath: readonly string[];
    readonly onStatus: (text: string) => void;
    /** The statements that bring the table to its declaration, under the names that columns have now. */
    readonly plan: () => Promise<readonly Statement[]>;
}

/** Applies the whole plan. What was dropped, and where its backup lies, in words. */
export async function dropColumnsAfterBackup(
    session: Session,
    options: DropColumnsOptions,
): Promise<string> {
    const { name, actual, columns, owner, searchPath, onStatus } = options;
    const object = displayName(name);
    const role = roleStatements(owner, session.connection.user);
    const settings = { object, searchPath, onRetry: onStatus };
    await tryDropping(session, options);
    const aside = columns.flatMap(({ name: column, standing }) => {
        const number = actual.columns.find((it) => it.name === standing)?.number;
        if (standing !== column || number === undefined) return [];
        return [{ was: column, will: leavingName(column, number) }];
    });
    const back = aside.map(({ was, will }) => ({ was: will, will: was }));
    const rename = (renames: typeof aside): Promise<void> =>
        applyStatements(session, [...role, ...renameColumnStatements("TABLE", actual.name, renames)], settings); // prettier-ignore
    if (aside.length > 0) await rename(aside);
    try {
        const renamed = columns.map(({ name: column, standing }) => ({
            name: column,
            standing: aside.find(({ was }) => was === standing)?.will ?? standing,
        }));
        const backup = await backUpHypertable(session, {
            ...{ name, owner, searchPath, onStatus, folder: options.folder },
            reason: "drop_columns",
            relation: actual.name,
            columns: writtenColumns(actual, renamed),
            timeColumn: actual.timeColumn,
            databaseUuid: options.databaseUuid,
        });
        await applyStatements(session, await options.plan(), settings);
        const names = columns.map(({ name: column }) => column).join(", ");
        return `dropped ${columns.length === 1 ? "column" : "columns"} ${names} of hypertable ${object}: ${describeRows(backup.range)}; backup in ${backup.folder}`;
    } catch (error) {
        // Where the connection broke, the error itself tells; the next up goes on with the names that stand.
        if (back.length > 0) await rename(back).then(undefined, () => undefined);
        throw error;
    }
}

/** What the server has against it, such as a view that reads the column, is told before a long backup. */
async function tryDropping(
    session: Session,
    { name, actual, columns, owner, searchPath }: DropColumnsOptions,
): Promise<void> {
    const drops = columns.map(({ standing }) => `DROP COLUMN ${escapeIdentifier(standing)}`);
    try {
        await inTransaction(session, { searchPath, rollback: true }, async (client) => {
            for (const { sql } of roleStatements(owner, session.connection.user)) {
                await client.query(sql);
            }
            // TimescaleDB takes one action a statement.
            for (const drop of drops) {
                await client.query(`ALTER TABLE ${quoteQualified(actual.name)} ${drop}`);
            }
        });
    } catch (error) {
        // A busy table: the drop itself will wait its turn.
        if (isTransient(error)) return;
        throw serverError(error, { statement: "drop_column", object: displayName(name) });
    }
}

/** What is written of each row, by its name now. */
function writtenColumns(
    actual: ActualHypertable,
    columns: readonly LeavingColumn[],
): ReadonlyMap<string, string> {
    return new Map([
        ...keyColumns(actual, columns).map((column) => [column, column] as const),
        ...columns.map(({ name: column, standing }) => [standing, column] as const),
    ]);
}

/** What tells of which row a value was: the primary or a unique key, or else everything that stays. */
function keyColumns(actual: ActualHypertable, leaving: readonly LeavingColumn[]): string[] {
    const gone = new Set(leaving.flatMap(({ name, standing }) => [name, standing]));
    const staying = actual.columns.map(({ name }) => name).filter((name) => !gone.has(name));
    const keys = actual.indexes
        .filter(({ primary, unique, predicate }) => primary || (unique && predicate === null))
        .sort((one, other) => Number(other.primary) - Number(one.primary))
        .map(({ columns }) => columns.map(({ expression }) => unquote(expression)))
        .filter((columns) => columns.every((column) => staying.includes(column)));
    const key = keys[0] ?? staying;
    return staying.filter((name) => key.includes(name) || name === actual.timeColumn);
}
