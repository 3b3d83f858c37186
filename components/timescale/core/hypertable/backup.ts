/** Writes rows of a hypertable to a backup, in one snapshot of its own: nobody waits for it. */
import { type Backup, dump, type DumpRequest } from "../backup/dump";
import { createBackupFolder } from "../backup/folder";
import { serverError } from "../connection/serverErrors";
import { inTransaction, type Session } from "../connection/session";
import { displayName, type QualifiedName } from "../identifier";
import { roleStatements } from "../relation/tableStatements";

export interface HypertableBackupOptions extends Pick<
    DumpRequest,
    "reason" | "relation" | "columns" | "timeColumn" | "databaseUuid"
> {
    /** As it is declared. */
    readonly name: QualifiedName;
    /** As the program gives it. */
    readonly folder: string;
    readonly owner: string | undefined;
    readonly searchPath: readonly string[];
    readonly onStatus: (text: string) => void;
}

/** @throws TimescaleError; the folder that it began says that it is incomplete */
export function backUpHypertable(
    session: Session,
    { name, folder, owner, searchPath, onStatus, ...what }: HypertableBackupOptions,
): Promise<Backup> {
    const object = displayName(name);
    return inTransaction(session, { searchPath, oneSnapshot: true }, async (client) => {
        for (const { sql } of roleStatements(owner, session.connection.user)) {
            await client.query(sql);
        }
        const taken = new Date();
        return dump(client, createBackupFolder(folder, name, taken), {
            ...what,
            kind: "hypertable",
            object: name,
            definition: null,
            bucketWidth: null,
            history: null,
            taken,
            onStatus: (text) => onStatus(`${text} of ${object}`),
        });
    }).then(undefined, (error: unknown) => {
        throw serverError(error, { statement: "backup", object });
    });
}
