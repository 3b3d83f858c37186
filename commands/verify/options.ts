/** The command line of `npm run verify`. */
import { Command, InvalidArgumentError } from "commander";

import {
    addDatabaseOptions,
    type DatabaseChoice,
    databaseChoice,
    type DatabaseFlags,
    databaseHelp,
} from "../database/choice";

export interface VerifyCommandOptions extends DatabaseChoice {
    /** Undefined: the stack's, or public. */
    readonly schema: string | undefined;
    readonly sample: number | "all";
    readonly json: boolean;
    /** Where JUnit XML is written; undefined: nowhere. */
    readonly junit: string | undefined;
}

interface Flags extends DatabaseFlags {
    readonly schema: string;
    readonly sample: number | "all";
    readonly json: boolean;
    readonly junit: string;
}

export function parseOptions(
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
): VerifyCommandOptions {
    const command = addDatabaseOptions(
        new Command("npm run verify --")
            .description(
                "Ten checks of the Observatory: version, existence, policies, columns, test data, refresh, queries, accuracy against raw, materialization, speed against raw.",
            )
            .option(
                "--schema <schema>",
                "where the Observatory stands (default: the stack's, or public)",
            )
            .option(
                "--sample <count>",
                "stretches of real buckets of each aggregate that are compared with raw, spread over all; or all of them",
                parseSample,
                5,
            )
            .option("--json", "print the results as JSON on standard output")
            .option("--junit <file>", "write the results as JUnit XML"),
    ).addHelpText(
        "after",
        `${databaseHelp}

Of a stack it takes the config keys policies, slaTargets, helpers and schema, as they are now. With the --db options it knows
none of them, and says so where something differs.

Real tables and aggregates are only read. What has to be written goes into a schema of its own, observatory_verify_…,
which is removed again, also after Ctrl-C; what a killed run has left, the next one removes. The login has to be the
owner, and needs CREATE on the database for that schema: without it, checks 5, 6 and 10 are skipped and say so.

Exit code: 0 all checks passed, 2 a check failed, 1 a check could not be run, or all of it broke off.`,
    );
    command.parse([...args], { from: "user" });
    const flags = command.opts<Partial<Flags>>();
    return {
        ...databaseChoice(flags, environment),
        schema: flags.schema,
        sample: flags.sample ?? 5,
        json: flags.json === true,
        junit: flags.junit,
    };
}

function parseSample(text: string): number | "all" {
    if (text === "all") return text;
    if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('a whole number from 1, or "all"'); // prettier-ignore
    return Number(text);
}
