/** What every target hands on: a server that can be connected to. */
import type * as pulumi from "@pulumi/pulumi";

import type { RootCertificate } from "../config/stackConfig";
import type { Connection, SslMode } from "../timescale/core/connection/connection";

export interface Server {
    readonly host: string;
    readonly port: number;
    readonly sslMode: SslMode;
    readonly sslRootCert: RootCertificate | undefined;
    /** The login that makes roles and the database. Undefined where they stand already. */
    readonly admin: Admin | undefined;
    /** Resolves when the server answers; unknown in a preview that would create or replace it. */
    readonly ready: pulumi.Output<unknown>;
    /** What must stand before anything on the server. */
    readonly dependsOn: readonly pulumi.Resource[];
    /** Deleted with everything on the server, which then needs no statement of its own. */
    readonly data: pulumi.Resource | undefined;
    /** Name of the Docker container that it runs in. @default - none of this machine's */
    readonly container?: string;
    /** What others may do in a database that they have set up; undefined: grants are the program's alone. */
    readonly standing?: StandingAccess;
    /** Whether database and roles were looked for, and none of them exists. @default false */
    readonly databaseIsNew?: boolean;
    /** What becomes of TimescaleDB in its databases, in sentences for preview, which cannot ask a server yet. */
    readonly notices?: readonly string[];
}

/** Access in a database that others have set up. */
export interface StandingAccess {
    /** Roles of the Observatory that exist there. */
    readonly roles: readonly string[];
    /** What other roles than the owner may do, by the name of a table, view or function. */
    readonly grants: Readonly<Record<string, readonly StandingGrant[]>>;
}

export interface StandingGrant {
    readonly role: string;
    readonly privileges: readonly string[];
}

export interface Admin {
    readonly user: string;
    /** Secret. */
    readonly password: pulumi.Output<string>;
    /** The server's maintenance database. */
    readonly database: string;
    readonly superuser: boolean;
}

/** A login to `database` on the server, as one plain value: make it secret before it leaves the program. */
export function connectionTo(
    server: Pick<Server, "host" | "port" | "sslMode" | "sslRootCert">,
    database: string,
    user: string,
    password: string,
): Connection {
    const { host, port, sslMode, sslRootCert } = server;
    return {
        host,
        port,
        database,
        user,
        password,
        sslMode,
        ...(sslRootCert === undefined ? {} : { sslRootCert: sslRootCert.pem }),
    };
}
