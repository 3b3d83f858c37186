/**
 * How to reach one database.
 *
 * ```ts
 * const connection = { host: "db.example.com", port: 5432, database: "metrics", user: "metrics_owner", password, sslMode: "verify-full" } as const;
 * ```
 *
 * A changed connection is noted by the next `up`, and touches nothing; where another database answers,
 * whose identity is not the remembered one, nothing is done.
 *
 * `sslMode` has libpq's meaning: `disable` talks in clear text, `require` encrypts without checking
 * who answers, `verify-ca` checks the certificate's issuer and `verify-full` the host name as well.
 */
export interface Connection {
    /** Name or address. */
    readonly host: string;
    /** TCP port, 1 to 65535. */
    readonly port: number;
    /** Its name; it exists, and has the extension timescaledb. */
    readonly database: string;
    /** The login; it need not be a superuser. */
    readonly user: string;
    /** Give it as a secret, such as by `config.requireSecret`. A new one is used from the next operation on. */
    readonly password: string;
    /** What TLS has to prove; see {@link SslMode}. */
    readonly sslMode: SslMode;
    /**
     * PEM text (not a path) of the certificate authority that signed the server's certificate.
     *
     * @default - the authorities that Node trusts
     */
    readonly sslRootCert?: string;
}

export const sslModes = ["disable", "require", "verify-ca", "verify-full"] as const;

/** `disable`, `require`, `verify-ca` or `verify-full`, as in libpq; over a network that is not yours: `verify-full`. */
export type SslMode = (typeof sslModes)[number];
