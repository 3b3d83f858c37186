import { isEmpty, type Plan } from "../../components/timescale/core/plan/plan";
import type { Dependant } from "../../components/timescale/core/relation/dependants";
import { type DesiredQuery, diffView } from "../../components/timescale/core/view/diff";
import type { InspectedView } from "../../components/timescale/core/view/inspect";
import { planView } from "../../components/timescale/core/view/plan";
import {
    type DesiredView,
    desiredView,
    validateView,
} from "../../components/timescale/core/view/spec";
import { connection, namesOf, owner } from "../helpers/builders";

type Standing = InspectedView & { readonly kind: "view" };

const columns = [
    { name: "a", type: "integer", nullable: true, default: null, comment: null },
    { name: "b", type: "text", nullable: true, default: null, comment: null },
];

function wanted(given: Readonly<Record<string, unknown>> = {}): DesiredView {
    return desiredView({ name: "v", query: "SELECT a, b FROM t;", ...given });
}

function standing(given: Partial<Standing> = {}): Standing {
    return {
        kind: "view",
        databaseUuid: "5d2e",
        oid: "7",
        name: { schema: "public", name: "v" },
        owner,
        mayGiveAway: false,
        comment: null,
        options: [],
        grants: [],
        columns,
        definition: " SELECT a, b FROM t;",
        attached: [],
        ...given,
    };
}

function query(definition: string, ...names: readonly string[]): DesiredQuery {
    // As PostgreSQL decides it.
    const fits = columns.every(({ name }, at) => names[at] === name);
    return {
        definition,
        underActualNames: null,
        irreplaceable: fits ? null : "cannot drop columns from view",
        columns: names.map((name) => ({ name, type: name === "b" ? "text" : "integer" })),
    };
}

function plan(
    actual: InspectedView,
    desired: DesiredView,
    desiredQuery: DesiredQuery | null = null,
    managed = true,
    dependants: readonly Dependant[] = [],
): Plan {
    const as = desired.owner ?? owner;
    const input = { actual, desired, desiredQuery, dependants, owner: as, managed };
    return planView(diffView(input), desired, {
        login: owner,
        managed,
    });
}

const absent: InspectedView = { kind: "absent", databaseUuid: "5d2e" };

describe("a view that does not stand", () => {
    it("is created with options, comment and grants", () => {
        const { statements, notes } = plan(
            absent,
            wanted({
                securityInvoker: true,
                comment: "it's",
                grants: [{ role: "public", privileges: ["SELECT"] }],
            }),
            null,
            false,
        );
        expect(statements.map(({ sql }) => sql)).toEqual([
            'CREATE VIEW "public"."v" WITH (security_invoker = true) AS\nSELECT a, b FROM t',
            `COMMENT ON VIEW "public"."v" IS 'it''s'`,
            'GRANT SELECT ON "public"."v" TO PUBLIC',
        ]);
        expect(notes).toEqual([]);
    });

    it("is told of where it stood before", () => {
        expect(plan(absent, wanted()).notes).toMatchObject([{ code: "gone" }]);
    });

    it("is made as its owner", () => {
        expect(namesOf(plan(absent, wanted({ owner: "other" })))).toEqual([
            "set_role",
            "create_view",
        ]);
    });
});

