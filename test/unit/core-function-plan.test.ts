import {
    type Comparison,
    diffFunction,
    type FunctionDiffInput,
} from "../../components/timescale/core/function/diff";
import { planFunction } from "../../components/timescale/core/function/plan";
import type { ActualFunction } from "../../components/timescale/core/function/routine";
import {
    type DesiredFunction,
    desiredFunction,
} from "../../components/timescale/core/function/spec";
import { isEmpty, type Plan } from "../../components/timescale/core/plan/plan";
import { namesOf, owner } from "../helpers/builders";

const text = "CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT x'";
const object = "public.f(integer)";

function wanted(given: Readonly<Record<string, unknown>> = {}): DesiredFunction {
    return desiredFunction({ definition: text, ...given });
}

function standing(given: Partial<ActualFunction> = {}): ActualFunction {
    return {
        oid: "7",
        schema: "public",
        name: "f",
        kind: "f",
        argumentTypes: "23",
        identityArguments: "x integer",
        types: ["integer"],
        arguments: "x integer",
        result: "integer",
        language: "sql",
        body: "SELECT x",
        atomic: false,
        definition:
            "CREATE OR REPLACE FUNCTION public.f(x integer)\n RETURNS integer\n LANGUAGE sql\nAS $function$SELECT x$function$\n",
        attributes: { volatility: "volatile", security: "invoker", cost: 100 },
        settings: [],
        owner,
        comment: null,
        extension: null,
        mayGiveAway: false,
        grants: [],
        ...given,
    };
}

function compared(given: Partial<Comparison> = {}): Comparison {
    return { declared: standing(), sameBody: true, irreplaceable: null, ...given };
}

function plan(
    desired: DesiredFunction,
    given: Partial<FunctionDiffInput> & { readonly unread?: boolean } = {},
): Plan {
    const { unread = false, ...input } = given;
    const { managed = true } = input;
    const changes = diffFunction({
        actual: { kind: "function", standing: standing() },
        desired,
        comparison: compared(),
        dependants: [],
        stale: null,
        owner: desired.owner ?? owner,
        managed,
        ...input,
    });
    return planFunction(changes, desired, {
        login: owner,
        identityArguments: unread ? undefined : "x integer",
        object,
        managed,
    });
}

const sqlOf = ({ statements }: Plan): string[] => statements.map(({ sql }) => sql);
const absent = { actual: { kind: "absent" }, comparison: null } as const;

describe("a function that does not stand", () => {
    const desired = wanted({
        comment: "it's",
        grants: [{ role: "reader", privileges: ["EXECUTE"] }],
    });

    it("is created, and taken from everyone but those that are declared", () => {
        const { lines, notes, ...rest } = plan(desired, { ...absent, managed: false });
        expect(sqlOf({ lines, notes, ...rest })).toEqual([
            `CREATE FUNCTION "public"."f"(x int) RETURNS int LANGUAGE sql AS 'SELECT x'`,
            `COMMENT ON FUNCTION "public"."f"(x integer) IS 'it''s'`,
            'REVOKE EXECUTE ON FUNCTION "public"."f"(x integer) FROM PUBLIC',
            'GRANT EXECUTE ON FUNCTION "public"."f"(x integer) TO "reader"',
        ]);
        expect(lines.map(({ code }) => code)).toEqual([
            "create",
            "comment",
            "grant_unexpected",
            "grant_missing",
        ]);
        expect(notes).toEqual([]);
    });

    it("is named without arguments while the server cannot read them", () => {
        expect(sqlOf(plan(desired, { ...absent, unread: true })).slice(1)).toEqual([
            `COMMENT ON FUNCTION "public"."f" IS 'it''s'`,
            'REVOKE EXECUTE ON FUNCTION "public"."f" FROM PUBLIC',
            'GRANT EXECUTE ON FUNCTION "public"."f" TO "reader"',
        ]);
    });

    it("keeps what PostgreSQL gives to everyone where that is declared", () => {
        const open = wanted({ grants: [{ role: "public", privileges: ["EXECUTE"] }] });
        expect(namesOf(plan(open, absent))).toEqual(["create_function"]);
    });

    it("takes the place of the one with other arguments, unless that is in use", () => {
        const old = standing({ identityArguments: "x text", types: ["text"], argumentTypes: "25" });
        const stale = { standing: old, dependants: [] };
        const free = plan(wanted(), { ...absent, stale });
        expect(sqlOf(free)[0]).toBe('DROP FUNCTION "public"."f"(x text)');
        expect(free.lines[0]).toEqual({
            code: "signature",
            property: "signature",
            was: "public.f(text)",
            will: object,
        });
        expect(free.notes).toEqual([]);

        const dependants = [{ kind: "trigger", identity: "a on public.t" }];
        const used = plan(wanted(), { ...absent, stale: { ...stale, dependants } });
        expect(used.refusals).toMatchObject([
            {
                code: "dependants",
                message: "function public.f(text) would have to be dropped, and others use it",
                detail: expect.stringContaining("trigger a on public.t") as string,
            },
        ]);
    });
});

