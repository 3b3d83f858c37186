import { createFunction, isHead, parseHead } from "../../components/timescale/core/function/head";
import { functionIdentity, validateFunction } from "../../components/timescale/core/function/spec";
import { connection } from "../helpers/builders";

const rest = "(x int) RETURNS int LANGUAGE sql AS 'SELECT x'";

function head(text: string) {
    const parsed = parseHead(text);
    if (!isHead(parsed)) throw new Error(JSON.stringify(parsed));
    return parsed;
}

function messages(text: string): string[] {
    const parsed = parseHead(text);
    return isHead(parsed) ? [] : parsed.map(({ message }) => message);
}

describe("the head of a function", () => {
    it.each([
        [`CREATE FUNCTION f${rest}`, undefined, "f"],
        [`create or\n replace function F ${rest};`, undefined, "f"],
        [`-- CREATE FUNCTION g\n/* CREATE */ CREATE FUNCTION s.f${rest}`, "s", "f"],
        [`CREATE FUNCTION "S" . "a ""b"" (; --" ${rest}`, "S", 'a "b" (; --'],
        [`CREATE FUNCTION größe$1${rest}`, undefined, "größe$1"],
        // PostgreSQL folds the letters of ASCII alone.
        [`CREATE FUNCTION GRÖSSE${rest}`, undefined, "grÖsse"],
    ])("is read from %s", (text, schema, name) => {
        expect(head(text)).toMatchObject({ schema, name, parameters: "x int", rest });
    });

    it("takes another name, and nothing else changes", () => {
        const text = `CREATE FUNCTION f(a text DEFAULT ')f(') RETURNS text LANGUAGE sql AS $$ SELECT 'f(' || f(a) $$ ;`;
        expect(createFunction("CREATE OR REPLACE", '"s"."g"', head(text))).toBe(
            `CREATE OR REPLACE FUNCTION "s"."g"(a text DEFAULT ')f(') RETURNS text LANGUAGE sql AS $$ SELECT 'f(' || f(a) $$`,
        );
    });

    it.each([
        ["CREATE PROCEDURE p() LANGUAGE sql AS ''", "the definition makes a procedure"],
        ["CREATE AGGREGATE a(int) (sfunc = f, stype = int)", "the definition makes an aggregate"],
        ["CREATE TEMP FUNCTION f()", "the definition makes a temporary object"],
        ["SELECT 1", "the definition is no CREATE FUNCTION"],
        ["", "the definition is no CREATE FUNCTION"],
        ["-- CREATE FUNCTION f()", "the definition is no CREATE FUNCTION"],
        ["CREATE FUNCTION (x int)", "the definition names no function"],
        ["CREATE FUNCTION a.b.c(x int)", "the definition names no function"],
        ["CREATE FUNCTION f(x int", "the parameters of the function have no end"],
        [`CREATE FUNCTION f${rest}; DROP TABLE t`, "the definition holds more than one statement"],
        [
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END; SELECT 2",
            "the definition holds more than one statement",
        ],
    ])("is none in %s", (text, message) => {
        expect(messages(text)).toEqual([message]);
    });

    it.each([
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END;",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; SELECT 2; $$ -- ; end",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1; SELECT 2' ;;",
    ])("is one statement in %s", (text) => {
        expect(messages(text)).toEqual([]);
    });
});

describe("the identity of a function", () => {
    it.each([
        ["f()", "public.f()"],
        ["f(int)", "public.f(integer)"],
        ["F(a INT = 1, b varchar(10) DEFAULT 'x, y')", "public.f(integer, character varying)"],
        [
            "f(IN a int, OUT b text, INOUT c timestamptz)",
            "public.f(integer, timestamp with time zone)",
        ],
        ["f(VARIADIC a numeric(10, 2)[])", "public.f(numeric[])"],
        ["f(double precision, a double precision)", "public.f(double precision, double precision)"],
        [`s."G h"(a /* int, */ text)`, `s."G h"(text)`],
        [`f("a b" s."T t")`, `public.f(s."T t")`],
    ])("of %s is %s", (name, identity) => {
        const definition = `CREATE FUNCTION ${name} RETURNS int LANGUAGE sql AS 'SELECT 1'`;
        expect(functionIdentity({ definition })).toBe(identity);
    });

    it("is not known while the text is not", () => {
        expect(functionIdentity({ definition: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" })).toBe(
            undefined,
        );
        expect(functionIdentity({})).toBe(undefined);
    });
});

describe("validateFunction", () => {
    const problems = (inputs: Readonly<Record<string, unknown>>): string[] =>
        validateFunction({ connection, ...inputs }, () => false).map(
            ({ property, reason }) => `${property}: ${reason.split("\n")[0] ?? ""}`,
        );

    it("has nothing to say of a sound one", () => {
        expect(
            problems({
                definition: `CREATE FUNCTION s.f${rest}`,
                schema: "s",
                grants: [{ role: "public", privileges: ["EXECUTE"] }],
            }),
        ).toEqual([]);
    });

    it("reports every problem at once", () => {
        expect(
            problems({
                definition: `CREATE FUNCTION s.${"f".repeat(70)}${rest}`,
                schema: "t",
                name: "f",
                comment: 1,
                owner: "",
                grants: [{ role: "reader", privileges: ["SELECT"] }],
                adopt: "yes",
            }),
        ).toEqual([
            "name: there is no property name",
            "definition: the function's name is 70 bytes long; PostgreSQL keeps 63 and would cut the rest",
            "schema: schema and definition name different schemas",
            "comment: comment must be a string",
            "owner: owner must not be empty",
            'grants: grants[0] names no function privilege: "SELECT"',
            "adopt: adopt must be true or false",
        ]);
    });
});
