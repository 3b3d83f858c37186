import { readdirSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";

import { escapeIdentifier } from "../../components/timescale/core/identifier";
import { relationsIn } from "../../components/timescale/core/relation/relations";
import { readSql } from "../../components/timescale/core/sqlFile";

/** `schema.name`, or only the name where the text gives no schema. */
function names(text: string): string[] {
    return relationsIn(text).map(({ schema, name }) =>
        schema === undefined ? name : `${schema}.${name}`,
    );
}

describe("relations in a query", () => {
    it.each([
        ["one", "SELECT 1 FROM m", ["m"]],
        ["with a schema", "SELECT 1 FROM s.m", ["s.m"]],
        ["with a database", "SELECT 1 FROM d.s.m", ["s.m"]],
        [
            "with white space and comments about its dot",
            "SELECT 1 FROM s /* . */ . -- x\n m",
            ["s.m"],
        ],
        ["in another case", 'select 1 FROM S.M, "S"."M"', ["s.m", "S.M"]],
        ["with letters that PostgreSQL does not fold", "SELECT 1 FROM ÄRGER", ["Ärger"]],
        ["quoted, with quotes in it", 'SELECT 1 FROM "a ""b"" FROM c"."x;y"', ['a "b" FROM c.x;y']],
        [
            "quoted like a keyword",
            'SELECT 1 FROM "select" JOIN "from" USING (a)',
            ["select", "from"],
        ],
        ["twice", "SELECT 1 FROM m a JOIN m b ON a.x = b.x, M", ["m"]],
        ["in a comma list", "SELECT 1 FROM a, b x, s.c AS y (p, q), d", ["a", "b", "s.c", "d"]],
        ["behind ONLY", "SELECT 1 FROM ONLY a, ONLY (b), c *", ["a", "b", "c"]],
        [
            "behind every kind of join",
            "SELECT 1 FROM a JOIN b ON true LEFT OUTER JOIN c USING (x) CROSS JOIN d NATURAL FULL JOIN e, f",
            ["a", "b", "c", "d", "e", "f"],
        ],
        [
            "in a parenthesised join",
            "SELECT 1 FROM ((a JOIN b ON a.x IN (1, 2)) JOIN c ON true), d",
            ["a", "b", "c", "d"],
        ],
        [
            "in subqueries of FROM",
            "SELECT 1 FROM (SELECT 1 FROM a, (SELECT 2 FROM b) q) p, c",
            ["a", "b", "c"],
        ],
        ["behind LATERAL", "SELECT 1 FROM a, LATERAL (SELECT * FROM b LIMIT 1) x", ["a", "b"]],
        [
            "in subqueries of expressions",
            "SELECT (SELECT max(x) FROM a), ARRAY(SELECT y FROM b) FROM c WHERE EXISTS (SELECT FROM d) ORDER BY (SELECT 1 FROM e)",
            ["a", "b", "c", "d", "e"],
        ],
        [
            "in unions",
            "(SELECT 1 FROM a) UNION ALL SELECT 2 FROM b EXCEPT TABLE c",
            ["a", "b", "c"],
        ],
        [
            "in a parenthesised union",
            "SELECT 1 FROM ((SELECT 1 FROM a) UNION (SELECT 2 FROM b)) u",
            ["a", "b"],
        ],
        ["behind TABLE", "SELECT 1 FROM (TABLE ONLY s.a) x WHERE y IN (TABLE b)", ["s.a", "b"]],
        ["sampled", "SELECT 1 FROM a TABLESAMPLE bernoulli (10), b", ["a", "b"]],
        [
            "inside brackets of a join's condition",
            "SELECT 1 FROM a JOIN b ON ARRAY[a.x, y] = b.z, c",
            ["a", "b", "c"],
        ],
        [
            "of a statement behind another",
            "SELECT 1 FROM a ORDER BY x, y; SELECT z, w FROM b",
            ["a", "b"],
        ],
        [
            "that is deleted from",
            "WITH gone AS (DELETE FROM a RETURNING x, y) SELECT 1 FROM gone",
            ["a"],
        ],
    ])("%s", (_, text, expected) => {
        expect(names(text)).toEqual(expected);
    });

    it.each([
        ["extract", "SELECT extract(hour FROM ts), extract(epoch from bucket) FROM m"],
        ["substring", "SELECT substring(x FROM 2), substring(x from 'a' for 'b') FROM m"],
        ["trim", "SELECT trim(both FROM x), trim(leading 'a' FROM b), trim(from c) FROM m"],
        ["overlay", "SELECT overlay(x PLACING y FROM 3 FOR 2) FROM m"],
        ["IS DISTINCT FROM", "SELECT a IS DISTINCT FROM b, c IS NOT DISTINCT FROM d FROM m"],
        ["IS DISTINCT FROM in a condition", "SELECT 1 FROM m WHERE a IS DISTINCT FROM b AND c"],
        ["a select list", "SELECT a, b, c FROM m"],
        [
            "what follows FROM",
            "SELECT 1 FROM m WHERE a IN (b, c) GROUP BY d, e HAVING f ORDER BY g, h",
        ],
        ["a named window", "SELECT 1 FROM m WINDOW w AS (PARTITION BY a, b), v AS (ORDER BY c)"],
        ["locking", "SELECT 1 FROM m FOR UPDATE OF a, b"],
        ["comments", "SELECT 1 FROM /* FROM x, /* JOIN y */ */ m -- , z\n WHERE true"],
        ["strings", "SELECT ' FROM x', E'\\' FROM y', $$ FROM z $$, $a$ JOIN $$ w $a$ FROM m"],
        ["quoted names", 'SELECT "a FROM x", "JOIN" FROM m "FROM y"'],
        [
            "functions",
            "SELECT 1 FROM m, generate_series(1, 2) g, s.f(a, b) h (x, y), LATERAL k(m.a)",
        ],
        ["several functions", "SELECT 1 FROM m, ROWS FROM (f(1, 2), g(3)) AS r (a, b)"],
        ["labels", "SELECT a AS from, b AS join, c AS where, t.from, t.join FROM m"],
        ["an alias with columns", "SELECT 1 FROM m AS a (b, c)"],
        [
            "a common table",
            "WITH a AS (SELECT 1 FROM m), b (x, y) AS NOT MATERIALIZED (SELECT 2 FROM a) SELECT 3 FROM a, b",
        ],
        [
            "a common table in a subquery",
            "SELECT 1 FROM (WITH a AS (TABLE m) SELECT 2 FROM a WHERE EXISTS (SELECT 3 FROM a)) x",
        ],
        [
            "a common table that calls itself",
            "WITH RECURSIVE a AS (SELECT 1 FROM m UNION SELECT 2 FROM a) SELECT 3 FROM a",
        ],
        [
            "columns of a search",
            "WITH RECURSIVE a AS (SELECT 1 FROM m, a) SEARCH DEPTH FIRST BY x, y SET z, b AS (TABLE a) SELECT 3 FROM a, b",
        ],
        ["types", "SELECT ts AT TIME ZONE 'UTC', x::timestamp with time zone FROM m"],
        ["options and ordinality", "SELECT 1 FROM m, unnest(a) WITH ORDINALITY AS u (b, c)"],
    ])("only, and nothing of %s", (_, text) => {
        expect(names(text)).toEqual(["m"]);
    });

    it("are those of a common table's query, whatever it is called", () => {
        expect(names("WITH a AS (SELECT 1 FROM a) SELECT 1 FROM a, s.a")).toEqual(["a", "s.a"]);
        expect(names("SELECT 1 FROM (WITH a AS (SELECT 2) TABLE a) x, a")).toEqual(["a"]);
    });

    it("are none without one, and none of broken text", () => {
        for (const text of [
            "",
            "SELECT 1",
            "FROM",
            "SELECT FROM",
            "SELECT 1 FROM (",
            'SELECT 1 FROM "',
        ]) {
            expect(names(text).filter((name) => name !== "")).toEqual([]);
        }
        expect(names(")) SELECT 1 FROM a) ) JOIN b SELECT 1 FROM c]")).toEqual(["a", "c"]);
    });

    it("are found behind any name, in any schema", () => {
        const name = fc.string({ minLength: 1, unit: "binary" }).filter((it) => !it.includes("\0"));
        fc.assert(
            fc.property(name, name, (schema, relation) => {
                const text = `SELECT 1 FROM ${escapeIdentifier(schema)}.${escapeIdentifier(relation)} AS x`;
                expect(relationsIn(text)).toEqual([{ schema, name: relation }]);
            }),
        );
    });

    it("are found in any text without an error", () => {
        const piece = fc.constantFrom(
            ..."SELECT FROM JOIN WITH AS TABLE ONLY LATERAL RECURSIVE a b.c ( ) [ ] , ; . ' \" $$ -- /* */ \n DISTINCT UNION ROWS SEARCH".split(
                " ",
            ),
        );
        fc.assert(
            fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
                expect(Array.isArray(relationsIn(pieces.join(" ")))).toBe(true);
            }),
            { numRuns: 1000 },
        );
    });

    it("of the aggregates of this project are the raw table", () => {
        for (const file of readdirSync(join(__dirname, "../../sql/aggregates"))) {
            expect([file, names(readSql(`aggregates/${file}`))]).toEqual([file, ["llm_traces"]]);
        }
    });
});

describe("relations in a function", () => {
    it.each([
        ["dollar quotes", "AS $$ SELECT 1 FROM a, s.b $$"],
        ["tagged dollar quotes", "AS $body$ SELECT '$$' FROM a; SELECT 2 FROM s.b $body$ STABLE"],
        ["quotes", "AS 'SELECT ''x'' FROM a JOIN s.b ON true'"],
        ["standard form", "BEGIN ATOMIC SELECT 1 FROM a; SELECT 2 FROM s.b; END"],
        ["RETURN", "RETURN (SELECT 1 FROM a, s.b)"],
    ])("are those of its body in %s", (_, body) => {
        const head = "CREATE OR REPLACE FUNCTION f(x text DEFAULT 'FROM z') RETURNS TABLE (y text)";
        expect(names(`${head} LANGUAGE sql ${body}`)).toEqual(["a", "s.b"]);
    });

    it("are not sought in a string of a query", () => {
        expect(names("SELECT a AS b, 'FROM x' FROM m WHERE c LIKE $$ FROM y $$")).toEqual(["m"]);
    });
});
