/** The command line of `npm run forge`. */
import { Command, InvalidArgumentError } from "commander";

export interface CommentOptions {
    readonly command: "comment";
    readonly pr: number;
    /** Full id of the commit that was previewed. */
    readonly head: string;
    /** `project/stack`. */
    readonly stack: string;
    /** Markdown and JSON of `npm run review`; a file that is not there says that the preview failed. */
    readonly markdown: string;
    readonly review: string;
    /** Where the run and its artefacts are. */
    readonly link: string | undefined;
}

export interface GateOptions {
    readonly command: "gate";
    readonly pr: number;
    readonly head: string;
    readonly stack: string;
    readonly review: string;
    readonly label: string;
}

export interface IssueOptions {
    readonly command: "issue";
    readonly stack: string;
    readonly markdown: string;
    readonly review: string;
    readonly link: string | undefined;
}

export interface SameOptions {
    readonly command: "same";
    readonly reviewed: string;
    readonly now: string;
}

export interface ConfirmOptions {
    readonly command: "confirm";
    readonly typed: string;
    readonly stack: string;
}

export type ForgeOptions =
    CommentOptions | GateOptions | IssueOptions | SameOptions | ConfirmOptions;

/**
 * Reads the arguments after `npm run forge --`. With `--help` or a wrong option the process ends here, as commander
 * has it.
 */
export function parseOptions(args: readonly string[]): ForgeOptions {
    let chosen: ForgeOptions | undefined;
    const program = new Command("npm run forge --")
        .description("Posts reviews to GitHub, and holds the gate of a pull request.")
        .addHelpText(
            "after",
            `
Repository and login come from GITHUB_REPOSITORY, GITHUB_TOKEN and GITHUB_API_URL.
Exit code: 0 done, or the gate is open; 1 it failed, or the gate is closed.`,
        );
    const add = (command: ForgeOptions["command"], description: string): Command =>
        program
            .command(command)
            .description(description)
            .action((options: object) => {
                // Commander has made sure of every option that is required.
                chosen = { command, ...options } as ForgeOptions;
            });
    const review = ["--review <file>", "JSON that npm run review wrote"] as const;
    const markdown = ["--markdown <file>", "Markdown that npm run review wrote"] as const;
    const stack = ["--stack <name>", "project/stack", parseStack] as const;
    const link = ["--link <address>", "https address of the run with the artefacts"] as const;
    const pr = ["--pr <number>", "number of the pull request", parseNumber] as const;
    const head = [
        "--head <commit>",
        "full id of the commit that was previewed",
        parseCommit,
    ] as const;

    add("comment", "writes the stack's comment on a pull request, or the one that is there anew")
        .requiredOption(...pr)
        .requiredOption(...head)
        .requiredOption(...stack)
        .requiredOption(...markdown)
        .requiredOption(...review)
        .option(...link);
    add(
        "gate",
        "fails unless the review is harmless, or a person has approved it since it was shown",
    )
        .requiredOption(...pr)
        .requiredOption(...head)
        .requiredOption(...stack)
        .requiredOption(...review)
        .requiredOption("--label <name>", "label by which a person approves");
    add("issue", "opens, updates or closes the one issue that tells of a stack's drift")
        .requiredOption(...stack)
        .requiredOption(...markdown)
        .requiredOption(...review)
        .option(...link);
    add(
        "same",
        "fails where a preview is graver, or changes other objects, than the one that was reviewed",
    )
        .requiredOption("--reviewed <file>", "JSON of the review that people have seen")
        .requiredOption("--now <file>", "JSON of the review of just now");
    add("confirm", "fails unless somebody has typed what is destroyed")
        .requiredOption("--typed <text>", "what was typed")
        .requiredOption(...stack);
    program.parse([...args], { from: "user" });
    return chosen ?? program.help({ error: true });
}

function parseNumber(text: string): number {
    if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
    throw new InvalidArgumentError("it is no number of a pull request");
}

function parseCommit(text: string): string {
    if (/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(text)) return text;
    throw new InvalidArgumentError("it is no full commit id");
}

function parseStack(text: string): string {
    if (/^[\w.-]+\/[\w.-]+$/.test(text)) return text;
    throw new InvalidArgumentError("a stack is project/stack, such as llm-observatory/prod");
}