describe("a view that stands", () => {
    it("is left alone when it is the same, however its options are spelt", () => {
        const actual = standing({ options: ["security_barrier=on", "security_invoker=0"] });
        const desired = wanted({ securityBarrier: true });
        expect(isEmpty(plan(actual, desired))).toBe(true);
        expect(isEmpty(plan(actual, desired, query(actual.definition, "a", "b")))).toBe(true);
    });

    it("is replaced in place while its columns stay and new ones come last, with its options", () => {
        const { statements, lines } = plan(
            standing({ options: ["security_barrier=true", "check_option=local"] }),
            wanted({ query: "SELECT a, b, c FROM t" }),
            query(" SELECT a, b, c FROM t;", "a", "b", "c"),
        );
        expect(statements).toEqual([
            {
                name: "replace_view",
                sql: 'CREATE OR REPLACE VIEW "public"."v" AS\nSELECT a, b, c FROM t',
            },
        ]);
        expect(lines).toEqual([
            {
                code: "query",
                property: "query",
                was: "SELECT a, b FROM t;",
                will: "SELECT a, b, c FROM t;",
                columns: [{ name: "c", was: null, will: "integer" }],
            },
            { code: "option", property: "checkOption", was: "local", will: undefined },
            { code: "option", property: "securityBarrier", was: "true", will: "false" },
        ]);
    });

    it.each([
        ["a column less", query("x", "a")],
        ["columns in another order", query("x", "b", "a")],
        ["a new column in the middle", query("x", "a", "c", "b")],
    ])("is made again for %s, with comment and grants", (_, desiredQuery) => {
        const desired = wanted({
            comment: "c",
            grants: [{ role: "reader", privileges: ["SELECT"] }],
        });
        const actual = standing({
            comment: "c",
            grants: [{ role: "reader", privileges: ["SELECT"] }],
        });
        const { statements, lines, refusals } = plan(actual, desired, desiredQuery);
        expect(statements.map(({ name }) => name)).toEqual([
            "drop_view",
            "create_view",
            "comment",
            "grant",
        ]);
        expect(lines.map(({ code }) => code)).toEqual(["query"]);
        expect(refusals).toEqual([]);
    });

    it("is never dropped while anything would go with it, and says all of that at once", () => {
        const { lines, refusals } = plan(
            standing({ attached: ["trigger mine"] }),
            wanted(),
            query("x", "a"),
            true,
            [{ kind: "view", identity: "public.w" }],
        );
        expect(refusals.map(({ code }) => code)).toEqual(["dependants", "attached"]);
        expect(refusals[0]?.detail).toBe(
            "cannot drop columns from view\ncolumn b text vanishes\nused by view public.w",
        );
        expect(lines.map(({ code }) => code)).toEqual(["query"]);
    });

    it("has its columns renamed where only names differ, also in a circle", () => {
        const desiredQuery = { ...query("x", "b", "a"), underActualNames: " SELECT a, b FROM t;" };
        expect(plan(standing(), wanted(), desiredQuery).statements.map(({ sql }) => sql)).toEqual([
            'ALTER VIEW "public"."v" RENAME COLUMN "a" TO "pulumi_timescale_column_0"',
            'ALTER VIEW "public"."v" RENAME COLUMN "b" TO "pulumi_timescale_column_1"',
            'ALTER VIEW "public"."v" RENAME COLUMN "pulumi_timescale_column_0" TO "b"',
            'ALTER VIEW "public"."v" RENAME COLUMN "pulumi_timescale_column_1" TO "a"',
        ]);
    });

    it("has its options set and reset", () => {
        const { statements } = plan(
            standing({ options: ["check_option=cascaded", "security_barrier=true"] }),
            wanted({ securityInvoker: true }),
        );
        expect(statements.map(({ sql }) => sql)).toEqual([
            'ALTER VIEW "public"."v" RESET (check_option)',
            'ALTER VIEW "public"."v" RESET (security_barrier)',
            'ALTER VIEW "public"."v" SET (security_invoker = true)',
        ]);
    });

    it("is renamed before anything else is done to it, and given away before that", () => {
        const actual = standing({
            name: { schema: "s", name: "w" },
            owner: "other",
            mayGiveAway: true,
        });
        expect(plan(actual, wanted({ comment: "c" })).statements.map(({ sql }) => sql)).toEqual([
            `ALTER VIEW "s"."w" OWNER TO "observatory_owner"`,
            'ALTER VIEW "s"."w" SET SCHEMA "public"',
            'ALTER VIEW "public"."w" RENAME TO "v"',
            `COMMENT ON VIEW "public"."v" IS 'c'`,
        ]);
    });

    it("is not taken from its owner by a login that may not", () => {
        const { refusals, statements } = plan(standing({ owner: "other" }), wanted());
        expect(refusals).toMatchObject([{ code: "another_owner" }]);
        expect(statements).toEqual([]);
    });
});

describe("a view that somebody else made", () => {
    it("is taken over when it is the same", () => {
        expect(
            isEmpty(plan(standing(), wanted(), query(" SELECT a, b FROM t;", "a", "b"), false)),
        ).toBe(true);
    });

    it.each([
        ["query", standing(), query("x", "a", "b")],
        ["owner", standing({ owner: "other", mayGiveAway: true }), null],
    ])("is refused when its %s differs, unless it is adopted", (_, actual, desiredQuery) => {
        const refused = plan(actual, wanted(), desiredQuery, false);
        expect(refused.refusals).toMatchObject([{ code: "exists_and_differs" }]);
        expect(refused.statements).toEqual([]);
        const adopted = plan(actual, wanted({ adopt: true }), desiredQuery, false);
        expect(adopted.refusals).toEqual([]);
        expect(adopted.statements).toHaveLength(1);
    });

    it("is no view: it stays", () => {
        const actual: InspectedView = {
            kind: "other",
            databaseUuid: "5d2e",
            relation: "continuous aggregate",
            owner: "other",
        };
        expect(plan(actual, wanted({ adopt: true })).refusals).toMatchObject([
            {
                code: "another_relation",
                message: "public.v exists already, and is a continuous aggregate",
            },
        ]);
    });
});

describe("validateView", () => {
    const problems = (inputs: Readonly<Record<string, unknown>>): string[] =>
        validateView({ connection, name: "v", ...inputs }, () => false).map(
            ({ property, reason }) => `${property}: ${reason.split("\n")[0] ?? ""}`,
        );

    it.each(["SELECT 1;", "WITH a AS (SELECT 1) TABLE a", "(VALUES (1))", "-- x\nTABLE t"])(
        "takes %s",
        (text) => {
            expect(problems({ query: text })).toEqual([]);
        },
    );

    it("reports every problem at once", () => {
        expect(
            problems({
                name: "",
                query: "DELETE FROM t; SELECT 1",
                materializedOnly: true,
                securityBarrier: "yes",
                grants: [{ role: "r", privileges: ["EXECUTE"] }],
            }),
        ).toEqual([
            "materializedOnly: there is no property materializedOnly",
            "name: name must not be empty",
            "query: the query holds more than one statement",
            "query: the query is not a SELECT",
            'grants: grants[0] names no table privilege: "EXECUTE"',
            "securityBarrier: securityBarrier must be true or false",
        ]);
        expect(problems({})).toEqual(["query: query is missing"]);
        expect(problems({ query: " ; " })).toEqual(["query: the query is empty"]);
    });
});
