/**
 * What can be said of an aggregate's query without a server: is it one SELECT, does it bucket time,
 * does it call what must not be called. Comparing queries is left to the server's own normal form.
 */
import { type Interval, parseInterval } from "../interval";
import type { RuleCode } from "../rules/codes";

/** A query's text with comments dropped and the insides of quotes blanked, of the same length. */
export function blank(query: string): string {
    const spaces = (text: string): string => text.replace(/[^\n]/g, " ");
    let result = "";
    let at = 0;
    const take = (end: number, how: (text: string) => string): void => {
        result += how(query.slice(at, end));
        at = end;
    };
    while (at < query.length) {
        // Most of a query is neither quote nor comment: passed over in one go.
        const plain = query.slice(at).search(/[-/$'"]/);
        if (plain !== 0) take(plain === -1 ? query.length : at + plain, (t) => t);
        const rest = query.slice(at);
        // Within a name a dollar sign begins no quote.
        const dollar = /[A-Za-z0-9_$]/.test(result.at(-1) ?? "")
            ? null
            : /^\$([A-Za-z_][A-Za-z0-9_]*)?\$/.exec(rest);
        if (rest.startsWith("--")) {
            const end = rest.indexOf("\n");
            take(end === -1 ? query.length : at + end, spaces);
        } else if (rest.startsWith("/*")) {
            take(at + commentLength(rest), spaces);
        } else if (dollar !== null) {
            const end = rest.indexOf(dollar[0], dollar[0].length);
            take(
                end === -1 ? query.length : at + end + dollar[0].length,
                (t) => `'${spaces(t.slice(2))}'`,
            );
        } else if (rest.startsWith("'")) {
            const escapes = /(?<![A-Za-z0-9_])[eE]$/.test(result.slice(-2));
            take(at + quotedLength(rest, "'", escapes), (t) => `'${spaces(t.slice(2))}'`);
        } else if (rest.startsWith('"')) {
            take(at + quotedLength(rest, '"', false), (t) =>
                // Quoted or not, it is the same function.
                t === '"time_bucket"' ? t : `"${t.slice(2).replace(/[^\n]/g, "_")}"`,
            );
        } else {
            take(at + 1, (t) => t);
        }
    }
    return result;
}

/** Of a comment that begins the text. PostgreSQL's comments nest. */
export function commentLength(text: string): number {
    let depth = 0;
    for (let at = 0; at < text.length; at += 1) {
        if (text.startsWith("/*", at)) {
            depth += 1;
            at += 1;
        } else if (text.startsWith("*/", at)) {
            depth -= 1;
            at += 1;
            if (depth === 0) return at + 1;
        }
    }
    return text.length;
}

function quotedLength(text: string, quote: string, escapes: boolean): number {
    for (let at = 1; at < text.length; at += 1) {
        if (escapes && text[at] === "\\") at += 1;
        else if (text[at] === quote) {
            if (text[at + 1] === quote) at += 1;
            else return at + 1;
        }
    }
    return text.length;
}

/** A blanked text without trailing semicolons and white space. */
export function trimmed(shape: string): string {
    return shape.trimEnd().replace(/[\s;]+$/, "");
}

/** The query without a trailing semicolon and white space, ready to stand inside another statement. */
export function statementBody(query: string): string {
    const end = trimmed(blank(query)).length;
    // What follows on the same line would otherwise fall into a trailing comment.
    return query.slice(0, end).trimStart();
}

/**
 * Functions whose result depends on when, where or for whom they run, whatever their arguments; of
 * others, such as date_trunc, the server knows. The second group are words, no functions: they may
 * be a column behind a dot or a name behind AS.
 */
const mutableFunctions =
    /\b(now|random|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|gen_random_uuid|uuid_generate_v4|nextval|currval|txid_current|pg_backend_pid|current_setting|to_char)\s*\(|(?<!\.\s*|\bas\s+)\b(current_timestamp|current_date|current_time|localtimestamp|localtime|current_user|session_user|current_role|user)\b(?!\s*\.)/gi;

export interface QueryProblem {
    readonly rule: RuleCode;
    readonly message: string;
    readonly detail?: string;
    readonly hint: string;
}

/** Everything that is wrong with the text, as far as text can tell; the server says the rest. */
export function queryProblems(query: string): QueryProblem[] {
    const body = trimmed(blank(query));
    const problems: QueryProblem[] = [];
    if (body.trim() === "") {
        return [
            {
                rule: "empty_query",
                message: "the query is empty",
                hint: "write one SELECT over a hypertable, grouped by time_bucket",
            },
        ];
    }
    if (body.includes(";")) {
        problems.push({
            rule: "several_statements",
            message: "the query holds more than one statement",
            detail: `a second statement begins at line ${lineOfSecondStatement(body)}`,
            hint: "keep one SELECT; declare anything else as a resource of its own",
        });
    }
    const first = /^\s*\(*\s*([A-Za-z]+)/.exec(body)?.[1]?.toUpperCase();
    if (first === "WITH") {
        problems.push({
            rule: "common_table_expression",
            message: "the query begins with WITH",
            detail: "a continuous aggregate takes no common table expression",
            hint: "write the SELECT without it",
        });
    } else if (first !== "SELECT") {
        problems.push({
            rule: "not_a_select",
            message: "the query is not a SELECT",
            detail: `it begins with ${first ?? JSON.stringify(query.slice(body.search(/\S/)).slice(0, 20))}`,
            hint: "give only the SELECT; CREATE MATERIALIZED VIEW and its options are added",
        });
    }
    if (!/\btime_bucket"?\s*\(/i.test(body)) {
        problems.push({
            rule: "no_time_bucket",
            message: "the query has no time_bucket",
            detail: "a continuous aggregate groups by time_bucket over the hypertable's time column",
            hint: "select time_bucket('1 hour', <time column>) AS bucket and group by it",
        });
    }
    const mutable = [...body.matchAll(mutableFunctions)].map(
        ([, call, word]) => call ?? word ?? "",
    );
    for (const name of new Set(mutable.map((text) => text.toLowerCase()))) {
        problems.push({
            rule: "mutable_functions",
            message: `the query calls ${name}, whose result is not always the same`,
            detail: "buckets are computed at different times, so such a call freezes whatever it gave at the refresh",
            hint: "leave it out of the aggregate and filter when you query it",
        });
    }
    return problems;
}

function lineOfSecondStatement(body: string): number {
    const before = /^[^;]*[;\s]*/.exec(body)?.[0] ?? "";
    return before.split("\n").length;
}

/** The bucket width that the text gives, or `undefined` where only the server can tell. */
export function bucketWidth(query: string): Interval | undefined {
    return bucketOf(query)?.width;
}

export interface Bucket {
    readonly width: Interval;
    /** Whether buckets begin by the clock of a time zone, where days are not all of one length. */
    readonly inTimeZone: boolean;
}

/** The buckets that the text gives, or `undefined` where only the server can tell. */
export function bucketOf(query: string): Bucket | undefined {
    const shape = blank(query);
    const call = /\btime_bucket"?\s*\(\s*(?:bucket_width\s*(?:=>|:=)\s*)?(?:interval\s*)?'/i.exec(
        shape,
    );
    if (call === null) return undefined;
    const start = call.index + call[0].length;
    const end = shape.indexOf("'", start);
    const width = end === -1 ? undefined : parseInterval(query.slice(start, end));
    const [cast, ...others] = argumentsBehind(shape, end + 1);
    // Any arithmetic is the server's to do.
    if (width === undefined || !/^\s*(?:::\s*interval\s*)?$/i.test(cast ?? "")) return undefined;
    return { width, inTimeZone: others.some(isTimeZone) };
}

/** What is left of the call's first argument behind the string, and its further arguments. */
function argumentsBehind(shape: string, start: number): string[] {
    const found: string[] = [];
    let depth = 0;
    let from = start;
    for (let at = start; at < shape.length; at += 1) {
        const mark = shape[at] ?? "";
        if (depth === 0 && /[,)]/.test(mark)) {
            found.push(shape.slice(from, at));
            from = at + 1;
            if (mark === ")") break;
        }
        if (/[([]/.test(mark)) depth += 1;
        if (/[)\]]/.test(mark)) depth -= 1;
    }
    return found;
}

/** A bare string among time_bucket's arguments is a time zone: origins and offsets need their type. */
function isTimeZone(argument: string): boolean {
    return (
        /^\s*timezone\s*(?:=>|:=)/i.test(argument) ||
        /^\s*(?:text\s*)?'[^']*'\s*(?:::\s*text\s*)?$/i.test(argument)
    );
}
