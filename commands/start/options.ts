/**
 * The command line of `npm start`.
 */
import { Command, Option } from "commander";

import { type Target, targets } from "../../components/config/keys";
import { TimescaleError } from "../../components/timescale/core/errors";
import { parseAssignments } from "./configuration";

interface StartFlags {
    readonly target: Target | undefined;
    readonly demo: boolean;
    readonly destroy: boolean;
    readonly withData: boolean;
    readonly yes: boolean;
    readonly json: boolean;
}

export interface StartOptions extends StartFlags {
    /** From `--config key=value`. */
    readonly config: Readonly<Record<string, string>>;
}

/**
 * Reads the arguments after `npm start --`. With `--help` or a wrong option the process ends here, as
 * commander has it.
 *
 * @throws TimescaleError when options contradict each other
 */
export function parseOptions(args: readonly string[]): StartOptions {
    const command = new Command("npm start --")
        .description(
            "Stands up LLM Observatory's TimescaleDB: a real pulumi up, then a picture of what stands.",
        )
        .addOption(
            new Option(
                "--target <target>",
                "which server; remembered (default: docker where it can be had, else embedded)",
            ).choices(targets),
        )
        .option("--demo", "load generated LLM traces, refresh, show the first lines")
        .option(
            "--destroy",
            "take down aggregates and their jobs; raw data, server, roles and state stay",
        )
        .option("--with-data", "with --destroy: remove everything, the data included")
        .option("--yes", "do not ask before data is removed")
        .option(
            "--config <key=value>",
            "set a config key of the stack; may be repeated",
            (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
        )
        .option("--json", "print the result as JSON on standard output")
        .addHelpText(
            "after",
            `
Target external takes its server from --config host=..., port, adminUser, adminPassword, sslMode and
sslRootCert; what is missing, from PGHOST, PGPORT, PGUSER, PGPASSWORD, PGSSLMODE and PGSSLROOTCERT.
Give passwords by the environment: the arguments of a process can be read by others.
State, passphrase and config lie in .observatory/.`,
        );
    command.parse([...args], { from: "user" });
    const options = command.opts<Partial<StartFlags> & { readonly config?: readonly string[] }>();
    if (options.withData && !options.destroy) {
        throw contradiction(
            "--with-data belongs to --destroy",
            "npm start -- --destroy --with-data",
        );
    }
    if (options.demo && options.destroy) {
        throw contradiction("--demo and --destroy exclude each other", "give one of them");
    }
    return {
        target: options.target,
        demo: options.demo === true,
        destroy: options.destroy === true,
        withData: options.withData === true,
        yes: options.yes === true,
        json: options.json === true,
        config: parseAssignments(options.config ?? []),
    };
}

function contradiction(message: string, hint: string): TimescaleError {
    return new TimescaleError(message, { code: "invalid_option", hint });
}
