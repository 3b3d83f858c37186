/**
 * Brings TimescaleDB in one database, or in every one, to the version of the server's library.
 *
 * A session that runs any statement loads the version that is installed in its database, and the
 * server then refuses to update it: so each step has a session of its own.
 */
import { backOff } from "exponential-backoff";

import type { Connection } from "../connection/connection";
import { isTransient, serverError } from "../connection/serverErrors";
import { type Queryable, withSession } from "../connection/session";
import { TimescaleError } from "../errors";
import { refuse } from "../plan/converging";
import type { Plan } from "../plan/plan";
import { readSql } from "../sqlFile";
import { type ActualExtension, differs, planExtension, updateStatement } from "./plan";

export interface DesiredExtension {
    /** Undefined: what the server offers. */
    readonly version: string | undefined;
    /** Whether all databases of the server are meant, or the connection's own. */
    readonly everyDatabase: boolean;
}

/** Looks without loading TimescaleDB, which may not be possible before the update. */
const unloaded = { startup: "-c timescaledb.disable_load=on" };

export async function planLiveExtension(
    connection: Connection,
    desired: DesiredExtension,
): Promise<{ readonly plan: Plan; readonly actual: readonly ActualExtension[] }> {
    const databases = desired.everyDatabase
        ? await withSession(connection, ({ client }) => names(client), unloaded)
        : [connection.database];
    const actual: ActualExtension[] = [];
    for (const database of databases) {
        const found = await withSession(
            { ...connection, database },
            ({ client }) => inspect(client, desired.version),
            unloaded,
        );
        actual.push(...found);
    }
    return { plan: planExtension(actual), actual };
}

async function names(client: Queryable): Promise<string[]> {
    const { rows } = await client.query<{ name: string }>(readSql("catalog/databases.sql"));
    return rows.map(({ name }) => name);
}

async function inspect(
    client: Queryable,
    version: string | undefined,
): Promise<readonly ActualExtension[]> {
    const { rows } = await client.query<ActualExtension & Record<string, unknown>>(
        readSql("catalog/extension_version.sql"),
        [version ?? null],
    );
    return rows;
}

/** @throws TimescaleError when a version cannot be reached, before anything is changed */
export async function updateExtension(
    connection: Connection,
    desired: DesiredExtension,
    onStatus: (text: string) => void,
): Promise<void> {
    const { plan, actual } = await planLiveExtension(connection, desired);
    refuse(plan.refusals);
    for (const extension of actual.filter(differs)) {
        const { database, installed, wanted } = extension;
        onStatus(`updating TimescaleDB in database ${database}: ${installed} → ${wanted}`);
        await updateOne({ ...connection, database }, extension, onStatus);
    }
    const left = (await planLiveExtension(connection, desired)).actual.filter(differs);
    if (left.length === 0) return;
    throw new TimescaleError("TimescaleDB still has another version after the update", {
        code: "not_converged",
        detail: left.map(({ database, installed }) => `${database}: ${installed}`).join("; "),
        hint: "run the same command again",
    });
}

async function updateOne(
    connection: Connection,
    extension: ActualExtension,
    onStatus: (text: string) => void,
): Promise<void> {
    const stopped = extension.superuser && (await workers(connection, "stop"));
    const { name, sql } = updateStatement(extension);
    try {
        await backOff(
            () =>
                withSession(connection, ({ client }) => client.query(sql), {
                    // The server's own patience, as SET would come before the one statement.
                    startup: "-c lock_timeout=2000",
                }),
            {
                numOfAttempts: 40,
                startingDelay: 200,
                maxDelay: 8000,
                jitter: "full",
                retry: (error: unknown) => {
                    if (!isTransient(error)) return false;
                    onStatus(`alter_extension waits its turn in database ${connection.database}`);
                    return true;
                },
            },
        );
    } catch (error) {
        throw serverError(error, {
            statement: name,
            object: `extension timescaledb in database ${connection.database}`,
        });
    } finally {
        if (stopped) await workers(connection, "start");
    }
}

/** Whether it was done. Where the library of the installed version is gone, no worker can run either. */
function workers(connection: Connection, what: "stop" | "start"): Promise<boolean> {
    return withSession(connection, ({ client }) =>
        client.query(`SELECT _timescaledb_functions.${what}_background_workers()`),
    ).then(
        () => true,
        () => false,
    );
}
