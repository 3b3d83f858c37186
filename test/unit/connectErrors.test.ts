import type { TLSSocket } from "node:tls";

import { DatabaseError } from "pg";

import { connectError } from "../../components/timescale/core/connection/connectErrors";
import type { Connection } from "../../components/timescale/core/connection/connection";
import { clientConfig } from "../../components/timescale/core/connection/tls";
import { explain } from "../../components/timescale/core/errors";

const connection: Connection = {
    host: "db.example.com",
    port: 5432,
    database: "llm_observatory",
    user: "observatory_owner",
    password: "hunter2-secret",
    sslMode: "verify-full",
};

function nodeError(code: string, message = `connect ${code} 10.0.0.1:5432`): Error {
    return Object.assign(new Error(message), { code });
}

function serverError(code: string, message: string): Error {
    return Object.assign(new DatabaseError(message, message.length, "error"), {
        severity: "FATAL",
        code,
    });
}

describe("connectError", () => {
    it.each<[string, Error, string, string]>([
        [
            "a closed port",
            nodeError("ECONNREFUSED"),
            "connection_refused",
            "no server listens at db.example.com:5432",
        ],
        [
            "a closed port on every address",
            new AggregateError([nodeError("ENETUNREACH"), nodeError("ECONNREFUSED")], ""),
            "connection_refused",
            "no server listens at db.example.com:5432",
        ],
        [
            "an unknown host",
            nodeError("ENOTFOUND", "getaddrinfo ENOTFOUND db.example.com"),
            "host_not_found",
            'host name "db.example.com" cannot be resolved',
        ],
        [
            "a host out of reach",
            nodeError("EHOSTUNREACH"),
            "host_unreachable",
            "there is no route to db.example.com:5432",
        ],
        [
            "silence on the network",
            nodeError("ETIMEDOUT"),
            "connection_timeout",
            "db.example.com:5432 does not answer within 10 seconds",
        ],
        [
            "silence of the server",
            new Error("timeout expired"),
            "connection_timeout",
            "db.example.com:5432 does not answer within 10 seconds",
        ],
        [
            "a connection that is dropped",
            new Error("Connection terminated unexpectedly"),
            "connection_lost",
            "db.example.com:5432 closed the connection during the login",
        ],
        [
            "a password that is not set",
            new Error("SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string"),
            "password_missing",
            'db.example.com:5432 asks for a password of user "observatory_owner", and none is set',
        ],
        [
            "a wrong password",
            serverError("28P01", 'password authentication failed for user "observatory_owner"'),
            "28P01",
            'db.example.com:5432 refuses the password of user "observatory_owner"',
        ],
        [
            "a refused login",
            serverError("28000", 'role "observatory_owner" is not permitted to log in'),
            "28000",
            'db.example.com:5432 refuses the login of user "observatory_owner"',
        ],
        [
            "a missing database",
            serverError("3D000", 'database "llm_observatory" does not exist'),
            "3D000",
            'database "llm_observatory" does not exist on db.example.com:5432',
        ],
        [
            "a server that starts",
            serverError("57P03", "the database system is starting up"),
            "57P03",
            "db.example.com:5432 does not accept connections yet",
        ],
        [
            "a database that may not be entered",
            serverError("42501", 'permission denied for database "llm_observatory"'),
            "42501",
            'user "observatory_owner" may not connect to database "llm_observatory" on db.example.com:5432',
        ],
        [
            "any other answer of the server",
            serverError("XX000", 'extension "timescaledb" must be preloaded'),
            "XX000",
            'db.example.com:5432 refuses the connection of user "observatory_owner" to database "llm_observatory"',
        ],
        [
            "a server without TLS",
            new Error("The server does not support SSL connections"),
            "tls_not_offered",
            "db.example.com:5432 does not offer TLS, and sslMode is verify-full",
        ],
        [
            "a self-signed certificate",
            nodeError("DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate"),
            "tls_self_signed",
            "the certificate of db.example.com:5432 is self-signed and not trusted",
        ],
        [
            "an unknown authority",
            nodeError("UNABLE_TO_VERIFY_LEAF_SIGNATURE", "unable to verify the first certificate"),
            "tls_unknown_issuer",
            "the certificate of db.example.com:5432 is signed by an authority that is not trusted",
        ],
        [
            "an unknown authority that the server sends along",
            nodeError("SELF_SIGNED_CERT_IN_CHAIN", "self-signed certificate in certificate chain"),
            "tls_unknown_issuer",
            "the certificate of db.example.com:5432 is signed by an authority that is not trusted",
        ],
        [
            "another host's certificate",
            nodeError("ERR_TLS_CERT_ALTNAME_INVALID", "Hostname/IP does not match"),
            "tls_host_mismatch",
            'the certificate of db.example.com:5432 is not made out to "db.example.com"',
        ],
        [
            "an expired certificate",
            nodeError("CERT_HAS_EXPIRED", "certificate has expired"),
            "tls_expired",
            "the certificate of db.example.com:5432 has expired",
        ],
        [
            "anything else of TLS",
            nodeError("EPROTO", "wrong version number"),
            "tls_failed",
            "TLS with db.example.com:5432 failed",
        ],
        [
            "anything else",
            new Error("something new"),
            "connection_failed",
            'cannot connect to db.example.com:5432 as user "observatory_owner"',
        ],
    ])("tells %s", (_case, cause, code, message) => {
        const error = connectError(cause, connection);

        expect(error).toMatchObject({ code, message, cause });
        expect(explain(error)).not.toContain(connection.password);
    });

    it("keeps the words of the server, and of every address that was tried", () => {
        expect(connectError(serverError("28P01", "no such luck"), connection).detail).toBe(
            "the server said: no such luck",
        );
        expect(
            connectError(
                new AggregateError(
                    [nodeError("ECONNREFUSED", "v6"), nodeError("ECONNREFUSED", "v4")],
                    "",
                ),
                connection,
            ).detail,
        ).toBe("v6; v4");
    });

    it("says that a malformed authority is why nothing is trusted", () => {
        expect(
            connectError(nodeError("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), {
                ...connection,
                sslRootCert: "not PEM",
            }),
        ).toMatchObject({ code: "tls_bad_root_cert" });
    });

    it("suggests TLS where the server refuses a login without it", () => {
        const refused = serverError(
            "28000",
            'no pg_hba.conf entry for host "10.0.0.1", no encryption',
        );

        expect(connectError(refused, { ...connection, sslMode: "disable" }).hint).toContain(
            "set sslMode to verify-full",
        );
    });

    it("puts brackets around an IPv6 address", () => {
        expect(
            connectError(nodeError("ECONNREFUSED"), { ...connection, host: "::1" }).message,
        ).toBe("no server listens at [::1]:5432");
    });
});

