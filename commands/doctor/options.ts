/** The command line of `npm run doctor`. */
import { Command } from "commander";

import { TimescaleError } from "../../components/timescale/core/errors";
import {
    addDatabaseOptions,
    type DatabaseChoice,
    databaseChoice,
    type DatabaseFlags,
    databaseHelp,
} from "../database/choice";

export interface DoctorOptions extends DatabaseChoice {
    readonly complete: boolean;
    readonly fix: boolean;
    readonly yes: boolean;
    readonly json: boolean;
}

type Flags = DatabaseFlags & Pick<DoctorOptions, "complete" | "fix" | "yes" | "json">;

/**
 * Reads the arguments after `npm run doctor --`. With `--help` or a wrong option the process ends here.
 *
 * @throws TimescaleError when the options contradict each other
 */
export function parseOptions(
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
): DoctorOptions {
    const command = new Command("npm run doctor --")
        .description(
            "Finds what is wrong with the aggregates and jobs of a database, and says why, what follows and how it is mended.",
        )
        .option("--complete", "compare every bucket with raw data, not only a sample")
        .option("--fix", "mend what is safe to mend, one thing at a time, and ask before each")
        .option("--yes", "do not ask; for --fix")
        .option("--json", "print what was found as JSON on standard output");
    addDatabaseOptions(command).addHelpText(
        "after",
        `${databaseHelp}

Without --fix it changes nothing. --fix needs a terminal or --yes.

Exit code: 0 nothing is wrong (any more), 1 it could not be examined, 2 something is wrong.`,
    );
    command.parse([...args], { from: "user" });
    const flags = command.opts<Partial<Flags>>();
    if (flags.yes === true && flags.fix !== true) {
        throw new TimescaleError("--yes does nothing without --fix", {
            code: "invalid_option",
            hint: "leave it out, or add --fix",
        });
    }
    return {
        complete: flags.complete === true,
        fix: flags.fix === true,
        yes: flags.yes === true,
        json: flags.json === true,
        ...databaseChoice(flags, environment),
    };
}
