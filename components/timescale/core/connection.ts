/**
 * How to reach one database.
 *
 * `sslMode` has libpq's meaning: `disable` talks in clear text, `require` encrypts without checking
 * who answers, `verify-ca` checks the certificate's issuer and `verify-full` the host name as well.
 */
export interface Connection {
    readonly host: string;
    /** TCP port, 1 to 65535. */
    readonly port: number;
    readonly database: string;
    readonly user: string;
    readonly password: string;
    readonly sslMode: SslMode;
    /** PEM text (not a path) of the certificate authority that signed the server's certificate. */
    readonly sslRootCert?: string;
}

export const sslModes = ["disable", "require", "verify-ca", "verify-full"] as const;

export type SslMode = (typeof sslModes)[number];
