/**
 * The body of a function as a sequence of words: comments, spacing, the case of what is not quoted
 * and quotes around plain names are gone, literals are as they were written. For bodies that the
 * server keeps as text and does not print in its own words.
 */
import { foldCase, unquote } from "../identifier";
import { commentLength } from "../query/query";

/** A quoted word that reads the same without its quotes only where the server reserves no such word. */
const reserved = new Set(
    `all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both
     case cast char character check coalesce collate collation column concurrently constraint create cross
     current_catalog current_date current_role current_schema current_time current_timestamp current_user dec
     decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign
     freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect
     interval into is isnull join json json_array json_arrayagg json_object json_objectagg json_query json_scalar
     json_serialize json_table json_value lateral leading least left like limit localtime localtimestamp
     merge_action national natural nchar none normalize not notnull null nullif numeric offset on only or order
     out outer overlaps overlay placing position precision primary real references returning right row select
     session_user setof similar smallint some substring symmetric system_user table tablesample then time
     timestamp to trailing treat trim true union unique user using values varchar variadic verbose when where
     window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot
     xmlserialize xmltable`.split(/\s+/),
);

const literals = [
    // With a prefix it is one word: E'…', B'…', X'…', N'…', U&'…'.
    /^[eE]'(?:[^'\\]|''|\\[\s\S])*'?/,
    /^(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'?/,
    /^\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$[\s\S]*?(?:\$\1\$|$)/,
    /^[uU]&"(?:[^"]|"")*"?/,
] as const;

const patterns = {
    space: /^\s+/,
    line: /^--[^\n]*/,
    word: /^[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/,
    quoted: /^"(?:[^"]|"")*"?/,
    number: /^\d+(?:\.(?!\.)\d*)?(?:[eE][+-]?\d+)?/,
    parameter: /^\$\d+/,
    operator: /^(?:(?!--|\/\*)[-+*/<>=~!@#%^&|`?:])+/,
} as const;

export function lexicalWords(body: string): string[] {
    const words: string[] = [];
    let at = 0;
    while (at < body.length) {
        const rest = body.slice(at);
        const skipped =
            (patterns.space.exec(rest) ?? patterns.line.exec(rest))?.[0].length ??
            (rest.startsWith("/*") ? commentLength(rest) : 0);
        if (skipped > 0) {
            at += skipped;
            continue;
        }
        const literal = literals
            .map((pattern) => pattern.exec(rest)?.[0])
            .find((found) => found !== undefined);
        const [text, word] = literal === undefined ? nextWord(rest) : [literal, literal];
        words.push(word);
        at += text.length;
    }
    return words;
}

/** The same text for bodies that differ in spelling alone. */
export function lexicalForm(body: string): string {
    return lexicalWords(body).join(" ");
}

/**
 * The names that are written with their schema. What a body finds without one depends on who calls
 * it, so two bodies that are the same to the server are not the same where these differ.
 */
export function qualifiedNames(body: string, schemas: readonly string[]): string[] {
    const words = lexicalWords(body).map(unquote);
    const known = new Set(schemas);
    const found = words.flatMap((word, at) =>
        words[at + 1] === "." && words[at - 1] !== "." && known.has(word)
            ? [`${word}.${words[at + 2] ?? ""}`]
            : [],
    );
    return [...new Set(found)].sort();
}

/** What stands in the text, and what it counts as. */
function nextWord(rest: string): readonly [string, string] {
    const word = patterns.word.exec(rest)?.[0];
    if (word !== undefined) return [word, foldCase(word)];
    const quoted = patterns.quoted.exec(rest)?.[0];
    if (quoted !== undefined) {
        const inside = quoted.slice(1, -1);
        const plain = /^[a-z_][a-z0-9_$]*$/.test(inside) && !reserved.has(inside);
        return [quoted, plain && quoted.endsWith('"') ? inside : quoted];
    }
    const other =
        patterns.parameter.exec(rest)?.[0] ??
        patterns.number.exec(rest)?.[0] ??
        patterns.operator.exec(rest)?.[0] ??
        rest.slice(0, 1);
    return [other, foldCase(other)];
}
