/** The command line of `npm run deploy`: the flags and variables of the original's script, and what it lacked. */
import { Command } from "commander";

import { TimescaleError } from "../../components/timescale/core/errors";
import {
    addConnectionOptions,
    type ConnectionFlags,
    type Server,
    serverOf,
} from "../database/connectionOptions";
import { stackName } from "../database/stackName";

export interface DeployOptions {
    /** But for the password. Undefined: a stack. */
    readonly server: Server | undefined;
    /** Undefined: the one that npm start remembers. */
    readonly stack: string | undefined;
    readonly test: boolean;
    readonly dryRun: boolean;
    readonly rollback: boolean;
    readonly yes: boolean;
    readonly json: boolean;
}

interface Flags extends ConnectionFlags {
    readonly stack: string;
    readonly test: boolean;
    readonly dryRun: boolean;
    readonly rollback: boolean;
    readonly yes: boolean;
    readonly json: boolean;
}

/** The original's, where libpq would take the name of whoever is logged in. */
const defaults = { database: "llm_observatory", user: "postgres" };

const flagNames = ["dbHost", "dbPort", "dbName", "dbUser", "sslMode", "sslRootCert"] as const;

/** One of these is enough to mean a database, as one of the flags is. */
const variables = ["PGHOST", "PGPORT", "PGDATABASE", "PGUSER"] as const;

/**
 * Reads the arguments after `npm run deploy --`. With `--help` or a wrong option the process ends here, as
 * commander has it.
 *
 * @throws TimescaleError when options contradict each other or cannot be used
 */
export function parseOptions(
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
): DeployOptions {
    const command = addConnectionOptions(
        new Command("npm run deploy --").description(
            "Deploys the Observatory into a database that exists, by a real pulumi up; or says what that would do; or takes it back.",
        ),
        defaults,
    )
        .option(
            "--stack <name>",
            "instead of a database: docker, external or embedded of npm start, or a stack that an earlier deploy has named",
            stackName,
        )
        .option("--test", "verify at the end: the ten checks of npm run verify")
        .option("--dry-run", "say what would change, and change nothing")
        .option("--rollback", "take down aggregates and helpers; raw tables and their rows stay")
        .option("--yes", "do not ask before a rollback")
        .option("--json", "print the result as JSON on standard output")
        .addHelpText(
            "after",
            `
A flag counts before its variable, a variable before the default. With neither flags nor PGHOST, PGPORT, PGDATABASE or
PGUSER it deploys to the stack of npm start. The password comes from PGPASSWORD or a pgpass file, or is asked for on a
terminal; never give it as an argument, which others can read.

The login owns everything that is deployed, needs no right to create roles, and may not be another than the owner of raw
tables that stand. The database has to exist, with TimescaleDB created in it. What others have been granted stays.

Exit code: 0 deployed, or nothing to do; 2 differences were found by --dry-run, or something was refused; 1 it failed,
or a check of --test did not pass.`,
        );
    command.parse([...args], { from: "user" });
    const flags = command.opts<Partial<Flags>>();
    const given = flagNames.some((name) => flags[name] !== undefined);
    if (given && flags.stack !== undefined) {
        throw contradiction("--stack and the --db options name two databases", "leave one of the two out"); // prettier-ignore
    }
    for (const [one, other] of [
        ["dryRun", "test"],
        ["rollback", "test"],
    ] as const) {
        if (flags[one] === true && flags[other] === true) {
            throw contradiction(
                `--${one === "dryRun" ? "dry-run" : one} and --${other} exclude each other`,
                "a verification needs what is deployed, and writes into a schema of its own",
            );
        }
    }
    const named = variables.some((name) => (environment[name] ?? "") !== "");
    const direct = given || (flags.stack === undefined && named);
    return {
        server: direct ? serverOf(withDefaults(flags, environment), environment) : undefined,
        stack: flags.stack,
        test: flags.test === true,
        dryRun: flags.dryRun === true,
        rollback: flags.rollback === true,
        yes: flags.yes === true,
        json: flags.json === true,
    };
}

function withDefaults(flags: Partial<Flags>, environment: NodeJS.ProcessEnv): Partial<Flags> {
    const unset = (name: string): boolean => (environment[name] ?? "") === "";
    return {
        ...(unset("PGDATABASE") && { dbName: defaults.database }),
        ...(unset("PGUSER") && { dbUser: defaults.user }),
        ...flags,
    };
}

function contradiction(message: string, hint: string): TimescaleError {
    return new TimescaleError(message, { code: "invalid_option", hint });
}
