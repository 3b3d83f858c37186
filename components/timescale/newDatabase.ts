/** Connections to databases that the update makes. */
const connections = new WeakSet<object>();

/**
 * Says that the database of a connection does not exist before this update, as the program has found out from the
 * server. A preview cannot compare what is declared in it, and knows all the same that nothing of it stands: the
 * resources that are given this very connection are then to be created, where otherwise they are not compared.
 * An update takes nothing on trust: it looks at what stands.
 *
 * @param connection unknown in previews, because it comes from the resource that makes the database
 * @returns the same connection
 * @example
 * const connection = newDatabase(pulumi.all([database.name]).apply(([name]) => connectionTo(name)));
 * new Hypertable("requests", { connection, name: "requests", columns, timeColumn: "ts" });
 */
export function newDatabase<Connection extends object>(connection: Connection): Connection {
    connections.add(connection);
    return connection;
}

export function isNewDatabase(connection: unknown): boolean {
    return typeof connection === "object" && connection !== null && connections.has(connection);
}
