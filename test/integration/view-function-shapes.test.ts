/** Views and functions of every shape: after `up` there is nothing to change, spelt otherwise neither. */
import { expectNoChange, sqlFunction, view } from "./declared";
import { onEveryServer } from "./onEveryServer";

const queries: readonly (readonly [string, string])[] = [
    ["all columns", "SELECT * FROM m"],
    ["a table", "TABLE m"],
    ["values", "VALUES (1, 'a'), (2, 'b')"],
    [
        "a recursive query",
        "WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 9) SELECT * FROM r",
    ],
    ["order and limit", `SELECT ts AS "Time", v FROM m ORDER BY 1 DESC LIMIT 5`],
    ["columns without names", "SELECT 1, now()"],
    [
        "a join and a window",
        "SELECT a.v, sum(b.v) OVER (PARTITION BY a.v) FROM m a LEFT JOIN m b USING (ts)",
    ],
    ["a comment at its end", "SELECT 1 AS one -- the end;"],
    ["a view in brackets", "(SELECT v FROM m) UNION (SELECT 2)"],
];

const functions: readonly (readonly [string, string])[] = [
    [
        "plpgsql",
        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE plpgsql AS $x$ DECLARE b int; BEGIN /* c */ FOR i IN 1..10 LOOP b := i; END LOOP; RETURN b; END $x$",
    ],
    [
        "one that calls itself",
        "CREATE FUNCTION f(n int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN f(n - 1); END'",
    ],
    [
        "SQL that calls itself",
        "CREATE FUNCTION f(n int) RETURNS int LANGUAGE sql AS 'SELECT CASE WHEN n > 0 THEN f(n - 1) END'",
    ],
    [
        "a table's columns",
        "CREATE FUNCTION f() RETURNS TABLE (ts timestamptz, total bigint) LANGUAGE sql ROWS 10 AS $$ SELECT m.ts, sum(m.v) FROM m GROUP BY 1 $$",
    ],
    ["rows of a table", "CREATE FUNCTION f() RETURNS SETOF m LANGUAGE sql STABLE AS 'TABLE m'"],
    [
        "OUT arguments",
        "CREATE FUNCTION f(IN a int, OUT b int, OUT c text, INOUT d int) LANGUAGE sql AS $$ SELECT 1, 'x', 2 $$",
    ],
    [
        "VARIADIC and polymorphic arguments",
        "CREATE FUNCTION f(first anyelement, VARIADIC rest anyarray) RETURNS anyelement LANGUAGE sql AS 'SELECT first'",
    ],
    [
        "a statement that no tree holds",
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'CREATE TABLE IF NOT EXISTS made (x int); DROP TABLE made'",
    ],
    [
        "several statements",
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'INSERT INTO m VALUES (now(), 1); SELECT count(*) FROM m;'",
    ],
    [
        "settings of the session",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path FROM CURRENT SET work_mem TO '8MB' AS 'SELECT 1'",
    ],
    [
        "an empty search path",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1'",
    ],
    [
        "RETURN",
        "CREATE FUNCTION f(a int DEFAULT 1 + 1, b text = $$it's ); $$) RETURNS text LANGUAGE sql IMMUTABLE STRICT RETURN a::text || b",
    ],
    [
        "a trigger",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
    ],
    [
        "nested quotes",
        "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $a$ BEGIN EXECUTE $b$ SELECT '$$;' $b$; RETURN $$ A $$; END $a$;",
    ],
    [
        "arguments without names",
        "CREATE FUNCTION f(int, timestamptz[]) RETURNS bool LANGUAGE sql AS 'SELECT $1 = 1 AND $2 IS NULL'",
    ],
];

onEveryServer((target) => {
    beforeAll(async () => {
        await target.byHand("CREATE TABLE m (ts timestamptz, v int)");
    });

    it.each(queries)("a view of %s", async (_, query) => {
        const declared = view(target, { name: "shaped", query });
        await declared.up();
        await expectNoChange(declared);
        await expectNoChange(declared, { ...declared.inputs, query: `/* c */ ${query}\n;` });
        await declared.remove();
    });

    it.each(functions)("a function of %s", async (_, definition) => {
        const declared = sqlFunction(target, { definition });
        await declared.up();
        await expectNoChange(declared);
        const spelt = definition.replace(
            "CREATE FUNCTION f",
            "/* c */ create or  replace function public . F",
        );
        await expectNoChange(declared, { definition: `${spelt}\n;` });
        // Whatever somebody did to it, it is the declared one again.
        await target.byHand("ALTER FUNCTION f COST 7");
        await declared.up();
        await expectNoChange(declared);
        await declared.remove();
        expect(await target.byHand("SELECT FROM pg_proc WHERE proname = 'f'")).toEqual([]);
    });

    it("does not take one literal of plpgsql for another, and one comment for the other", async () => {
        const text = (body: string): { definition: string } => ({
            definition: `CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$ BEGIN ${body}; END $$`,
        });
        const declared = sqlFunction(target, text("RETURN 'Abc'"));
        await declared.up();

        expect(await declared.preview(text("return 'Abc' -- said\n"))).toEqual([]);
        for (const other of ["RETURN 'abc'", "RETURN 'Abc '", `RETURN E'Abc'`, `RETURN "user"`]) {
            expect(await declared.preview(text(other))).toHaveLength(1);
        }
        await declared.remove();
    });

    it("revokes what default privileges give to a new function", async () => {
        await target.byHand(
            "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO observatory_writer",
        );
        const declared = sqlFunction(target, {
            definition: "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        });
        await declared.up();
        await target.byHand(
            "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM observatory_writer",
        );

        await expectNoChange(declared);
        await declared.remove();
    });
});
