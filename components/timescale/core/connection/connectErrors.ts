/**
 * What `pg`, Node and the server say when a connection cannot be opened, in the user's terms.
 */
import { X509Certificate } from "node:crypto";

import { TimescaleError, type TimescaleErrorFields } from "../errors";
import type { Connection } from "./connection";

/**
 * The error of a failed connect as message, detail and hint. The server's or Node's own words are in
 * the detail; the password is in none of them.
 *
 * `code` is the server's SQLSTATE, or one of `connection_refused`, `host_not_found`,
 * `connection_timeout`, `host_unreachable`, `connection_lost`, `tls_not_offered`, `tls_self_signed`,
 * `tls_unknown_issuer`, `tls_host_mismatch`, `tls_expired`, `tls_bad_root_cert`, `tls_failed`,
 * `password_missing` and `connection_failed`.
 */
export function connectError(error: unknown, connection: Connection): TimescaleError {
    if (error instanceof TimescaleError) {
        return error;
    }
    const cause = innermost(error);
    const { message, ...fields } = explanation(cause, connection);
    return new TimescaleError(message, {
        ...fields,
        detail: fields.detail ?? said(cause),
        cause: error,
    });
}

interface Cause {
    readonly code: string;
    readonly message: string;
    readonly serverDetail: string | undefined;
    readonly serverHint: string | undefined;
    /** True for a message of the PostgreSQL server, false for one of Node, OpenSSL or `pg`. */
    readonly fromServer: boolean;
}

type Explanation = TimescaleErrorFields & { readonly message: string };

function explanation(cause: Cause, connection: Connection): Explanation {
    if (cause.fromServer) {
        return serverExplanation(cause, connection);
    }
    return tlsExplanation(cause, connection) ?? networkExplanation(cause, connection);
}

function serverExplanation(cause: Cause, connection: Connection): Explanation {
    const { code } = cause;
    const { user, database, sslMode } = connection;
    const at = address(connection);
    switch (code) {
        case "28P01":
            return {
                code,
                message: `${at} refuses the password of user "${user}"`,
                hint: "check that the user exists and this is its password; a container keeps the one its volume was made with",
            };
        case "28000":
            return {
                code,
                message: `${at} refuses the login of user "${user}"`,
                hint: refusedLoginHint(cause.message, sslMode),
            };
        case "3D000":
            return {
                code,
                message: `database "${database}" does not exist on ${at}`,
                hint: "create it, or correct the database name",
            };
        case "57P03":
            return {
                code,
                message: `${at} does not accept connections yet`,
                hint: "the server is starting, stopping or recovering: try again in a moment",
            };
        case "53300":
            return {
                code,
                message: `${at} has no connection left`,
                hint: "close idle sessions or raise max_connections",
            };
        case "42501":
            return {
                code,
                message: `user "${user}" may not connect to database "${database}" on ${at}`,
                hint: `GRANT CONNECT ON DATABASE ${database} TO ${user}`,
            };
        default:
            return {
                code,
                message: `${at} refuses the connection of user "${user}" to database "${database}"`,
                hint: cause.serverHint,
            };
    }
}

function refusedLoginHint(message: string, sslMode: Connection["sslMode"]): string {
    if (/not permitted to log in/.test(message)) {
        return "ALTER ROLE … LOGIN, or use another role";
    }
    if (/certificate/.test(message)) {
        return "the server asks for a client certificate, which is not supported: allow password logins for this user in pg_hba.conf";
    }
    if (/pg_hba\.conf/.test(message)) {
        return sslMode === "disable"
            ? "the server may demand TLS: set sslMode to verify-full; otherwise add an entry for this host, user and database to pg_hba.conf"
            : "add an entry for this host, user and database to the server's pg_hba.conf";
    }
    return "check that the role exists and may log in from this host";
}

