/** The command line of `npm run status`. */
import { Command, InvalidArgumentError } from "commander";

import {
    addDatabaseOptions,
    type DatabaseChoice,
    databaseChoice,
    type DatabaseFlags,
    databaseHelp,
} from "../database/choice";

export interface StatusOptions extends DatabaseChoice {
    /** Seconds between two looks; undefined: one look. */
    readonly watch: number | undefined;
    readonly json: boolean;
}

interface Flags extends DatabaseFlags {
    readonly watch: number | true;
    readonly json: boolean;
}

/** Seconds between two looks of `--watch` without a number. */
const usual = 5;

/** Reads the arguments after `npm run status --`. With `--help` or a wrong option the process ends here. */
export function parseOptions(
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
): StatusOptions {
    const command = new Command("npm run status --")
        .description(
            "Shows how aggregates, hypertables and jobs of a database are doing. It changes nothing, and works as any login that may connect.",
        )
        .option("--watch [seconds]", `look again every so often (default: ${usual})`, parseSeconds)
        .option("--json", "print the snapshot as JSON, one a line with --watch");
    addDatabaseOptions(command).addHelpText(
        "after",
        `${databaseHelp}
--watch draws over the last snapshot on a terminal and prints one after another elsewhere; Ctrl-C ends it.

Exit code: 0 it was shown, 1 it could not be read. npm run doctor says what is wrong.`,
    );
    command.parse([...args], { from: "user" });
    const flags = command.opts<Partial<Flags>>();
    return {
        watch: flags.watch === true ? usual : flags.watch,
        json: flags.json === true,
        ...databaseChoice(flags, environment),
    };
}

function parseSeconds(text: string): number {
    const seconds = Number(text);
    if (/^\d+(?:\.\d+)?$/.test(text) && seconds >= 0.2 && seconds <= 86_400) return seconds;
    throw new InvalidArgumentError("a number of seconds from 0.2 to 86400");
}
