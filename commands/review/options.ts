/** The command line of `npm run review`. */
import { Command } from "commander";

import { TimescaleError } from "../../components/timescale/core/errors";
import { stackName } from "../database/stackName";

export interface ReviewOptions {
    /** What to review. */
    readonly source:
        | { readonly kind: "file"; readonly path: string }
        | { readonly kind: "input" }
        | { readonly kind: "stack"; readonly name: string; readonly destroy: boolean };
    readonly json: boolean;
    /** Files that get the review as well. */
    readonly markdownFile: string | undefined;
    readonly jsonFile: string | undefined;
    /** Where readers of the comment find the JSON. */
    readonly whole: string | undefined;
}

interface Flags {
    readonly stack: string;
    readonly destroy: boolean;
    readonly json: boolean;
    readonly out: string;
    readonly jsonOut: string;
    readonly link: string;
}

/**
 * Reads the arguments after `npm run review --`. With `--help` or a wrong option the process ends here, as
 * commander has it.
 *
 * @throws TimescaleError when the options contradict each other
 */
export function parseOptions(args: readonly string[]): ReviewOptions {
    const command = new Command("npm run review --")
        .description(
            "Renders a preview as a comment for a pull request: the verdict first, then each object with what is at stake, its changes, and the plan.",
        )
        .argument(
            "[preview]",
            "file with what PULUMI_TIMESCALE_PLANS=json pulumi preview --json wrote (default: standard input)",
        )
        .option(
            "--stack <name>",
            "run the preview itself: docker, external or embedded of npm start, one that a deploy has named, or a stack of the plain CLI",
            stackName,
        )
        .option(
            "--destroy",
            "with --stack: review pulumi destroy --exclude-protected, not up: what would go, with its rows",
        )
        .option("--json", "print the review as JSON instead of Markdown")
        .option("--out <file>", "write the Markdown to a file as well")
        .option("--json-out <file>", "write the JSON to a file as well")
        .option("--link <address>", "https address of the JSON, named in the comment")
        .addHelpText(
            "after",
            `
Nothing is changed, and no option approves a change. Secrets do not come out. With --stack, the database is
asked how many rows go with what is deleted, read-only and for a minute at most.

Exit code: 0 no change, 2 changes that lose nothing, 3 destructive, 4 something was not compared with the
live database, 5 up would refuse something, 1 the preview failed or cannot be read. The gravest counts:
1, 3, 5, 4, 2.`,
        );
    command.parse([...args], { from: "user" });
    const { stack, destroy = false, json, out, jsonOut, link } = command.opts<Partial<Flags>>();
    const [path] = command.args;
    if (stack !== undefined && path !== undefined) {
        throw new TimescaleError("a file and --stack name two previews", {
            code: "invalid_option",
            detail: `the file is ${path}, the stack ${stack}`,
            hint: "leave one of the two out",
        });
    }
    if (destroy && stack === undefined) {
        throw new TimescaleError("--destroy needs --stack", {
            code: "invalid_option",
            detail: "pulumi destroy is previewed by this command itself",
            hint: "name the stack: npm run review -- --stack prod --destroy",
        });
    }
    const source =
        stack !== undefined
            ? ({ kind: "stack", name: stack, destroy } as const)
            : path === undefined || path === "-"
              ? ({ kind: "input" } as const)
              : ({ kind: "file", path } as const);
    return { source, json: json === true, markdownFile: out, jsonFile: jsonOut, whole: link };
}
