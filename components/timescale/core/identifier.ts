/** Quoting of names and literals for the statements that cannot take bound parameters. */
import { escapeIdentifier, escapeLiteral } from "pg";

/** A relation's place: schema and name as PostgreSQL stores them, unquoted. */
export interface QualifiedName {
    readonly schema: string;
    readonly name: string;
}

/** `"schema"."name"`, always quoted, so that no name needs to be special. */
export function quoteQualified({ schema, name }: QualifiedName): string {
    return `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`;
}

/** `schema.name` for people, quoted only where PostgreSQL would need it. */
export function displayName({ schema, name }: QualifiedName): string {
    return `${displayIdentifier(schema)}.${displayIdentifier(name)}`;
}

/** A name for people, quoted only where PostgreSQL would need it. */
export function displayIdentifier(name: string): string {
    return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : escapeIdentifier(name);
}

/** The name that a text means by a word: quotes are none of it. */
export function unquote(identifier: string): string {
    return identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier;
}

/** As PostgreSQL reads what is not quoted: in a UTF-8 database it folds the letters of ASCII alone. */
export function foldCase(text: string): string {
    return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** PostgreSQL cuts longer names without a word (NAMEDATALEN - 1). */
export const maximumIdentifierBytes = 63;

/** Cut so far that the suffix is kept: PostgreSQL would cut the end of a longer name without a word. */
export function withSuffix(name: string, suffix: string): string {
    return `${cutTo(name, maximumIdentifierBytes - suffix.length)}${suffix}`;
}

/** The longest beginning of whole letters that takes no more bytes. */
export function cutTo(name: string, bytes: number): string {
    return Buffer.from(name, "utf8")
        .subarray(0, bytes)
        .toString("utf8")
        .replace(/\uFFFD+$/, "");
}

/** What is wrong with a name, or `undefined`. Names that need quoting are fine. */
export function identifierProblem(name: unknown): string | undefined {
    if (typeof name !== "string") return "must be a string";
    if (name === "") return "must not be empty";
    if (name.includes("\0")) return "must not contain a NUL character";
    const bytes = Buffer.byteLength(name, "utf8");
    if (bytes > maximumIdentifierBytes) {
        return `is ${bytes} bytes long; PostgreSQL keeps ${maximumIdentifierBytes} and would cut the rest`;
    }
    return undefined;
}

/** With a tag that the text does not hold: a name may hold anything. */
export function dollarQuoted(text: string): string {
    let tag = "$mark$";
    while (text.includes(tag)) tag = `${tag.slice(0, -1)}_$`;
    return `${tag}${text}${tag}`;
}

export { escapeIdentifier, escapeLiteral };
