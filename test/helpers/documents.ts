/** What the pages for operators say, taken apart: fenced blocks, commands in the text, tables. */
import { readFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(__dirname, "../..");

export const operationsPages = [
    "docs/operations.md",
    "docs/operations/original.md",
    "docs/operations/troubleshooting.md",
    "docs/operations/capacity.md",
] as const;

export interface Block {
    /** Such as `docs/operations.md:12`. */
    readonly where: string;
    /** `sql`, `sh`, or empty. */
    readonly language: string;
    /** What follows the language: in which role, how it is tested. */
    readonly info: string;
    readonly text: string;
}

export function page(file: string): string {
    return readFileSync(path.join(root, file), "utf8");
}

export function blocksOf(file: string): readonly Block[] {
    const text = page(file);
    return [...text.matchAll(/^```(\w*) ?(.*)\n([\s\S]*?)^```$/gm)].map(
        ({ index, 1: language = "", 2: info = "", 3: body = "" }) => ({
            where: `${file}:${text.slice(0, index).split("\n").length}`,
            language,
            info,
            text: body,
        }),
    );
}

export const blocks = operationsPages.flatMap(blocksOf);

/** Each on its own: the server takes some only alone. */
export function statementsOf({ text }: Block): readonly string[] {
    return text
        .split(/;[ \t]*(?:\n|$)/)
        .map((statement) => statement.trim())
        .filter((statement) => statement !== "");
}

export interface ShellCommand {
    readonly where: string;
    readonly line: string;
    /** Words, without variables in front. */
    readonly words: readonly string[];
}

export function commandsOf({ where, text }: Pick<Block, "where" | "text">): ShellCommand[] {
    return text
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "" && !line.startsWith("#"))
        .map((line) => ({ where, line, words: wordsOf(line) }));
}

const programs = /^(?:npm|docker|pulumi|psql|pg_dump|pg_restore|createdb) \S/;

/** Commands that stand in the text, such as `npm run status`. */
export function inlineCommands(file: string): readonly ShellCommand[] {
    const text = page(file).replace(/^```[\s\S]*?^```$/gm, "");
    return [...text.matchAll(/`([^`\n]+)`/g)]
        .map(([, code = ""]) => code)
        .filter((code) => programs.test(code))
        .map((line) => ({ where: file, line, words: wordsOf(line) }));
}

/** Double quotes are the only ones that these pages use. */
function wordsOf(line: string): readonly string[] {
    const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(
        ([, quoted, plain]) => quoted ?? plain ?? "",
    );
    const first = words.findIndex((word) => !/^[A-Z_]+=/.test(word));
    return words.slice(first);
}

/** Cells of the table below a heading, without its head. */
export function tableBelow(file: string, heading: string, nth = 0): readonly string[][] {
    const section = page(file).split(`\n## ${heading}\n`)[1]?.split(/\n## /)[0];
    if (section === undefined) throw new Error(`${file} has no section ${heading}`);
    const tables = section
        .split(/\n(?!\|)/)
        .map((part) => part.split("\n").filter((line) => line.startsWith("|")))
        .filter((lines) => lines.length > 2);
    const lines = tables[nth];
    if (lines === undefined) throw new Error(`${heading} in ${file} has no table ${nth}`);
    return lines.slice(2).map((line) =>
        line
            .slice(1, -1)
            .split("|")
            .map((cell) => cell.trim()),
    );
}

/** What stands between backticks. */
export function codeIn(cell: string | undefined): readonly string[] {
    return [...(cell ?? "").matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
}
