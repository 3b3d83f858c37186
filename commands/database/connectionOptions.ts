/** Options of every command that connects to a database: the server, without the password. */
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";

import { type Command, InvalidArgumentError, Option } from "commander";

import {
    type Connection,
    type SslMode,
    sslModes,
} from "../../components/timescale/core/connection/connection";
import { TimescaleError } from "../../components/timescale/core/errors";

export type Server = Omit<Connection, "password">;

export interface ConnectionFlags {
    readonly dbHost: string;
    readonly dbPort: number;
    readonly dbName: string;
    readonly dbUser: string;
    readonly sslMode: SslMode;
    readonly sslRootCert: string;
}

/** What `--help` says of what is neither given nor in the environment. */
export interface Defaults {
    readonly database: string;
    readonly user: string;
}

const libpqDefaults: Defaults = { database: "the user's name", user: "yours here" };

export function addConnectionOptions(
    command: Command,
    { database, user }: Defaults = libpqDefaults,
): Command {
    return command
        .option("--db-host <host>", "host name or IP address (PGHOST; default: localhost)")
        .option("--db-port <port>", "TCP port (PGPORT; default: 5432)", parsePort)
        .option("--db-name <database>", `database (PGDATABASE; default: ${database})`)
        .option("--db-user <user>", `login that will own it (PGUSER; default: ${user})`)
        .addOption(
            new Option("--ssl-mode <mode>", "as libpq's (PGSSLMODE; default: verify-full)").choices(
                sslModes,
            ),
        )
        .option(
            "--ssl-root-cert <file>",
            "certificate authority to trust, as a PEM file (PGSSLROOTCERT)",
        );
}

/**
 * What the options say, else libpq's environment variables, else libpq's defaults.
 *
 * @throws TimescaleError when something cannot be used
 */
export function serverOf(flags: Partial<ConnectionFlags>, environment: NodeJS.ProcessEnv): Server {
    const user = flags.dbUser ?? set(environment["PGUSER"]) ?? userInfo().username;
    const certificate = flags.sslRootCert ?? set(environment["PGSSLROOTCERT"]);
    return {
        host: flags.dbHost ?? set(environment["PGHOST"]) ?? "localhost",
        port: flags.dbPort ?? portOf(environment["PGPORT"]),
        database: flags.dbName ?? set(environment["PGDATABASE"]) ?? user,
        user,
        sslMode: flags.sslMode ?? sslModeOf(environment["PGSSLMODE"]),
        ...(certificate !== undefined && { sslRootCert: readCertificate(certificate) }),
    };
}

/** An empty variable is an unset one, as libpq has it. */
function set(value: string | undefined): string | undefined {
    return value === "" ? undefined : value;
}

function isPort(text: string): boolean {
    return /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 65535;
}

function parsePort(text: string): number {
    if (!isPort(text)) throw new InvalidArgumentError("a port is a whole number from 1 to 65535");
    return Number(text);
}

function portOf(variable: string | undefined): number {
    const text = set(variable) ?? "5432";
    if (isPort(text)) return Number(text);
    throw new TimescaleError("PGPORT is no port", {
        code: "invalid_option",
        detail: `got ${JSON.stringify(text)}; a port is a whole number from 1 to 65535`,
        hint: "correct it, or give --db-port",
    });
}

function sslModeOf(variable: string | undefined): SslMode {
    const mode = set(variable) ?? "verify-full";
    const known = sslModes.find((it) => it === mode);
    if (known !== undefined) return known;
    throw new TimescaleError(`PGSSLMODE ${JSON.stringify(mode)} is not supported`, {
        code: "invalid_option",
        detail: `supported are ${sslModes.join(", ")}: the others may talk in clear text without a word`,
        hint: "choose one with --ssl-mode",
    });
}

function readCertificate(file: string): string {
    let text: string;
    try {
        text = readFileSync(file, "utf8");
    } catch (error) {
        throw new TimescaleError("the certificate authority cannot be read", {
            code: "invalid_option",
            detail: error instanceof Error ? error.message : String(error),
            hint: "give the path of a PEM file with --ssl-root-cert",
            cause: error,
        });
    }
    if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
    throw new TimescaleError("the certificate authority is not a PEM certificate", {
        code: "invalid_option",
        detail: `${file} holds no -----BEGIN CERTIFICATE-----`,
        hint: "give the path of a PEM file with --ssl-root-cert",
    });
}
