import type * as pulumi from "@pulumi/pulumi";

import type { Connection } from "./core/connection/connection";
import { type Inputs, TimescaleResource } from "./resource";

/** What an {@link ExtensionVersion} is declared with. */
export interface ExtensionVersionProperties {
    /**
     * A database with TimescaleDB, and a login that owns the extension, or a superuser; kept as a
     * secret. Not through a pooler: the update has to be the first statement of its session.
     */
    readonly connection: Connection;
    /**
     * Such as `"2.14.2"`. The server has to have it already, beside the installed one.
     *
     * @default - what the server would create the extension with: the version of its package or image
     */
    readonly version?: string;
    /**
     * Every database of the server that has TimescaleDB, templates too; for a server of its own, such
     * as a container, and a superuser.
     *
     * @default false: the connection's database alone
     */
    readonly everyDatabase?: boolean;
}

/** {@link ExtensionVersionProperties}, each value of which may still be computed. */
export type ExtensionVersionArgs = Inputs<ExtensionVersionProperties>;

/**
 * The version of TimescaleDB in a database. When the server has a newer library than the database
 * has objects for, `up` updates them by ALTER EXTENSION, each database for itself, with jobs stopped
 * where the login is a superuser. Preview shows it as
 * `extension timescaledb in database metrics: 2.14.1 → 2.14.2, by ALTER EXTENSION UPDATE with jobs stopped`.
 *
 * ```ts
 * new ExtensionVersion("timescaledb", { connection, version: "2.14.2" });
 * ```
 *
 * An older version than the installed one is refused. Leaving the resource out changes nothing.
 */
export class ExtensionVersion extends TimescaleResource {
    constructor(name: string, args: ExtensionVersionArgs, opts?: pulumi.CustomResourceOptions) {
        super("ExtensionVersion", name, args, { retainOnDelete: true, ...opts });
    }
}
