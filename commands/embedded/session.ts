/**
 * The state in which the one database session begins, and to which it returns when the last client
 * has gone: what a PostgreSQL server gives a new connection. The build itself starts with sequential
 * scans off, system tables writable and `search_path` pg_catalog, and reads no configuration file.
 */

/** Settings that a client may choose at its start; what it does not choose is this. */
export const defaultSettings: Readonly<Record<string, string>> = {
    search_path: '"$user", public',
};

/** Statements of the superuser, one round trip each: DISCARD ALL runs in no transaction. */
export const resetStatements = [
    "DISCARD ALL",
    `SET enable_seqscan = on;
    SET allow_system_table_mods = off;
    SET log_min_messages = warning;
    SET search_path = "$user", public`,
] as const;
