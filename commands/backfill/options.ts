/** The command line of `npm run backfill`. */
import { Command } from "commander";

import { TimescaleError } from "../../components/timescale/core/errors";
import {
    addDatabaseOptions,
    type DatabaseChoice,
    databaseChoice,
    type DatabaseFlags,
    databaseHelp,
} from "../database/choice";
import { parseTimeOption, showTime } from "./times";

export interface BackfillOptions extends DatabaseChoice {
    /** As given: a name, with its schema or without. */
    readonly aggregate: string;
    /** Inclusive; a literal in UTC. Undefined: from where raw data begins. */
    readonly from: string | undefined;
    /** Exclusive; a literal in UTC. Undefined: up to the last bucket that is over. */
    readonly to: string | undefined;
    readonly dryRun: boolean;
    readonly json: boolean;
}

interface Flags extends DatabaseFlags {
    readonly from: string;
    readonly to: string;
    readonly dryRun: boolean;
    readonly json: boolean;
}

/**
 * Reads the arguments after `npm run backfill --`. With `--help` or a wrong option the process ends here, as commander
 * has it.
 *
 * @param now in milliseconds since the epoch
 * @throws TimescaleError when the times or the options contradict each other
 */
export function parseOptions(
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
    now = Date.now(),
): BackfillOptions {
    const command = new Command("npm run backfill --")
        .description(
            "Computes an aggregate's buckets from raw data, in windows sized by measured speed: what was never computed, and what raw data has changed in since.",
        )
        .argument("<aggregate>", "name of the continuous aggregate, with or without its schema")
        .option(
            "--from <time>",
            "first bucket, in UTC (default: where raw data begins)",
            parseTimeOption,
        )
        .option(
            "--to <time>",
            "end, not included (default: the last bucket that is over)",
            parseTimeOption,
        )
        .option("--dry-run", "list the windows and the rows at stake, and change nothing")
        .option("--json", "print the result as JSON on standard output");
    addDatabaseOptions(command).addHelpText(
        "after",
        `
A time is 2026-09-01, 2026-09-01 12:30 or ISO 8601 with a zone. The range is narrowed to whole buckets
that are over and whose raw data is whole; what was narrowed is said.
${databaseHelp} The login has to own the aggregate.

Exit code: 0 all of it was done, 1 it failed or was stopped; run again, it goes on where it stopped.`,
    );
    command.parse([...args], { from: "user" });
    const flags = command.opts<Partial<Flags>>();
    const database = databaseChoice(flags, environment);
    refuseTimes(flags.from, flags.to, now);
    return {
        aggregate: command.args[0] ?? "",
        from: flags.from,
        to: flags.to,
        dryRun: flags.dryRun === true,
        json: flags.json === true,
        ...database,
    };
}

function refuseTimes(from: string | undefined, to: string | undefined, now: number): void {
    if (from === undefined) return;
    if (to !== undefined && from >= to) {
        throw new TimescaleError("the range is empty", {
            code: "invalid_option",
            detail: `--from ${showTime(from)} is not before --to ${showTime(to)}, which is not included`,
            hint: "give an earlier --from or a later --to",
        });
    }
    if (Date.parse(from) >= now) {
        throw new TimescaleError("the range is in the future", {
            code: "invalid_option",
            detail: `--from is ${showTime(from)}, and now it is ${showTime(new Date(now).toISOString())}`,
            hint: "buckets are computed when they are over: give an earlier --from",
        });
    }
}
