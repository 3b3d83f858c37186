/**
 * Text from a preview inside Markdown, such that it stays text: a name or a comment in a database can hold
 * backticks, pipes, HTML or `@somebody`, and a pull request shows whatever gets out of its place.
 */

/** Left as they are outside of a fence; every other ASCII character becomes an entity, which no Markdown reads. */
const special =
    /[^A-Za-z0-9 .,;()+=/%'"\u0080-\u{10ffff}:_-]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|(?<!\d):(?! |$)|:(?! |$|\d\d(?!\d))/gu;

/** Line and paragraph separators, controls, and what turns the direction of text around. */
const unseen =
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** An invisible character, between `@`, `#` or `:` and what they would make a mention, a link or a picture of. */
const apart = "&#8203;";

/** Everything on one line, longest first cut in the middle, where names differ least. */
export function oneLine(text: string, longest = 400): string {
    const line = visible(text).replace(/\s+/g, " ").trim();
    if (line.length <= longest) return line;
    const end = Math.floor(longest / 4);
    return `${whole(line.slice(0, longest - end - 1))}…${whole(line.slice(-end))}`;
}

/** Prose in a line, a list or a table cell. */
export function prose(text: string, longest?: number): string {
    return entities(oneLine(text, longest)).replace(/(&#(?:64|35|58);)/g, `$1${apart}`);
}

/** Code in a line, a list, a table cell or a summary. */
export function code(text: string, longest?: number): string {
    return `<code>${entities(oneLine(text, longest)) || " "}</code>`;
}

function entities(line: string): string {
    return line.replace(special, (character) => `&#${character.codePointAt(0)};`);
}

/** A block of code that nothing inside it can end. */
export function fence(text: string, language: string): string {
    const lines = visible(text).trimEnd();
    const longest = Math.max(0, ...[...lines.matchAll(/`+/g)].map(([run]) => run.length));
    const ticks = "`".repeat(Math.max(3, longest + 1));
    return `${ticks}${language}\n${lines}\n${ticks}`;
}

/** @param summary Markdown that is safe already */
export function folded(summary: string, body: string): string {
    return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}

/** @param rows cells that are safe already */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
    const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
    return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** What cannot be seen, spelled out; line breaks and tabs stay. */
function visible(text: string): string {
    return wellFormed(text.replace(/\r\n?/g, "\n")).replace(
        unseen,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
}

/** Without halves of characters, which no file can hold. */
export function wellFormed(text: string): string {
    return text.replace(/[\ud800-\udfff]/gu, "\ufffd");
}

/** Without half a character at either end. */
function whole(part: string): string {
    return part.replace(/^[\udc00-\udfff]/, "").replace(/[\ud800-\udbff]$/, "");
}
