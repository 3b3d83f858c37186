/**
 * The columns of a query's output, from its text alone: enough to tell what a column is without a
 * server. What cannot be told is left out, so that no rule fires on a guess.
 */
import { foldCase, unquote } from "../identifier";
import { blank, trimmed } from "../query/query";

export interface SelectItem {
    /** The expression without its label, with comments dropped and the insides of quotes blanked. */
    readonly shape: string;
    /** As PostgreSQL stores it; undefined where the text does not tell. */
    readonly name: string | undefined;
    /** Whether the server would call it `?column?`. */
    readonly unnamed: boolean;
}

const word = String.raw`"[^"]*"|[A-Za-z_\x80-\uffff][\w$\x80-\uffff]*`;

/** Words that end an expression, or go on behind it, and are no label. */
const noLabel = new Set(
    (
        "and or not is in like ilike similar between from collate at zone distinct all any some case when then " +
        "else end over within filter null true false isnull notnull using interval time timestamp date"
    ).split(" "),
);

/** In order; empty where the text is no SELECT. */
export function selectList(query: string): SelectItem[] {
    const shape = trimmed(blank(query));
    const head = /^\s*\(*\s*select\s+(?:(?:all|distinct)\s+)?/i.exec(shape);
    if (head === null) return [];
    return splitTop(shape, head[0].length).map(({ start, end }) =>
        itemOf(shape.slice(start, end), query.slice(start, end)),
    );
}

interface Range {
    readonly start: number;
    readonly end: number;
}

/** Up to FROM or the end, at the commas that no bracket encloses. */
function splitTop(shape: string, start: number): Range[] {
    const found: Range[] = [];
    let depth = 0;
    let from = start;
    const tokens = new RegExp(`${word}|'[^']*'|\\S`, "g");
    tokens.lastIndex = start;
    let end = shape.length;
    for (const { 0: token, index } of shape.matchAll(tokens)) {
        if (index < start) continue;
        if (/^[([]$/.test(token)) depth += 1;
        if (/^[)\]]$/.test(token)) depth -= 1;
        if (depth < 0 || (depth === 0 && /^(?:from|where|union)$/i.test(token))) {
            end = index;
            break;
        }
        if (depth === 0 && token === ",") {
            found.push({ start: from, end: index });
            from = index + 1;
        }
    }
    return [...found, { start: from, end }];
}

function itemOf(shape: string, original: string): SelectItem {
    const named = new RegExp(`\\bas\\s+(${word})\\s*$`, "i").exec(shape);
    const bare = new RegExp(`(?<=[\\w)"'\\]]\\s+|[)"'\\]])(${word})\\s*$`, "i").exec(shape);
    const label = named ?? (bare !== null && isLabel(shape, bare) ? bare : null);
    if (label !== null) {
        const written = original.slice(shape.lastIndexOf(label[1] ?? "")).trim();
        return { shape: shape.slice(0, label.index).trim(), name: nameOf(written), unnamed: false };
    }
    const expression = shape.trim();
    return {
        shape: expression,
        name: impliedName(expression, original.trim()),
        unnamed: isOperation(expression),
    };
}

/** Whether a last word stands behind a whole expression. */
function isLabel(shape: string, { 1: label = "", index }: RegExpExecArray): boolean {
    const before = /([\w$]+)\s*$/.exec(shape.slice(0, index))?.[1]?.toLowerCase();
    return (
        !noLabel.has(label.toLowerCase()) &&
        (before === undefined || !noLabel.has(before) || before === "end" || before === "null")
    );
}

function nameOf(written: string): string {
    return written.startsWith('"') ? unquote(written) : foldCase(written);
}

/** Of a bare column or a call; casts do not rename what they are of. */
function impliedName(shape: string, original: string): string | undefined {
    const column = new RegExp(`^(?:(?:${word})\\s*\\.\\s*)*(${word})$`).exec(shape);
    if (column !== null) {
        const last = column[1] ?? "";
        return noLabel.has(last.toLowerCase())
            ? undefined
            : nameOf(original.slice(shape.length - last.length));
    }
    const call = soleCall(shape);
    return call === undefined || call.wrapped ? undefined : call.name;
}

/** An operator that no bracket encloses: the server names the result of a function, not of that. */
function isOperation(shape: string): boolean {
    if (/\bcase\b/i.test(shape) || /^(?:[\w"]+\s*\.\s*)?\*$/.test(shape)) return false;
    return /[+\-*/%<>=|&^~!#@]/.test(outside(shape).replaceAll("::", "  "));
}

/** The text with everything in brackets and quotes dropped. */
function outside(shape: string): string {
    let depth = 0;
    let result = "";
    for (const [token] of shape.matchAll(/"[^"]*"|'[^']*'|[^]/g)) {
        if (/^[)\]]$/.test(token)) depth -= 1;
        result += depth > 0 || token.length > 1 ? " " : token;
        if (/^[([]$/.test(token)) depth += 1;
    }
    return result;
}

export interface Call {
    /** Folded, without a schema. */
    readonly name: string;
    /** Between its brackets. */
    readonly args: string;
    /** Inside WITHIN GROUP (…). */
    readonly within: string | undefined;
    /** Whether brackets or a cast stood around it. */
    readonly wrapped: boolean;
}

/** The call that an expression is, whatever it is cast or rounded to; undefined for anything else. */
export function soleCall(shape: string): Call | undefined {
    const bare = stripped(shape);
    const call = callAt(bare, 0);
    if (call === undefined || bare.slice(call.end).trim() !== "") return undefined;
    if (call.name === "round") {
        const [first = ""] = argumentsOf(call.args);
        const inner = soleCall(first);
        return inner === undefined ? undefined : { ...inner, wrapped: true };
    }
    return { ...call, wrapped: bare !== shape.trim() };
}

/** Without brackets and casts around it. */
export function stripped(shape: string): string {
    let text = shape.trim();
    for (;;) {
        const cast = /^([^]*\S)\s*::\s*[a-z_"][\w" ]*(?:\(\s*\d+(?:\s*,\s*\d+)?\s*\))?$/i.exec(
            text,
        );
        const whole = cast?.[1] ?? text;
        const inner =
            whole.startsWith("(") && closing(whole, 0) === whole.length - 1
                ? whole.slice(1, -1).trim()
                : // A cast binds tighter than any operator: only what is one thing was cast as a whole.
                  isOperation(whole) && cast !== null
                  ? text
                  : whole;
        if (inner === text) return text;
        text = inner;
    }
}

export interface PlacedCall extends Omit<Call, "wrapped"> {
    readonly end: number;
}

/** Every call of one of these functions, wherever it stands. */
export function callsOf(shape: string, names: readonly string[]): PlacedCall[] {
    return [
        ...shape.matchAll(new RegExp(`(?<![\\w$"])(?:${names.join("|")})\\s*\\(`, "gi")),
    ].flatMap(({ index }) => callAt(shape, index) ?? []);
}

function callAt(shape: string, start: number): PlacedCall | undefined {
    const head = /^\s*(?:[A-Za-z_]\w*\s*\.\s*)?([A-Za-z_][\w$]*)\s*\(/.exec(shape.slice(start));
    if (head === null) return undefined;
    const open = start + head[0].length - 1;
    const close = closing(shape, open);
    if (close === undefined) return undefined;
    let end = close + 1;
    let within: string | undefined;
    for (;;) {
        const more = /^\s*(within\s+group|filter)\s*\(/i.exec(shape.slice(end));
        if (more === null) break;
        const at = end + more[0].length - 1;
        const last = closing(shape, at);
        if (last === undefined) return undefined;
        if (/^within/i.test(more[1] ?? "")) within = shape.slice(at + 1, last);
        end = last + 1;
    }
    return { name: foldCase(head[1] ?? ""), args: shape.slice(open + 1, close), within, end };
}

/** Where the bracket at `open` closes. */
function closing(shape: string, open: number): number | undefined {
    let depth = 0;
    for (let at = open; at < shape.length; at += 1) {
        if (/[([]/.test(shape[at] ?? "")) depth += 1;
        if (/[)\]]/.test(shape[at] ?? "")) depth -= 1;
        if (depth === 0) return at;
    }
    return undefined;
}

/** At the commas that no bracket encloses. */
export function argumentsOf(args: string): string[] {
    return splitTop(args, 0).map(({ start, end }) => args.slice(start, end).trim());
}

/** The column that an expression is, whatever it is cast to and of whatever table. */
export function soleColumn(shape: string): string | undefined {
    const column = new RegExp(`^(?:(?:${word})\\s*\\.\\s*)*(${word})$`).exec(stripped(shape))?.[1];
    return column === undefined ? undefined : nameOf(column);
}
