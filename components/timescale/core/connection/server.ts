/** What answers at the other end: versions, identity, and whether it can be worked with at all. */
import { TimescaleError } from "../errors";
import { readSql } from "../sqlFile";
import type { Queryable } from "./session";

export interface ServerState {
    readonly postgresVersion: number;
    readonly timescaleVersion: string | null;
    readonly extensionSchema: string | null;
    readonly license: string | null;
    readonly restoring: string | null;
    readonly replica: boolean;
    readonly embedded: boolean;
}

/** A server that this project can work with. */
export interface UsableServer {
    readonly timescaleVersion: string;
    /** Where time_bucket and the policy functions live; part of every search path. */
    readonly extensionSchema: string;
    readonly replica: boolean;
    /** TimescaleDB inside Node: all clients are one session of one backend. */
    readonly embedded: boolean;
    /** Whether constraints and nullability of a hypertable can be altered while compression is on. */
    readonly altersCompressed: boolean;
    /** Whether DELETE takes every compressed batch apart that it touches, and counts its rows against a limit. */
    readonly decompressesToDelete: boolean;
}

/**
 * Reads what the server is.
 *
 * @throws TimescaleError where nothing can be inspected: no extension, or a restore under way
 */
export async function inspectServer(client: Queryable): Promise<UsableServer> {
    const { rows } = await client.query<ServerState & Record<string, unknown>>(
        readSql("catalog/server.sql"),
    );
    const state = rows[0];
    if (state?.timescaleVersion == null || state.extensionSchema === null) {
        throw new TimescaleError("the database has no TimescaleDB", {
            code: "extension_missing",
            detail: 'extension "timescaledb" is not created in this database',
            hint: "run CREATE EXTENSION timescaledb in it, or let the program manage access",
        });
    }
    if (state.restoring === "on") {
        throw new TimescaleError("the database is being restored", {
            code: "restoring",
            detail: "timescaledb.restoring is on: TimescaleDB's catalog is not loaded",
            hint: "finish the restore with SELECT timescaledb_post_restore()",
        });
    }
    return {
        timescaleVersion: state.timescaleVersion,
        extensionSchema: state.extensionSchema,
        replica: state.replica,
        embedded: state.embedded,
        // Source: check_alter_table_allowed_on_ht_with_compression, which learnt it in 2.18.
        altersCompressed: isAtLeast(state.timescaleVersion, 2, 18),
        // Source: the release notes of 2.17 and 2.21, which learnt to delete batches as they are.
        decompressesToDelete: !isAtLeast(state.timescaleVersion, 2, 17),
    };
}

export function isAtLeast(version: string, major: number, minor: number, patch = 0): boolean {
    const wanted = [major, minor, patch];
    const found = version.split(".").map((part) => Number.parseInt(part, 10));
    const at = wanted.findIndex((part, index) => part !== (found[index] ?? 0));
    return at === -1 || (found[at] ?? 0) > (wanted[at] ?? 0);
}

/** The database's own identity, which a restored or rebuilt one does not share. */
export async function inspectIdentity(client: Queryable): Promise<string> {
    await inspectServer(client);
    const { rows } = await client.query<{ databaseUuid: string }>(readSql("catalog/identity.sql"));
    return rows[0]?.databaseUuid ?? "";
}
