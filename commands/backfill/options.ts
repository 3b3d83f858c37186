/** The command line of `npm run backfill`. */
import { Command, InvalidArgumentError, Option } from "commander";

import { type Target, targets } from "../../components/config/keys";
import type { Connection } from "../../components/timescale/core/connection";
import { TimescaleError } from "../../components/timescale/core/errors";
import { addConnectionOptions, type ConnectionFlags, serverOf } from "../connectionOptions";
import { parseTime, showTime } from "./times";

export interface BackfillOptions {
    /** As given: a name, with its schema or without. */
    readonly aggregate: string;
    /** Inclusive; a literal in UTC. Undefined: from where raw data begins. */
    readonly from: string | undefined;
    /** Exclusive; a literal in UTC. Undefined: up to the last bucket that is over. */
    readonly to: string | undefined;
    readonly dryRun: boolean;
    readonly json: boolean;
    /** But for the password. Undefined: the stack of `npm start`. */
    readonly server: Omit<Connection, "password"> | undefined;
    /** Which stack of `npm start`; undefined: the one that it remembers. */
    readonly stack: Target | undefined;
}

interface Flags extends ConnectionFlags {
    readonly from: string;
    readonly to: string;
    readonly dryRun: boolean;
    readonly json: boolean;
    readonly stack: Target;
}

const serverFlags = ["dbHost", "dbPort", "dbName", "dbUser", "sslMode", "sslRootCert"] as const;

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
            parseBound,
        )
        .option(
            "--to <time>",
            "end, not included (default: the last bucket that is over)",
            parseBound,
        )
        .option("--dry-run", "list the windows and the rows at stake, and change nothing")
        .option("--json", "print the result as JSON on standard output")
        .addOption(
            new Option(
                "--stack <target>",
                "the stack of npm start that the database belongs to (default: the remembered one)",
            ).choices(targets),
        );
    addConnectionOptions(command).addHelpText(
        "after",
        `
A time is 2026-09-01, 2026-09-01 12:30 or ISO 8601 with a zone. The range is narrowed to whole buckets
that are over and whose raw data is whole; what was narrowed is said.

Without --db-host, --db-port, --db-name or --db-user it works on the stack of npm start. With one of them the password
comes from PGPASSWORD or a pgpass file, or is asked for on a terminal. The login has to own the aggregate.

Exit code: 0 all of it was done, 1 it failed or was stopped; run again, it goes on where it stopped.`,
    );
    command.parse([...args], { from: "user" });
    const flags = command.opts<Partial<Flags>>();
    const direct = serverFlags.some((name) => flags[name] !== undefined);
    if (direct && flags.stack !== undefined) {
        throw new TimescaleError("--stack and the --db options name two databases", {
            code: "invalid_option",
            detail: "--stack takes the connection from the stack of npm start, the --db options give it",
            hint: "leave one of the two out",
        });
    }
    refuseTimes(flags.from, flags.to, now);
    return {
        aggregate: command.args[0] ?? "",
        from: flags.from,
        to: flags.to,
        dryRun: flags.dryRun === true,
        json: flags.json === true,
        server: direct ? serverOf(flags, environment) : undefined,
        stack: flags.stack,
    };
}

function parseBound(text: string): string {
    const time = parseTime(text);
    if (time !== undefined) return time;
    throw new InvalidArgumentError(
        "a time is 2026-09-01, 2026-09-01 12:30 or ISO 8601 such as 2026-09-01T12:30:00Z",
    );
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