/** OpenSSL's codes for a certificate whose chain does not end in a trusted authority. */
const unknownIssuerCodes: ReadonlySet<string> = new Set([
    "CERT_SIGNATURE_FAILURE",
    "CERT_UNTRUSTED",
    "UNABLE_TO_GET_ISSUER_CERT",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

function tlsExplanation(cause: Cause, connection: Connection): Explanation | undefined {
    const at = address(connection);
    const { code, message } = cause;
    const trusted =
        connection.sslRootCert === undefined
            ? "no sslRootCert is set, so only public certificate authorities are trusted"
            : "sslRootCert is trusted and nothing else";

    if (/does not support SSL connections/.test(message)) {
        return {
            code: "tls_not_offered",
            message: `${at} does not offer TLS, and sslMode is ${connection.sslMode}`,
            hint: "switch TLS on at the server (ssl = on); sslMode: disable sends the password over the network and is only for a trusted one",
        };
    }
    const untrusted =
        code === "DEPTH_ZERO_SELF_SIGNED_CERT" ||
        code === "SELF_SIGNED_CERT_IN_CHAIN" ||
        unknownIssuerCodes.has(code);
    // OpenSSL drops a malformed authority without a word and then trusts nobody.
    if (untrusted && connection.sslRootCert !== undefined && !isPem(connection.sslRootCert)) {
        return {
            code: "tls_bad_root_cert",
            message: "sslRootCert is not a PEM certificate",
            detail: `so the certificate of ${at} cannot be checked: ${said(cause)}`,
            hint: "give the text of the file that begins with -----BEGIN CERTIFICATE-----",
        };
    }
    if (code === "DEPTH_ZERO_SELF_SIGNED_CERT") {
        return {
            code: "tls_self_signed",
            message: `the certificate of ${at} is self-signed and not trusted`,
            detail: `${said(cause)}; ${trusted}`,
            hint: "set sslRootCert to the server's certificate, after checking that it is the right one",
        };
    }
    if (untrusted) {
        return {
            code: "tls_unknown_issuer",
            message: `the certificate of ${at} is signed by an authority that is not trusted`,
            detail: `${said(cause)}; ${trusted}`,
            hint: "set sslRootCert to the PEM text of the authority that signed the server's certificate",
        };
    }
    if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
        return {
            code: "tls_host_mismatch",
            message: `the certificate of ${at} is not made out to "${connection.host}"`,
            hint: "set host to a name that the certificate lists; sslMode: verify-ca checks the authority alone",
        };
    }
    if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
        return {
            code: "tls_expired",
            message: `the certificate of ${at} ${code === "CERT_HAS_EXPIRED" ? "has expired" : "is not valid yet"}`,
            hint: "renew the server's certificate, or correct the clock of this machine",
        };
    }
    if (/^(EPROTO|ERR_SSL|ERR_TLS|ERR_OSSL)/.test(code) || /SSL connection/.test(message)) {
        return {
            code: "tls_failed",
            message: `TLS with ${at} failed`,
            hint: "check that a PostgreSQL server with TLS >= 1.2 answers at this port",
        };
    }
    if (
        connection.sslMode !== "disable" &&
        /before secure TLS connection was established/.test(message)
    ) {
        return {
            code: "tls_failed",
            message: `${at} closed the connection during the TLS handshake`,
            hint: "check the server's log and its TLS settings",
        };
    }
    return undefined;
}

function isPem(text: string): boolean {
    try {
        new X509Certificate(text);
        return true;
    } catch {
        return false;
    }
}

function networkExplanation(cause: Cause, connection: Connection): Explanation {
    const at = address(connection);
    const { code, message } = cause;
    switch (code) {
        case "ECONNREFUSED":
            return {
                code: "connection_refused",
                message: `no server listens at ${at}`,
                hint: "start the server, or correct host and port",
            };
        case "ENOTFOUND":
        case "EAI_AGAIN":
        case "EAI_NODATA":
            return {
                code: "host_not_found",
                message: `host name "${connection.host}" cannot be resolved`,
                hint: "correct host, or check this machine's name service",
            };
        case "EHOSTUNREACH":
        case "ENETUNREACH":
        case "EADDRNOTAVAIL":
            return {
                code: "host_unreachable",
                message: `there is no route to ${at}`,
                hint: "check the network, the VPN and the firewall",
            };
        case "ETIMEDOUT":
            return timeout(at);
        case "ECONNRESET":
        case "EPIPE":
            return connectionLost(at);
    }
    // `pg` itself gives these no code.
    if (/^timeout expired/.test(message)) {
        return timeout(at);
    }
    if (/^Connection terminated/.test(message)) {
        return connectionLost(at);
    }
    if (/client password must be a/.test(message)) {
        return {
            code: "password_missing",
            message: `${at} asks for a password of user "${connection.user}", and none is set`,
            hint: "set the password of this user",
        };
    }
    return {
        code: "connection_failed",
        message: `cannot connect to ${at} as user "${connection.user}"`,
        hint: "check host, port and login with psql",
    };
}

function timeout(at: string): Explanation {
    return {
        code: "connection_timeout",
        message: `${at} does not answer within 10 seconds`,
        hint: "check host and port, and that no firewall drops the packets",
    };
}

function connectionLost(at: string): Explanation {
    return {
        code: "connection_lost",
        message: `${at} closed the connection during the login`,
        hint: "check that a PostgreSQL server answers at this port, and read its log",
    };
}

function address({ host, port }: Connection): string {
    return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function said({ message, code, serverDetail, fromServer }: Cause): string {
    const words = [message === "" ? code : message, serverDetail].filter(Boolean).join("; ");
    return fromServer ? `the server said: ${words}` : words;
}

/**
 * A host name with several addresses fails with an AggregateError whose own message is empty. The
 * address that got furthest says most: a refusal by a server outranks a missing route.
 */
function innermost(error: unknown): Cause {
    if (error instanceof AggregateError) {
        const causes = error.errors.map(innermost);
        const best =
            causes.find((cause) => cause.fromServer) ??
            causes.find((cause) => cause.code === "ECONNREFUSED") ??
            causes[0];
        if (best !== undefined) {
            return { ...best, message: causes.map((cause) => cause.message).join("; ") };
        }
    }
    const fields: Readonly<Record<string, unknown>> =
        typeof error === "object" && error !== null ? { ...error } : {};
    const text = (name: string): string | undefined =>
        typeof fields[name] === "string" ? fields[name] : undefined;
    const code = text("code") ?? "";
    return {
        code,
        message: error instanceof Error ? error.message : String(error),
        serverDetail: text("detail"),
        serverHint: text("hint"),
        // Only a server's message has a severity: Node's codes can look like a SQLSTATE (EPERM).
        fromServer: text("severity") !== undefined && code.length === 5,
    };
}
