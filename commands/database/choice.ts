/** Which database a command works on: that of a stack, or one that its options name. */
import type { Command } from "commander";

import { TimescaleError } from "../../components/timescale/core/errors";
import {
    addConnectionOptions,
    type ConnectionFlags,
    type Server,
    serverOf,
} from "./connectionOptions";
import { withPassword } from "./password";
import { type Login, type OpenDatabase, stackDatabase } from "./stack";
import { stackName } from "./stackName";

export interface DatabaseChoice {
    /** But for the password. Undefined: a stack. */
    readonly server: Server | undefined;
    /** Undefined: the stack that `npm start` remembers. */
    readonly stack: string | undefined;
}

export interface DatabaseFlags extends ConnectionFlags {
    readonly stack: string;
}

const connectionFlags = [
    "dbHost",
    "dbPort",
    "dbName",
    "dbUser",
    "sslMode",
    "sslRootCert",
] as const satisfies readonly (keyof ConnectionFlags)[];

/** What `--help` says of the choice. */
export const databaseHelp = `
Without --db-host, --db-port, --db-name or --db-user it works on the stack of npm start. With one of them the password
comes from PGPASSWORD or a pgpass file, or is asked for on a terminal.`;

/** Adds `--stack` and the `--db` options. */
export function addDatabaseOptions(command: Command): Command {
    return addConnectionOptions(
        command.option(
            "--stack <name>",
            "docker, external or embedded of npm start, or one that a deploy has named, or a stack of the plain CLI (default: the one that npm start remembers)",
            stackName,
        ),
    );
}

/** @throws TimescaleError when the options contradict each other or cannot be used */
export function databaseChoice(
    flags: Partial<DatabaseFlags>,
    environment: NodeJS.ProcessEnv,
): DatabaseChoice {
    const direct = connectionFlags.some((name) => flags[name] !== undefined);
    if (direct && flags.stack !== undefined) {
        throw new TimescaleError("--stack and the --db options name two databases", {
            code: "invalid_option",
            detail: "--stack takes the connection from the stack's outputs, the --db options give it",
            hint: "leave one of the two out",
        });
    }
    return { server: direct ? serverOf(flags, environment) : undefined, stack: flags.stack };
}

/**
 * Finds the connection; nothing is connected yet, but the embedded server is open.
 *
 * @param root the repository
 * @param login of a stack; the `--db` options name their own
 * @throws TimescaleError when there is no such stack, or a password is wanted and there is nobody to ask
 */
export async function openDatabase(
    root: string,
    { server, stack }: DatabaseChoice,
    login: Login = "connection",
): Promise<OpenDatabase> {
    if (server === undefined) return stackDatabase(root, stack, login);
    const connection = await withPassword(server, process.env);
    return { connection, close: () => Promise.resolve() };
}
