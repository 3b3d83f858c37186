/** The command line of `npm run report`. */
import { resolve } from "node:path";

import { Command, InvalidArgumentError } from "commander";

import { TimescaleError } from "../../components/timescale/core/errors";
import { lengthOf, parseInterval } from "../../components/timescale/core/interval";
import { parseTimeOption, showTime } from "../backfill/times";
import {
    addDatabaseOptions,
    type DatabaseChoice,
    databaseChoice,
    type DatabaseFlags,
    databaseHelp,
} from "../database/choice";

/** What was asked for; what is left out depends on the server's clock. */
export interface AskedWindow {
    /** Inclusive; a literal in UTC. */
    readonly from: string | undefined;
    /** Exclusive; a literal in UTC. Undefined: now. */
    readonly to: string | undefined;
    /** Milliseconds. */
    readonly length: number;
}

export interface ReportOptions extends DatabaseChoice {
    readonly window: AskedWindow;
    /** Undefined: where the observatory stands. */
    readonly schema: string | undefined;
    /** Undefined with `json` alone: no file is written. */
    readonly out: string | undefined;
    readonly json: boolean;
}

interface Flags extends DatabaseFlags {
    readonly from: string;
    readonly to: string;
    readonly window: number;
    readonly schema: string;
    readonly out: string;
    readonly json: boolean;
}

const sevenDays = 7 * 86_400_000;

/**
 * Reads the arguments after `npm run report --`. With `--help` or a wrong option the process ends here, as commander
 * has it.
 *
 * @throws TimescaleError when the options contradict each other
 */
export function parseOptions(
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
): ReportOptions {
    const command = new Command("npm run report --")
        .description(
            "Renders latency, requests, errors, cost, targets and freshness as one HTML file that needs no network, from the aggregates and helpers alone.",
        )
        .option("--from <time>", "where the report begins, in UTC", parseTimeOption)
        .option("--to <time>", "where it ends, not included (default: now)", parseTimeOption)
        .option("--window <interval>", "how long it is (default: 7 days)", parseWindow)
        .option("--schema <name>", "where the aggregates stand (default: found)")
        .option("--out <file>", "where it goes (default: report.html)")
        .option("--json", "print the data behind the pictures as JSON on standard output");
    addDatabaseOptions(command).addHelpText(
        "after",
        `
A time is 2026-09-01, 2026-09-01 12:30 or ISO 8601 with a zone; an interval is PostgreSQL's, such as "36 hours". The
window begins with a whole step: minutes, hours, days or weeks, by its length and by what is still kept.
With --json no file is written unless --out names one. A file that is no report is not overwritten.
${databaseHelp} Of a stack it takes the reader's login, which has no right on raw rows.`,
    );
    command.parse([...args], { from: "user" });
    const flags = command.opts<Partial<Flags>>();
    const database = databaseChoice(flags, environment);
    refuse(flags);
    const json = flags.json === true;
    const out = flags.out ?? (json ? undefined : "report.html");
    return {
        window: { from: flags.from, to: flags.to, length: flags.window ?? sevenDays },
        schema: flags.schema,
        // npm changes to the package's folder; a path is meant from where the user stands.
        out: out === undefined ? undefined : resolve(environment["INIT_CWD"] ?? "", out),
        json,
        ...database,
    };
}

function parseWindow(text: string): number {
    const interval = parseInterval(text);
    const length = interval === undefined ? 0 : lengthOf(interval) / 1000;
    if (length >= 60_000) return length;
    throw new InvalidArgumentError(
        'an interval is PostgreSQL\'s, such as "36 hours", "7 days" or "3 years", and at least a minute',
    );
}

function refuse({ from, to, window }: Partial<Flags>): void {
    if (from !== undefined && to !== undefined && window !== undefined) {
        throw new TimescaleError("the window is given twice", {
            code: "invalid_option",
            detail: "--from and --to say it, and --window says how long it is",
            hint: "leave one of the three out",
        });
    }
    if (from !== undefined && to !== undefined && from >= to) {
        throw new TimescaleError("the window is empty", {
            code: "invalid_option",
            detail: `--from ${showTime(from)} is not before --to ${showTime(to)}, which is not included`,
            hint: "give an earlier --from or a later --to",
        });
    }
}