describe("a function that stands", () => {
    it("is left alone when it does the same", () => {
        expect(isEmpty(plan(wanted()))).toBe(true);
        expect(isEmpty(plan(wanted(), { comparison: null }))).toBe(true);
    });

    it("is replaced in place, comment and grants untouched, for attributes and settings", () => {
        const declared = standing({
            attributes: { volatility: "stable", security: "definer", cost: 100 },
            settings: ["search_path=", "work_mem=1MB"],
        });
        const actual = {
            kind: "function",
            standing: standing({ settings: ["work_mem=2MB", "jit=off"] }),
        } as const;
        const { lines, ...rest } = plan(wanted(), { actual, comparison: compared({ declared }) });
        expect(sqlOf({ lines, ...rest })).toEqual([
            `CREATE OR REPLACE FUNCTION "public"."f"(x int) RETURNS int LANGUAGE sql AS 'SELECT x'`,
        ]);
        expect(lines.map(({ property, was, will }) => [property, was, will])).toEqual([
            ["security", "invoker", "definer"],
            ["set.jit", "off", "none"],
            ["set.search_path", "none", "''"],
            ["set.work_mem", "2MB", "1MB"],
            ["volatility", "volatile", "stable"],
        ]);
    });

    it("shows both texts under one name where the body differs", () => {
        const declared = standing({
            schema: "pg_temp_3",
            definition: standing()
                .definition.replace("public.f", "pg_temp_3.f")
                .replace("T x", "T 2"),
        });
        const { lines } = plan(wanted(), { comparison: compared({ declared, sameBody: false }) });
        expect(lines).toEqual([
            {
                code: "definition",
                property: "definition",
                was: standing().definition.trimEnd(),
                will: standing().definition.trimEnd().replace("T x", "T 2"),
            },
        ]);
    });

    it("is made again where PostgreSQL cannot replace it, with its comment and grants", () => {
        const comparison = compared({
            declared: standing({ result: "text" }),
            irreplaceable: "cannot change return type of existing function",
        });
        const desired = wanted({ comment: "c" });
        const actual = {
            kind: "function",
            standing: standing({ comment: "c", grants: [] }),
        } as const;
        expect(namesOf(plan(desired, { actual, comparison }))).toEqual([
            "drop_function",
            "create_function",
            "comment",
            "revoke",
        ]);
        const dependants = [{ kind: "job", identity: "1000 of public.f" }];
        const refused = plan(desired, { actual, comparison, dependants });
        expect(refused.refusals).toMatchObject([
            {
                code: "dependants",
                detail: "cannot change return type of existing function; used by job 1000 of public.f",
            },
        ]);
        expect(refused.statements).toEqual([]);
    });

    it("is given away as the login, then renamed and changed as its owner", () => {
        const actual = {
            kind: "function",
            standing: standing({ schema: "s", name: "g", mayGiveAway: true }),
        } as const;
        const desired = wanted({ owner: "other", comment: "c" });
        expect(sqlOf(plan(desired, { actual }))).toEqual([
            'ALTER FUNCTION "s"."g"(x integer) OWNER TO "other"',
            'SET LOCAL ROLE "other"',
            'ALTER FUNCTION "s"."g"(x integer) SET SCHEMA "public"',
            'ALTER FUNCTION "public"."g"(x integer) RENAME TO "f"',
            `COMMENT ON FUNCTION "public"."f"(x integer) IS 'c'`,
        ]);
        const jobs = [{ kind: "job", identity: "1000 of s.g" }];
        expect(plan(desired, { actual, dependants: jobs }).refusals).toMatchObject([
            { code: "dependants", message: "function s.g(integer) is run by jobs" },
        ]);
    });
});

describe("a function that somebody else made", () => {
    it.each([
        ["text", { comparison: compared({ sameBody: false }) }],
        [
            "owner",
            {
                actual: {
                    kind: "function",
                    standing: standing({ owner: "other", mayGiveAway: true }),
                },
            } as const,
        ],
    ])("is refused when its %s differs, unless it is adopted", (_, given) => {
        const refused = plan(wanted(), { ...given, managed: false });
        expect(refused.refusals).toMatchObject([{ code: "exists_and_differs" }]);
        expect(refused.statements).toEqual([]);
        const adopted = plan(wanted({ adopt: true }), { ...given, managed: false });
        expect(adopted.refusals).toEqual([]);
        expect(adopted.statements).toHaveLength(1);
    });

    it("is refused beside the function of the last apply as well", () => {
        const stale = { standing: standing({ types: ["text"] }), dependants: [] };
        const comparison = compared({ sameBody: false });
        expect(plan(wanted(), { stale, comparison }).refusals).toMatchObject([
            { code: "exists_and_differs" },
        ]);
    });
});
