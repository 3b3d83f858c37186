/**
 * What `pg` needs to open a Connection: address, login, and TLS as libpq does it.
 */
import { checkServerIdentity, type ConnectionOptions } from "node:tls";

import type { ClientConfig } from "pg";

import type { Connection } from "./connection";

/** Shown by pg_stat_activity, so that an operator can tell who holds a lock. */
const applicationName = "pulumi-timescale";

/** Longest wait for TCP, TLS and login together, in milliseconds. */
const connectionTimeoutMillis = 10_000;

/**
 * The settings of a `pg.Client` for this connection.
 *
 * `options` stays unset: poolers refuse startup parameters they do not know, so session settings are
 * made with SET after the login.
 */
export function clientConfig(connection: Connection): ClientConfig {
    return {
        host: connection.host,
        port: connection.port,
        database: connection.database,
        user: connection.user,
        password: connection.password,
        ssl: tlsOptions(connection),
        application_name: applicationName,
        connectionTimeoutMillis,
        // A host that is gone says nothing: after ten seconds without a word it is asked, and after ten
        // more the connection counts as lost. Otherwise a query would wait for its answer for ever.
        keepAlive: true,
        keepAliveInitialDelayMillis: 10_000,
    };
}

/**
 * TLS with libpq's meaning of `sslMode`. Never left undefined, or `pg` would read PGSSLMODE from the
 * environment and two machines would run the same program differently.
 */
function tlsOptions({ host, sslMode, sslRootCert }: Connection): false | ConnectionOptions {
    const ca = sslRootCert === undefined ? {} : { ca: sslRootCert };
    switch (sslMode) {
        case "disable":
            return false;
        case "require":
            // libpq checks the chain as soon as it is given an authority, also with `require`.
            return sslRootCert === undefined
                ? { rejectUnauthorized: false }
                : { ...ca, rejectUnauthorized: true, checkServerIdentity: acceptAnyName };
        case "verify-ca":
            return { ...ca, rejectUnauthorized: true, checkServerIdentity: acceptAnyName };
        case "verify-full":
            return {
                ...ca,
                rejectUnauthorized: true,
                // The host as declared: Node would check an IP address against `servername`, which is unset then.
                checkServerIdentity: (_servername, certificate) =>
                    checkServerIdentity(host, certificate),
            };
    }
}

/** `verify-ca` asks who signed the certificate, not for which host. */
function acceptAnyName(): undefined {
    return undefined;
}
