/** The command line of `npm run import`. */
import { Command, InvalidArgumentError } from "commander";

import {
    addConnectionOptions,
    type ConnectionFlags,
    type Server,
    serverOf,
} from "../database/connectionOptions";

export interface ImportOptions {
    /** But for the password. */
    readonly server: Server;
    /** None: all schemas. */
    readonly schemas: readonly string[];
    /** Undefined: by the database's name. */
    readonly out: string | undefined;
    readonly stack: string;
    readonly json: boolean;
    readonly force: boolean;
}

interface Flags extends ConnectionFlags {
    readonly schema: readonly string[];
    readonly out: string;
    readonly stack: string;
    readonly json: boolean;
    readonly force: boolean;
    readonly yes: boolean;
}

/**
 * Reads the arguments after `npm run import --`; libpq's environment variables give what they leave
 * out. With `--help` or a wrong option the process ends here, as commander has it.
 *
 * @throws TimescaleError when something cannot be used
 */
export function parseOptions(
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
): ImportOptions {
    const command = addConnectionOptions(
        new Command("npm run import --").description(
            "Reads a database and writes a Pulumi program that declares what stands in it: pulumi up on it changes nothing.",
        ),
    )
        .option("--schema <name...>", "only what lies in these schemas (default: all)")
        .option("--out <folder>", "where the program goes (default: imported/<database>)")
        .option("--stack <name>", "stack that its config is for (default: prod)", parseStack)
        .option("--json", "print the result as JSON on standard output")
        .option("--force", "overwrite the files of an earlier import")
        .option("--yes", "the same as --force")
        .addHelpText(
            "after",
            `
The password comes from PGPASSWORD or a pgpass file (PGPASSFILE, ~/.pgpass), or is asked for on a
terminal. Nothing in the database is changed: it is read in read-only transactions.

Exit code: 0 all of it is declared, 2 some objects are not and were listed, 1 it failed.`,
        );
    command.parse([...args], { from: "user" });
    const flags = command.opts<Partial<Flags>>();
    return {
        server: serverOf(flags, environment),
        schemas: flags.schema ?? [],
        out: flags.out,
        stack: flags.stack ?? "prod",
        json: flags.json === true,
        force: flags.force === true || flags.yes === true,
    };
}

/** Source: https://www.pulumi.com/docs/iac/concepts/stacks/ */
function parseStack(text: string): string {
    if (!/^[A-Za-z0-9_.-]{1,100}$/.test(text)) {
        throw new InvalidArgumentError(
            "a stack's name holds letters, digits, dots, dashes and underscores",
        );
    }
    return text;
}
