/**
 * Column types and defaults by meaning. The catalog has one spelling ("timestamp with time zone");
 * people write others ("timestamptz"), and neither is a difference.
 */

/** Source: PostgreSQL's documentation, table of data types and their aliases. */
const aliases: Readonly<Record<string, string>> = {
    timestamptz: "timestamp with time zone",
    timestamp: "timestamp without time zone",
    timetz: "time with time zone",
    time: "time without time zone",
    int: "integer",
    int4: "integer",
    int8: "bigint",
    int2: "smallint",
    float4: "real",
    float8: "double precision",
    float: "double precision",
    bool: "boolean",
    decimal: "numeric",
    dec: "numeric",
    varchar: "character varying",
    "char varying": "character varying",
    "national character varying": "character varying",
    "national char varying": "character varying",
    "nchar varying": "character varying",
    char: "character",
    "national character": "character",
    "national char": "character",
    nchar: "character",
    varbit: "bit varying",
};

/** Types that are one long when no length is given. */
const oneLong: readonly string[] = ["character", "bit"];

/** The catalog's spelling of a type, as far as its name is one of PostgreSQL's own. */
export function canonicalType(type: string): string {
    const text = type
        .trim()
        .toLowerCase()
        .replace(/\s+/g, " ")
        .replace(/\s*\(\s*/g, "(")
        .replace(/\s*,\s*/g, ",")
        .replace(/\s*\)/g, ")")
        .replace(/\s*\[\s*(\d*)\s*\]/g, "[$1]")
        .replace(/ array(?:\[\d*\])?$/, "[]")
        // Both schemas are always on the search path.
        .replace(/^(?:pg_catalog|public)\./, "");
    const match =
        /^([a-z_][a-z0-9_ ]*?)(\((-?\d+(?:,-?\d+)?)\))?((?: (?:with|without) time zone)?)((?:\[\d*\])*)$/.exec(
            text,
        );
    if (match === null) return type.trim().replace(/^(?:pg_catalog|public)\./i, "");
    const [, base = "", , length, zone = "", array = ""] = match;
    const dimensions = array === "" ? "" : "[]";
    if (base === "float" && length !== undefined) {
        return (Number(length) <= 24 ? "real" : "double precision") + dimensions;
    }
    const name = zone === "" ? (aliases[base] ?? base) : `${base}${zone}`;
    const modifier = modifierOf(name, length);
    if (modifier === undefined) return name + dimensions;
    // format_type puts a precision before the time zone: timestamp(3) with time zone.
    const zoned = /^(time(?:stamp)?) (with.*)$/.exec(name);
    const placed = zoned === null ? `${name}(${modifier})` : `${zoned[1]}(${modifier}) ${zoned[2]}`;
    return placed + dimensions;
}

function modifierOf(name: string, given: string | undefined): string | undefined {
    if (given === undefined) return oneLong.includes(name) ? "1" : undefined;
    return name === "numeric" && !given.includes(",") ? `${given},0` : given;
}

const literal = String.raw`'(?:[^']|'')*'`;
const typeName = [
    String.raw`(?:double precision|(?:character|bit) varying`,
    String.raw`|time(?:stamp)?(?:\(\d\))? with(?:out)? time zone|[a-z_"][\w".]*)`,
    String.raw`(?:\([\d,]+\))?(?:\[\])*`,
].join("");

/**
 * A default without the parentheses, white space and casts of constants that the server adds when it
 * prints it. `NULL` is no default. Two that are the same here are the same; of two that are not, the
 * server can tell.
 */
export function canonicalDefault(expression: string | null | undefined): string | null {
    if (expression === null || expression === undefined) return null;
    let text = outsideQuotes(expression, (part) => part.toLowerCase().replace(/\s+/g, " "))
        .trim()
        .replace(new RegExp(String.raw`\b(?:interval|jsonb?) ?(?=')`, "g"), "")
        .replace(new RegExp(`(${literal})::${typeName}`, "g"), "$1");
    for (;;) {
        const bare = text
            .replace(new RegExp(String.raw`^(\(*[+-]?[\d.]+(?:e[+-]?\d+)?\)*)::${typeName}$`), "$1")
            .replace(/^\((.*)\)$/s, "$1")
            .trim();
        if (bare === text) break;
        text = bare;
    }
    if (text === "null") return null;
    // The server prints -1 as '-1'::integer.
    const number = /^'([+-]?[\d.]+(?:e[+-]?\d+)?)'$/i.exec(text);
    if (number !== null) return number[1] ?? text;
    return outsideQuotes(text, (part) => part.replace(/ /g, ""));
}

/** Leaves strings and quoted names as they are. */
function outsideQuotes(text: string, change: (part: string) => string): string {
    return text
        .split(new RegExp(`(${literal}|"(?:[^"]|"")*")`))
        .map((part, index) => (index % 2 === 1 ? part : change(part)))
        .join("");
}
