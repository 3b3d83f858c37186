/** The command line of `npm run restore`. */
import { Command } from "commander";

import { TimescaleError } from "../../components/timescale/core/errors";
import { foldCase, type QualifiedName, unquote } from "../../components/timescale/core/identifier";
import {
    addConnectionOptions,
    type ConnectionFlags,
    type Server,
    serverOf,
} from "../database/connectionOptions";

export interface RestoreCommandOptions {
    /** But for the password. */
    readonly server: Server;
    readonly folder: string;
    readonly into: QualifiedName | undefined;
    readonly dryRun: boolean;
}

interface Flags extends ConnectionFlags {
    readonly into: string;
    readonly dryRun: boolean;
}

/**
 * Reads the arguments after `npm run restore --`. With `--help` or a wrong option the process ends
 * here, as commander has it.
 *
 * @throws TimescaleError when something cannot be used
 */
export function parseRestoreOptions(
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
): RestoreCommandOptions {
    const command = addConnectionOptions(
        new Command("npm run restore --")
            .description("Puts the rows of a backup back, where nothing else has them any more.")
            .argument("<folder>", "folder of one backup, with its rows.csv.gz and backup.json"),
    )
        .option("--into <schema.table>", "a new plain table, or another aggregate or hypertable")
        .option("--dry-run", "verify, count and compare; change nothing")
        .addHelpText(
            "after",
            `
Into an aggregate that stands again go the buckets that raw data no longer has and that do not
stand; into a hypertable the rows that do not. All of it is one transaction, and running it again
restores nothing twice. Log in as the owner. The password comes from PGPASSWORD or a pgpass file
(PGPASSFILE, ~/.pgpass), or is asked for on a terminal.

Exit code: 0 it is restored, or was before; 1 it failed, and nothing was changed.`,
        );
    command.parse([...args], { from: "user" });
    const flags = command.opts<Partial<Flags>>();
    return {
        server: serverOf(flags, environment),
        folder: command.args[0] ?? "",
        into: flags.into === undefined ? undefined : qualifiedName(flags.into),
        dryRun: flags.dryRun === true,
    };
}

/** As PostgreSQL reads a name: `Schema.Table` is folded, `"Schema"."Table"` is not. */
function qualifiedName(text: string): QualifiedName {
    const match = /^(?:("(?:[^"]|"")+"|[^".\s]+)\.)?("(?:[^"]|"")+"|[^".\s]+)$/.exec(text);
    const [, schema = "public", name] = match ?? [];
    if (name === undefined) {
        throw new TimescaleError("--into is no name of a table", {
            code: "invalid_option",
            detail: `got ${JSON.stringify(text)}`,
            hint: "write schema.table, with a part in double quotes where it needs them",
        });
    }
    const read = (word: string): string => unquote(word.startsWith('"') ? word : foldCase(word));
    return { schema: read(schema), name: read(name) };
}
