import { canonicalDefault, canonicalType } from "../../components/timescale/core/relation/types";

describe("canonicalType", () => {
    // What a program may write, and what format_type of PostgreSQL 17 prints for a column of it.
    it.each([
        ["timestamptz", "timestamp with time zone"],
        ["TIMESTAMPTZ", "timestamp with time zone"],
        ["timestamp", "timestamp without time zone"],
        ["timestamptz(3)", "timestamp(3) with time zone"],
        ["timestamp (3) with time zone", "timestamp(3) with time zone"],
        ["timestamp(3)", "timestamp(3) without time zone"],
        ["timetz(3)", "time(3) with time zone"],
        ["time", "time without time zone"],
        ["int", "integer"],
        ["int2", "smallint"],
        ["int4", "integer"],
        ["int8", "bigint"],
        ["float", "double precision"],
        ["float4", "real"],
        ["float8", "double precision"],
        ["float(24)", "real"],
        ["float(25)", "double precision"],
        ["double  precision[]", "double precision[]"],
        ["bool", "boolean"],
        ["decimal", "numeric"],
        ["dec(5,2)", "numeric(5,2)"],
        ["numeric(12)", "numeric(12,0)"],
        ["numeric( 12 , 8 )", "numeric(12,8)"],
        ["numeric(5,-2)", "numeric(5,-2)"],
        ["varchar", "character varying"],
        ["varchar(20)", "character varying(20)"],
        ["character varying (20)", "character varying(20)"],
        ["char varying(3)", "character varying(3)"],
        ["national character varying(5)", "character varying(5)"],
        ["char", "character(1)"],
        ["char(3)", "character(3)"],
        ["nchar(3)", "character(3)"],
        ["char[]", "character(1)[]"],
        ["bit", "bit(1)"],
        ["varbit(5)", "bit varying(5)"],
        ["text[][]", "text[]"],
        ["text[3]", "text[]"],
        ["text []", "text[]"],
        ["integer array", "integer[]"],
        ["varchar(10)[]", "character varying(10)[]"],
        ["timestamptz[]", "timestamp with time zone[]"],
        ["pg_catalog.int4", "integer"],
        ["public.mood", "mood"],
        ['public."Mood"', '"Mood"'],
        ["interval day to second(3)", "interval day to second(3)"],
    ])("takes %s for the catalog's %s", (written, catalog) => {
        expect(canonicalType(written)).toBe(catalog);
    });

    it.each([
        "timestamp with time zone",
        "timestamp(3) with time zone",
        "numeric(12,8)",
        "character varying(20)",
        "double precision[]",
        "jsonb",
        "uuid",
        "bpchar",
        '"char"',
        "interval(3)",
        "app.mood",
    ])("leaves the catalog's own spelling %s alone", (type) => {
        expect(canonicalType(type)).toBe(type);
    });

    it.each([
        ["timestamptz", "timestamp"],
        ["numeric(12,8)", "numeric(12,6)"],
        ["varchar(20)", "text"],
        ["char", '"char"'],
        ["text", "text[]"],
        ["int", "bigint"],
        ["app.mood", "public.mood"],
    ])("tells %s from %s", (one, other) => {
        expect(canonicalType(one)).not.toBe(canonicalType(other));
    });
});

describe("canonicalDefault", () => {
    // What a program may write, and what pg_get_expr of PostgreSQL 17 prints for it.
    it.each([
        ["'internal'", "'internal'::text"],
        ["'x'", "'x'::character varying"],
        ["'abc'", "'abc'::bpchar"],
        ["'it''s'", "'it''s'::text"],
        ["'a::b'", "'a::b'::text"],
        ["'(x)'", "'(x)'::text"],
        ["(('x'))", "'x'::text"],
        ["'x'", "'x'::app.\"Mood\""],
        ["-1", "'-1'::integer"],
        ["-1.5", "'-1.5'::numeric"],
        ["0::int4", "0"],
        ["0::float8", "(0)::double precision"],
        ["TRUE", "true"],
        ["NOW()", "now()"],
        ["current_timestamp", "CURRENT_TIMESTAMP"],
        ["timezone('utc', now())", "timezone('utc'::text, now())"],
        ["now() at time zone 'utc'", "(now() AT TIME ZONE 'utc'::text)"],
        ["interval '1 day'", "'1 day'::interval"],
        ["'{}'", "'{}'::jsonb"],
        ["array['a','b']", "ARRAY['a'::text, 'b'::text]"],
        ["array[]::text[]", "ARRAY[]::text[]"],
        ["'a' || 'B'", "('a'::text || 'B'::text)"],
        ["upper('Abc')", "upper('Abc'::text)"],
        ["nextval('s')", "nextval('s'::regclass)"],
        ["1+2", "(1 + 2)"],
        ["(1 + 2) * (3 + 4)", "((1 + 2) * (3 + 4))"],
    ])("takes %s for the catalog's %s", (written, catalog) => {
        expect(canonicalDefault(written)).toBe(canonicalDefault(catalog));
    });

    it("takes NULL for no default", () => {
        expect(canonicalDefault("NULL")).toBeNull();
        expect(canonicalDefault(undefined)).toBeNull();
        expect(canonicalDefault(null)).toBeNull();
    });

    it.each([
        ["'internal'", "'Internal'"],
        ["upper('a')", "upper('A')"],
        ["'a b'", "'ab'"],
        ["'null'", "null"],
        ["1", "-1"],
        ["now()", "clock_timestamp()"],
        ["now()", "(now())::date"],
        ["random()", "random()::int"],
        ['"Status" = 1', "status = 1"],
        ['"Mood"(1)', '"mood"(1)'],
        ["'x'", ""],
    ])("tells %s from %s", (one, other) => {
        expect(canonicalDefault(one)).not.toBe(canonicalDefault(other));
    });
});