describe("clientConfig", () => {
    const sslOf = (change: Partial<Connection>) =>
        clientConfig({ ...connection, ...change }).ssl as
            | undefined
            | boolean
            | {
                  rejectUnauthorized: boolean;
                  ca?: string;
                  checkServerIdentity?: (
                      host: string,
                      certificate: ReturnType<TLSSocket["getPeerCertificate"]>,
                  ) => Error | undefined;
              };

    const otherHost = {
        subject: { CN: "other.example.com" },
        subjectaltname: "DNS:other.example.com",
    } as ReturnType<TLSSocket["getPeerCertificate"]>;

    it("names the program and leaves startup options alone", () => {
        const config = clientConfig(connection);

        expect(config).toMatchObject({
            application_name: "pulumi-timescale",
            connectionTimeoutMillis: 10_000,
        });
        expect(config.options).toBeUndefined();
    });

    it("switches TLS off for disable, whatever the environment says", () => {
        expect(sslOf({ sslMode: "disable" })).toBe(false);
    });

    it("accepts every certificate for require", () => {
        expect(sslOf({ sslMode: "require" })).toEqual({ rejectUnauthorized: false });
    });

    it.each(["require", "verify-ca"] as const)(
        "checks the chain and no name for %s with an authority",
        (sslMode) => {
            const ssl = sslOf({ sslMode, sslRootCert: "PEM" });

            expect(ssl).toMatchObject({ rejectUnauthorized: true, ca: "PEM" });
            expect(
                typeof ssl === "object" && ssl.checkServerIdentity?.("x", otherHost),
            ).toBeUndefined();
        },
    );

    it("checks the name as declared for verify-full", () => {
        const ssl = sslOf({ sslMode: "verify-full", host: "10.0.0.7" });

        expect(ssl).toMatchObject({ rejectUnauthorized: true });
        expect(
            typeof ssl === "object" && ssl.checkServerIdentity?.("localhost", otherHost),
        ).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID", host: "10.0.0.7" });
    });
});
