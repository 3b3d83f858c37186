/** Values as TypeScript, laid out as Prettier does it at 100 columns. */

/** Code that stands where a value is expected. */
export class Expression {
    constructor(readonly code: string) {}
}

export type Value =
    string | number | boolean | Expression | readonly Value[] | { readonly [key: string]: Value };

const width = 100;
const tab = 4;
/** A value moves below its key only where that gains more than this. */
const shortKey = tab + 3;

/** How wide a text is on a terminal: ideographs take two columns. */
function columns(text: string): number {
    const wide =
        /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/g;
    return Array.from(text).length + (text.match(wide)?.length ?? 0);
}

export function indent(level: number): string {
    return " ".repeat(level * tab);
}

/**
 * @param level of the line that the value begins on
 * @param column where it begins
 */
export function printValue(value: Value, level: number, column: number): string {
    const flat = printFlat(value);
    // A comma follows.
    if (flat !== undefined && column + columns(flat) + 1 <= width) return flat;
    if (value instanceof Expression || typeof value !== "object") return flat ?? "";
    const inner = indent(level + 1);
    const lines = isList(value)
        ? value.map((entry) => `${inner}${printValue(entry, level + 1, inner.length)},`)
        : Object.entries(value).map(([key, entry]) => printProperty(key, entry, level + 1));
    const [open, close] = isList(value) ? ["[", "]"] : ["{", "}"];
    return [open, ...lines, `${indent(level)}${close}`].join("\n");
}

/** An object with one property a line, however short: Prettier leaves it so. */
export function printProperties(
    properties: Readonly<Record<string, Value>>,
    level: number,
): string {
    const lines = Object.entries(properties).map(([key, value]) =>
        printProperty(key, value, level + 1),
    );
    return ["{", ...lines, `${indent(level)}}`].join("\n");
}

function printProperty(key: string, value: Value, level: number): string {
    if (value instanceof Expression && value.code === key) return `${indent(level)}${key},`;
    const start = `${indent(level)}${key}: `;
    const printed = printValue(value, level, start.length);
    const tooLong = columns(start) + columns(printed) + 1 > width;
    return typeof value === "string" && tooLong && key.length >= shortKey
        ? `${start.trimEnd()}\n${indent(level + 1)}${printed},`
        : `${start}${printed},`;
}

/** On one line; undefined where Prettier never puts it on one. */
function printFlat(value: Value): string | undefined {
    if (value instanceof Expression) return value.code;
    if (typeof value === "string") return printString(value);
    if (typeof value !== "object") return String(value);
    if (isList(value)) {
        const entries = value.map(printFlat);
        if (entries.includes(undefined) || breaksAlways(value)) return undefined;
        return `[${entries.join(", ")}]`;
    }
    const entries = Object.entries(value).map(([key, entry]) => {
        const printed = printFlat(entry);
        if (printed === undefined) return undefined;
        return printed === key && entry instanceof Expression ? key : `${key}: ${printed}`;
    });
    if (entries.includes(undefined)) return undefined;
    return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}

/** A list of several objects, each with several keys, is easier to read one below the other. */
function breaksAlways(list: readonly Value[]): boolean {
    return (
        list.length > 1 &&
        list.every(
            (entry) =>
                typeof entry === "object" &&
                !(entry instanceof Expression) &&
                !isList(entry) &&
                Object.keys(entry).length > 1,
        )
    );
}

function isList(value: Value): value is readonly Value[] {
    return Array.isArray(value);
}

/** In the quotes that need fewer escapes. */
export function printString(text: string): string {
    const count = (quote: string): number => text.split(quote).length - 1;
    const quote = count('"') > count("'") ? "'" : '"';
    const escaped = text.replace(/[\\\p{Cc}\u2028\u2029]/gu, (character) => {
        const known = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" }[character];
        return known ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
    });
    return `${quote}${escaped.replaceAll(quote, `\\${quote}`)}${quote}`;
}

/** A statement that calls with plain names, on one line or on several. */
export function printCall(callee: string, names: readonly string[], level: number): string {
    const flat = `${callee}(${names.join(", ")})`;
    if (level * tab + columns(flat) + 1 <= width) return flat;
    const inner = indent(level + 1);
    return [`${callee}(`, ...names.map((name) => `${inner}${name},`), `${indent(level)})`].join(
        "\n",
    );
}

/** What a name says in a comment: on one line, and unable to end it. */
export function inComment(text: string): string {
    return text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
}
