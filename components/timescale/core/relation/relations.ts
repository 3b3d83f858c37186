/**
 * Which relations a query reads, from its text alone: enough to put declared objects in order before
 * there is a server to ask. The server remains the judge of what a text means.
 */
import { foldCase, unquote } from "../identifier";
import { blank } from "../query/query";

/** A relation as a text names it: without a schema where the search path decides. */
export interface RelationName {
    readonly schema?: string;
    readonly name: string;
}

/**
 * The relations behind FROM, JOIN and TABLE, each once, in order of appearance. Subqueries count;
 * names that WITH introduces do not, nor functions in a FROM clause. Of a CREATE FUNCTION, the body.
 */
export function relationsIn(text: string): RelationName[] {
    const reader = new Reader(tokensOf(text));
    reader.read();
    return [...reader.found.values()];
}

/**
 * The functions that a text calls, each once, in order of appearance: every name before a parenthesis,
 * so keywords such as `IN (` as well. Of a CREATE FUNCTION, the body too.
 */
export function callsIn(text: string): RelationName[] {
    const found = new Map<string, RelationName>();
    const read = (part: string): void => {
        const tokens = tokensOf(part);
        const creates = tokens[0]?.text === "create";
        tokens.forEach((token, at) => {
            if (token.kind === "string" && creates) read(unquoted(token.text));
            if (tokens[at + 1]?.text !== "(" || !isName(token)) return;
            const [schema, dot] = [tokens[at - 2], tokens[at - 1]];
            const call =
                dot?.text === "." && isName(schema)
                    ? { schema: schema.text, name: token.text }
                    : { name: token.text };
            found.set(JSON.stringify(call), call);
        });
    };
    read(text);
    return [...found.values()];
}

/** The inside of a literal, in quotes or between dollar signs. */
function unquoted(literal: string): string {
    const tag = /^\$[^$]*\$/.exec(literal)?.[0] ?? "'";
    const inner = literal.slice(tag.length, -tag.length);
    return tag === "'" ? inner.replaceAll("''", "'") : inner;
}

function isName(token: Token | undefined): token is Token {
    return token?.kind === "word" || token?.kind === "quoted";
}

interface Token {
    readonly kind: "word" | "quoted" | "string" | "mark";
    /** A word in PostgreSQL's lower case, a quoted name without its quotes, anything else as it is. */
    readonly text: string;
}

const tokenPattern = /"[^"]*"|'[^']*'|[A-Za-z_\x80-\uffff][\w$\x80-\uffff]*|\d[\w.]*|\S/g;

/** Cut by the blanked text, where no quote or comment can mislead, and taken from the original. */
function tokensOf(text: string): Token[] {
    return [...blank(text).matchAll(tokenPattern)].map(({ 0: shape, index }) => {
        const original = text.slice(index, index + shape.length);
        if (shape.startsWith('"')) {
            return { kind: "quoted", text: unquote(original) };
        }
        if (shape.startsWith("'")) return { kind: "string", text: original };
        return /^[A-Za-z_\x80-\uffff]/.test(shape)
            ? { kind: "word", text: foldCase(shape) }
            : { kind: "mark", text: shape };
    });
}

/** Words with which a statement can begin behind AS, where any other word is a column's label. */
const statementWords = new Set(["select", "table", "values", "with", "insert", "update", "delete"]);

/** Words that end a FROM clause. All are reserved, so that no alias can be one. */
const endsOfFrom = new Set(
    "where group having window order limit offset fetch for union intersect except returning".split(
        " ",
    ),
);

/** Names that WITH has introduced so far. */
type Scope = ReadonlySet<string>;

class Reader {
    readonly found = new Map<string, RelationName>();
    private at = 0;

    constructor(private readonly tokens: readonly Token[]) {}

    read(): void {
        while (this.at < this.tokens.length) {
            this.level(new Set(), false);
            // A bracket that nothing has opened.
            this.at += 1;
        }
    }

    /**
     * Reads up to the bracket that closes this level. FROM means a clause only where its statement
     * is on the same level: in `extract(hour FROM ts)` it is none.
     *
     * @param inFrom whether it opens where a relation may stand: `FROM (a JOIN b …)`
     */
    private level(outer: Scope, inFrom: boolean): void {
        let scope = outer;
        let inStatement = false;
        let listing = inFrom;
        let relationIsNext = inFrom;
        for (;;) {
            const token = this.tokens[this.at];
            if (token === undefined || this.isMark(0, ")", "]")) return;
            if (this.isMark(0, "(", "[")) {
                this.group(scope, relationIsNext);
                relationIsNext = false;
                continue;
            }
            if (relationIsNext && !this.beginsStatement()) {
                relationIsNext = this.relation(scope);
                continue;
            }
            relationIsNext = false;
            this.at += 1;
            if (token.kind === "mark") {
                if (token.text === ",") relationIsNext = listing;
                if (token.text === ";") {
                    scope = outer;
                    inStatement = listing = false;
                }
            } else if (token.kind === "string") {
                this.body(token.text);
            } else if (token.kind === "word" && !this.isLabel(token.text)) {
                if (token.text === "from" && inStatement && !this.isWord(-2, "distinct")) {
                    listing = relationIsNext = true;
                } else if (token.text === "join") {
                    relationIsNext = listing;
                } else if (["select", "delete", "update"].includes(token.text)) {
                    inStatement = true;
                    listing = false;
                } else if (token.text === "with" && this.followsStart()) {
                    listing = false;
                    scope = this.commonTables(scope);
                } else if (token.text === "table" && this.followsStart()) {
                    listing = false;
                    relationIsNext = true;
                } else if (endsOfFrom.has(token.text)) {
                    listing = false;
                }
            }
        }
    }

