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
    varchar: "character varying",
    char: "character",
    varbit: "bit varying",
};

/** The catalog's spelling of a type, as far as its name is one of PostgreSQL's own. */
export function canonicalType(type: string): string {
    const text = type
        .trim()
        .toLowerCase()
        .replace(/\s+/g, " ")
        .replace(/\s*\(\s*/g, "(")
        .replace(/\s*,\s*/g, ",")
        .replace(/\s*\)/g, ")");
    const match =
        /^([a-z_][a-z0-9_ ]*?)(\(([\d,]+)\))?((?: (?:with|without) time zone)?)((?:\[\d*\])*)$/.exec(
            text,
        );
    if (match === null) return type.trim();
    const [, base = "", , modifier, zone = "", array = ""] = match;
    const name = zone === "" ? (aliases[base] ?? base) : `${base}${zone}`;
    const dimensions = array === "" ? "" : "[]";
    if (modifier === undefined) return name + dimensions;
    // format_type puts a precision before the time zone: timestamp(3) with time zone.
    const zoned = /^(time(?:stamp)?) (with.*)$/.exec(name);
    const placed = zoned === null ? `${name}(${modifier})` : `${zoned[1]}(${modifier}) ${zoned[2]}`;
    return placed + dimensions;
}

/** A default without the casts and parentheses that the server adds when it prints it. */
export function canonicalDefault(expression: string | null | undefined): string | null {
    if (expression === null || expression === undefined) return null;
    let text = expression.trim();
    for (;;) {
        const bare = text
            .replace(/::[a-z_ ]+(?:\([\d,]+\))?(?:\[\])*$/i, "")
            .replace(/^\((.*)\)$/s, "$1")
            .trim();
        if (bare === text) break;
        text = bare;
    }
    return text.startsWith("'") ? text : text.toLowerCase();
}
