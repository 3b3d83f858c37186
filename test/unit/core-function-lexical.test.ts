import fc from "fast-check";

import { lexicalForm, qualifiedNames } from "../../components/timescale/core/function/lexical";

describe("lexicalForm", () => {
    it.each([
        ["comments", "a /* x /* y */ 'z' */ b -- c\n d", "a b d"],
        ["spacing", "  a\n\t( b,c )  ", "a ( b , c )"],
        ["case", "SELECT Count(*) FROM T", "select count ( * ) from t"],
        ["quotes around plain names", `SELECT "a"."b" FROM "T"`, 'select a . b from "T"'],
        ["a semicolon at the end", "SELECT 1 ;", "select 1 ;"],
    ])("drops what is no meaning: %s", (_, text, form) => {
        expect(lexicalForm(text)).toBe(form);
    });

    it.each([
        ["a literal", "SELECT 'A  b -- c'", "select 'A  b -- c'"],
        ["a literal with quotes in it", "'it''s' || E'\\'  X'", "'it''s' || E'\\'  X'"],
        ["a dollar-quoted literal", "$Q$ A $q$  $$ $Q$ B", "$Q$ A $q$  $$ $Q$ b"],
        ["a dollar sign in a name", "a$b$c $1", "a$b$c $1"],
        ["words that are reserved without quotes", `"user" "select" "x"`, `"user" "select" x`],
        ["names with capitals or spaces", `"A b" "ü"`, `"A b" "ü"`],
        ["operators of several characters", "a<=b->>'c' -1", "a <= b ->> 'c' - 1"],
        ["a range", "FOR i IN 1..10", "for i in 1 . . 10"],
        ["what has no end", "'abc", "'abc"],
    ])("keeps %s", (_, text, form) => {
        expect(lexicalForm(text)).toBe(form);
    });

    const piece = fc.oneof(
        fc.constantFrom(
            ...'SELECT|x|"x"|"X y"|"user"|\'A  b\'|E\'\\\'\'|$$ A $$|$q$;$q$|1.5|.5|1..2|->>|<=|-|/|*|(|)|,|;|.|--c\n|/* d */|\n|$1|e'.split(
                "|",
            ),
        ),
        fc.string(),
    );
    const body = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(" "));

    it("is the same when taken twice", () => {
        fc.assert(
            fc.property(body, (text) => lexicalForm(lexicalForm(text)) === lexicalForm(text)),
        );
        fc.assert(
            fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
                const text = pieces.join("");
                return lexicalForm(lexicalForm(text)) === lexicalForm(text);
            }),
        );
    });

    it("differs where a literal differs", () => {
        const text = fc.string({ unit: fc.constantFrom("a", "A", " ", "-", "/", "*", "$", "\n") });
        fc.assert(
            fc.property(text, text, (one, other) => {
                fc.pre(one !== other);
                const around = (literal: string): string =>
                    `SELECT x = '${literal}' /* c */ FROM t`;
                return lexicalForm(around(one)) !== lexicalForm(around(other));
            }),
        );
    });

    it("does not depend on spacing, comments and case between words", () => {
        const words = fc.array(fc.constantFrom("select", "x", "from", "'A'", "(", ")", ",", "+"), {
            minLength: 1,
        });
        const gap = fc.constantFrom(" ", "\n\n", " /* Y 'z' */ ", " -- Y 'z\n");
        fc.assert(
            fc.property(words, gap, gap, (all, one, other) => {
                const upper = all.map((word) => (word.startsWith("'") ? word : word.toUpperCase()));
                return lexicalForm(all.join(one)) === lexicalForm(upper.join(other));
            }),
        );
    });
});

describe("qualifiedNames", () => {
    it("finds names that are written with a schema, once each, sorted", () => {
        const text = `SELECT t.x, "Odd".f(1) FROM public.t JOIN Public . "T b" ON 'public.z' = db.public.q`;
        expect(qualifiedNames(text, ["public", "Odd"])).toEqual([
            "Odd.f",
            "public.T b",
            "public.t",
        ]);
    });
});