    private group(scope: Scope, inFrom: boolean): void {
        this.at += 1;
        this.level(scope, inFrom);
        this.at += 1;
    }

    /** Reads what stands for a relation. @returns whether it is still to come */
    private relation(scope: Scope): boolean {
        if (this.isWord(0, "only", "lateral")) {
            this.at += 1;
            return true;
        }
        if (this.isWord(0, "rows") && this.isWord(1, "from")) {
            this.at += 2;
            return false;
        }
        const path: Token[] = [];
        for (;;) {
            const token = this.tokens[this.at];
            this.at += 1;
            if (token === undefined || !["word", "quoted"].includes(token.kind)) return false;
            path.push(token);
            if (!this.isMark(0, ".")) break;
            this.at += 1;
        }
        // A function; or a name by Unicode escapes, which nobody writes by hand.
        if (this.isMark(0, "(", "&")) return false;
        const [name, schema] = path.reverse().map(({ text }) => text);
        if (name === undefined || (schema === undefined && scope.has(name))) return false;
        const relation = schema === undefined ? { name } : { schema, name };
        this.found.set(JSON.stringify([schema ?? null, name]), relation);
        return false;
    }

    /** Behind WITH: reads its queries. @returns the names to leave out from here on */
    private commonTables(outer: Scope): Scope {
        const scope = new Set(outer);
        const recursive = this.isWord(0, "recursive");
        if (recursive) this.at += 1;
        while (this.isCommonTable()) {
            const name = this.tokens[this.at]?.text ?? "";
            this.at += 1;
            if (this.isMark(0, "(")) this.group(scope, false);
            while (this.isWord(0, "as", "not", "materialized")) this.at += 1;
            // Without RECURSIVE the name is not known in its own query: there it is a relation.
            if (this.isMark(0, "("))
                this.group(recursive ? new Set([...scope, name]) : scope, false);
            scope.add(name);
            if (this.isWord(0, "search", "cycle")) this.skipTraversal();
            if (!this.isMark(0, ",")) break;
            this.at += 1;
        }
        return scope;
    }

    /** `name AS (`, `name (columns) AS (`. */
    private isCommonTable(offset = 0): boolean {
        const kind = this.tokens[this.at + offset]?.kind;
        const named = kind === "word" || kind === "quoted";
        return named && (this.isWord(offset + 1, "as") || this.isMark(offset + 1, "("));
    }

    /** SEARCH and CYCLE hold lists of columns, whose commas lead to no further query. */
    private skipTraversal(): void {
        while (this.at < this.tokens.length && !this.beginsStatement()) {
            if (this.isMark(0, ",") && this.isCommonTable(1)) return;
            if (this.isMark(0, "(", ")")) return;
            this.at += 1;
        }
    }

    /** A string behind AS is a function's body; anywhere else in a query it is a value. */
    private body(quoted: string): void {
        if (!this.isWord(-2, "as") || !this.createsFunction()) return;
        for (const relation of relationsIn(unquoted(quoted))) {
            this.found.set(JSON.stringify([relation.schema ?? null, relation.name]), relation);
        }
    }

    private createsFunction(): boolean {
        const words = this.tokens.slice(0, 4).map(({ text }) => text);
        return /^create (?:or replace )?(?:function|procedure)\b/.test(words.join(" "));
    }

    private beginsStatement(): boolean {
        const token = this.tokens[this.at];
        return token?.kind === "word" && statementWords.has(token.text);
    }

    /** Whether the word just read stands where a statement may begin. */
    private followsStart(): boolean {
        return (
            this.at < 2 ||
            this.isMark(-2, "(", ";") ||
            this.isWord(-2, "as", "union", "intersect", "except", "all", "distinct", "begin")
        );
    }

    /** Behind a dot or AS even a reserved word is a name. */
    private isLabel(word: string): boolean {
        return this.isMark(-2, ".") || (this.isWord(-2, "as") && !statementWords.has(word));
    }

    private isWord(offset: number, ...words: readonly string[]): boolean {
        const token = this.tokens[this.at + offset];
        return token?.kind === "word" && words.includes(token.text);
    }

    private isMark(offset: number, ...marks: readonly string[]): boolean {
        const token = this.tokens[this.at + offset];
        return token?.kind === "mark" && marks.includes(token.text);
    }
}
