/**
 * The head of a CREATE FUNCTION text: what it makes and under which name. The rest is the server's
 * to read.
 */
import { foldCase, type QualifiedName, unquote } from "../identifier";
import { blank, trimmed } from "../query/query";

export interface FunctionHead {
    /** As the text has it; undefined where the text leaves it to the search path. */
    readonly schema: string | undefined;
    readonly name: string;
    /** What stands between the parentheses, as written. */
    readonly parameters: string;
    /** Everything behind the name, from the opening parenthesis, without a trailing semicolon. */
    readonly rest: string;
}

export interface HeadProblem {
    readonly message: string;
    readonly detail?: string | undefined;
    readonly hint: string;
}

const identifier = String.raw`(?:"_+"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)`;
const begins = /^\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:(TEMP|TEMPORARY)\s+)?([A-Za-z]+)\s*/i;
const named = new RegExp(String.raw`^(?:(${identifier})\s*\.\s*)?(${identifier})\s*(?=\()`);

/** @returns the head, or every problem that the text alone can tell */
export function parseHead(text: string): FunctionHead | readonly HeadProblem[] {
    // Quoted names come as underscores, so that every offset is one of the text.
    const shape = blank(text);
    const begin = begins.exec(shape);
    const kind = begin?.[2]?.toUpperCase();
    if (begin === null || kind !== "FUNCTION" || begin[1] !== undefined)
        return [notFunction(text, kind, begin?.[1])];
    const start = begin[0].length;
    const name = named.exec(shape.slice(start));
    if (name === null) {
        return [
            {
                message: "the definition names no function",
                detail: `behind FUNCTION stands ${JSON.stringify(text.slice(start, start + 20))}`,
                hint: "write CREATE FUNCTION name(arguments) RETURNS type LANGUAGE … AS …",
            },
        ];
    }
    const whole = name[0];
    const last = name[2] ?? "";
    const nameAt = start + whole.trimEnd().length - last.length;
    const open = start + whole.length;
    const close = closing(shape, open);
    const end = trimmed(shape).length;
    const second = secondStatement(shape.slice(0, end), close ?? open);
    if (close === undefined) {
        return [
            {
                message: "the parameters of the function have no end",
                hint: "close the parenthesis behind the last parameter",
            },
        ];
    }
    if (second !== undefined) {
        return [
            {
                message: "the definition holds more than one statement",
                detail: `a second statement begins at line ${text.slice(0, second).split("\n").length}`,
                hint: "keep one CREATE FUNCTION; declare anything else as a resource of its own",
            },
        ];
    }
    const schema = name[1];
    return {
        schema: schema === undefined ? undefined : folded(text.slice(start, start + schema.length)),
        name: folded(text.slice(nameAt, nameAt + last.length)),
        parameters: text.slice(open + 1, close),
        rest: text.slice(open, end),
    };
}

export function isHead(parsed: ReturnType<typeof parseHead>): parsed is FunctionHead {
    return "name" in parsed;
}

/** The statement with another name in its head. @param name quoted */
export function createFunction(verb: string, name: string, { rest }: FunctionHead): string {
    return `${verb} FUNCTION ${name}${rest}`;
}

/** The name it is created under. */
export function nameIn(head: FunctionHead, schema: string): QualifiedName {
    return { schema: head.schema ?? schema, name: head.name };
}

const others: Readonly<Record<string, string>> = {
    PROCEDURE: "a procedure",
    AGGREGATE: "an aggregate",
};

function notFunction(
    text: string,
    kind: string | undefined,
    temporary: string | undefined,
): HeadProblem {
    const what = temporary === undefined ? others[kind ?? ""] : "a temporary object";
    if (what !== undefined) {
        return {
            message: `the definition makes ${what}`,
            detail: "a SqlFunction declares one function that stays",
            hint: "give a CREATE FUNCTION; make anything else by hand or in a migration",
        };
    }
    return {
        message: "the definition is no CREATE FUNCTION",
        detail: `it begins with ${JSON.stringify(text.trimStart().slice(0, 20))}`,
        hint: "give the whole CREATE FUNCTION text, from its first word to its body",
    };
}

/** Where the parenthesis that opens at `open` closes. */
function closing(shape: string, open: number): number | undefined {
    let depth = 0;
    for (let at = open; at < shape.length; at += 1) {
        if (shape[at] === "(") depth += 1;
        if (shape[at] === ")") depth -= 1;
        if (depth === 0) return at;
    }
    return undefined;
}

/** Where a statement begins behind the first one; the semicolons of a BEGIN ATOMIC body end none. */
function secondStatement(shape: string, from: number): number | undefined {
    let depth = 0;
    for (const found of shape.slice(from).matchAll(/\bBEGIN\s+ATOMIC\b|\bCASE\b|\bEND\b|;/gi)) {
        const word = found[0].toUpperCase();
        if (word === ";") {
            if (depth > 0) continue;
            const next = from + found.index + 1;
            return next + (/^\s*/.exec(shape.slice(next))?.[0].length ?? 0);
        }
        if (word === "END") depth = Math.max(0, depth - 1);
        else if (depth > 0 || word.startsWith("BEGIN")) depth += 1;
    }
    return undefined;
}

/** As PostgreSQL stores it. */
function folded(name: string): string {
    return name.startsWith('"') ? unquote(name) : foldCase(name);
}

/**
 * The types of the parameters that tell overloads apart, as written but for case, spacing, names and
 * defaults. Only for telling two declarations apart before there is a server: that one knows.
 */
export function parameterTypes({ parameters }: FunctionHead): string[] {
    const shape = blank(parameters);
    const parts: string[] = [];
    let depth = 0;
    let begin = 0;
    for (let at = 0; at <= shape.length; at += 1) {
        const character = shape[at];
        if (character === "(" || character === "[") depth += 1;
        if (character === ")" || character === "]") depth -= 1;
        if (character === undefined || (character === "," && depth === 0)) {
            const part = shape.slice(begin, at).search(/\bDEFAULT\b|=/i);
            const end = part === -1 ? at : begin + part;
            parts.push(plainText(parameters, shape, begin, end));
            begin = at + 1;
        }
    }
    return parts.filter((part) => part !== "" && !/^out\s/i.test(part)).map(typeOf);
}

/** Without comments, which are blank in the shape; quoted names are not. */
function plainText(text: string, shape: string, begin: number, end: number): string {
    let plain = "";
    for (let at = begin; at < end; at += 1) plain += shape[at] === " " ? " " : (text[at] ?? "");
    return plain.replace(/:$/, "").replace(/\s+/g, " ").trim();
}

/** Types of several words, which begin with no parameter's name. */
const longTypes =
    /^(?:double precision|character varying|bit varying|national character|(?:time|timestamp)(?:\s*\(\d\))? with(?:out)? time zone)/i;

/** A parameter's name, quoted or not, before its type. */
const parameterName = /^(?:"(?:[^"]|"")*"|[^\s"(]+) (?=[^\s([])/;

function typeOf(parameter: string): string {
    const bare = parameter.replace(/^(?:in|inout|variadic)\s+(?=\S)/i, "");
    const type = longTypes.test(bare) ? bare : bare.replace(parameterName, "");
    return type.replace(/"[^"]*"|[^"]+/g, (part) =>
        part.startsWith('"') ? part : part.toLowerCase(),
    );
}
