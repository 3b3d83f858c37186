/** Connections to databases that the update makes. */
const connections = new WeakSet<object>();

/**
 * Says that the database of a connection does not exist before this update, as the program has found out from the
 * server. A preview cannot compare what is declared in it, and knows all the same that nothing of it stands: the
 * resources that are given this very connection are then to be created, where otherwise they are not compared.
 * An update takes nothing on trust: it looks at what stands.
 *
 * Roles and other databases may be there before: it says nothing of `LoginPassword` and `ExtensionVersion`.
 *
 * @param connection of the resources; in previews it is not known, or its database or login does not exist
 * @returns the same connection
 * @example
 * const database = new postgresql.Database("metrics", { name: "metrics" });
 * const connection = database.id.apply(() => ({ host, port, user, password, database: "metrics", sslMode }));
 * // Out of pg_database, through another one; a database that is renamed to this name is not new.
 * if (!(await exists("metrics"))) newDatabase(connection);
 * new Hypertable("requests", { connection, name: "requests", columns, timeColumn: "ts" });
 */
export function newDatabase<Connection extends object>(connection: Connection): Connection {
    connections.add(connection);
    return connection;
}

export function isNewDatabase(connection: unknown): boolean {
    return typeof connection === "object" && connection !== null && connections.has(connection);
}
