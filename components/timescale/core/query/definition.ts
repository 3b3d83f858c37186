/**
 * What a query in the server's own words says of its columns. Only texts that pg_get_viewdef printed
 * are read here: their spelling is the server's, so that nothing has to be guessed.
 */
import { unquote } from "../identifier";
import { blank } from "./query";

export interface SelectedColumn {
    readonly name: string;
    /** Without its alias, such as `sum((requests.tokens)::bigint)`. */
    readonly expression: string;
}

export interface Definition {
    readonly columns: readonly SelectedColumn[];
    /** From FROM on, up to GROUP BY. */
    readonly source: string;
    /** From GROUP BY on; empty where there is none. */
    readonly grouping: string;
}

/**
 * @param definition as pg_get_viewdef prints an aggregate's query
 * @param names of its columns, in order
 */
export function parseDefinition(definition: string, names: readonly string[]): Definition {
    const shape = blank(definition);
    const start = /^\s*SELECT\s+/.exec(shape)?.[0].length ?? 0;
    const from = topLevel(shape, /FROM\s/y, start) ?? shape.length;
    const group = topLevel(shape, /(?:GROUP BY|HAVING|ORDER BY)\s/y, from) ?? shape.length;
    const items = splitAt(definition.slice(start, from), shape.slice(start, from));
    return {
        columns: names.map((name, at) => ({ name, expression: withoutAlias(items[at] ?? "") })),
        source: oneLine(definition.slice(from, group)),
        grouping: oneLine(definition.slice(group)).replace(/;\s*$/, ""),
    };
}

/** Where the words stand outside of any parentheses. */
function topLevel(shape: string, words: RegExp, start: number): number | undefined {
    let depth = 0;
    for (let at = start; at < shape.length; at += 1) {
        const mark = shape[at] ?? "";
        if (/[([]/.test(mark)) depth += 1;
        if (/[)\]]/.test(mark)) depth -= 1;
        words.lastIndex = at;
        if (depth === 0 && /\s/.test(shape[at - 1] ?? " ") && words.test(shape)) return at;
    }
    return undefined;
}

/** Parts between commas outside of any parentheses. */
export function splitAt(text: string, shape: string = blank(text)): string[] {
    const parts: string[] = [];
    let depth = 0;
    let from = 0;
    for (let at = 0; at < shape.length; at += 1) {
        const mark = shape[at] ?? "";
        if (/[([]/.test(mark)) depth += 1;
        if (/[)\]]/.test(mark)) depth -= 1;
        if (depth === 0 && mark === ",") {
            parts.push(text.slice(from, at).trim());
            from = at + 1;
        }
    }
    return [...parts, text.slice(from).trim()];
}

function withoutAlias(item: string): string {
    const alias = /\s+AS\s+(?:"(?:[^"]|"")+"|[\w$]+)$/.exec(item);
    return oneLine(alias === null ? item : item.slice(0, alias.index));
}

function oneLine(text: string): string {
    return text.trim().replace(/\s*\n\s*/g, " ");
}

/** The bucket's column and the call that gives it; undefined where the query selects no bucket. */
export function bucketColumn({ columns }: Definition): SelectedColumn | undefined {
    return columns.find(({ expression }) => /^(?:[\w"]+\.)?time_bucket\(/.test(expression));
}

/** The same call over another column. @param call such as `time_bucket('01:00:00'::interval, t.ts)` */
export function bucketOver(call: string, column: string): string {
    const open = call.indexOf("(");
    const [width, , ...others] = splitAt(call.slice(open + 1, call.lastIndexOf(")")));
    return `${call.slice(0, open)}(${[width, column, ...others].join(", ")})`;
}

/**
 * A query that reads another relation instead, with every column named after it.
 *
 * @param was name of the relation as the server quotes it
 * @param will the same
 */
export function readInstead(
    definition: string,
    was: { readonly schema: string; readonly name: string },
    will: { readonly schema: string; readonly name: string },
): string {
    const tokens =
        definition.match(/\s+|"(?:[^"]|"")+"|'(?:[^']|'')*'|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|./gs) ?? []; // prettier-ignore
    const means = (token: string | undefined, name: string): boolean =>
        token !== undefined && unquote(token) === name;
    const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
    return tokens
        .map((token, at) => {
            if (
                means(token, was.schema) &&
                tokens[at + 1] === "." &&
                means(tokens[at + 2], was.name)
            ) {
                return quoted(will.schema);
            }
            if (!means(token, was.name)) return token;
            const qualified = tokens[at - 1] === "." && means(tokens[at - 2], was.schema);
            const qualifier = tokens[at + 1] === "." && tokens[at - 1] !== ".";
            const relation = /^(?:FROM|JOIN)$/.test(wordBefore(tokens, at));
            if (qualified || qualifier) return quoted(will.name);
            return relation ? `${quoted(will.schema)}.${quoted(will.name)}` : token;
        })
        .join("");
}

/** Parentheses around a join are passed over. */
function wordBefore(tokens: readonly string[], at: number): string {
    const before = tokens.slice(0, at).filter((token) => token.trim() !== "" && token !== "(");
    return before.at(-1) ?? "";
}
