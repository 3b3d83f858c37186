import {
    displayName,
    identifierProblem,
    quoteQualified,
} from "../../components/timescale/core/identifier";

describe("quoteQualified", () => {
    it.each([
        ["hourly", '"public"."hourly"'],
        ["Hourly", '"public"."Hourly"'],
        ["select", '"public"."select"'],
        ['we"ird', '"public"."we""ird"'],
        ["Robert'; --", `"public"."Robert'; --"`],
        ["a.b", '"public"."a.b"'],
        ["back\\slash", '"public"."back\\slash"'],
        ["Größe", '"public"."Größe"'],
    ])("quotes %s so that it needs no other care", (name, quoted) => {
        expect(quoteQualified({ schema: "public", name })).toBe(quoted);
    });

    it("quotes the schema as well", () => {
        expect(quoteQualified({ schema: 'Odd "Schema"', name: "m" })).toBe('"Odd ""Schema"""."m"');
    });
});

describe("displayName", () => {
    it.each([
        ["public", "hourly_2", "public.hourly_2"],
        ["public", "Hourly", 'public."Hourly"'],
        ["public", "2hourly", 'public."2hourly"'],
        ['Odd "Schema"', 'we"ird', '"Odd ""Schema"""."we""ird"'],
        ["public", "a.b", 'public."a.b"'],
    ])("shows %s, %s as a person would write it", (schema, name, shown) => {
        expect(displayName({ schema, name })).toBe(shown);
    });
});

describe("identifierProblem", () => {
    it.each([
        ["a plain one", "hourly"],
        ["one that needs quoting", 'we"ird'],
        ["one that looks like SQL", "Robert'; --"],
        ["a reserved word", "select"],
        ["one of 63 bytes", "x".repeat(63)],
        ["one of 63 bytes in 21 characters", "日".repeat(21)],
    ])("takes %s", (_what, name) => {
        expect(identifierProblem(name)).toBeUndefined();
    });

    it.each<[string, unknown, string]>([
        [
            "64 bytes",
            "x".repeat(64),
            "is 64 bytes long; PostgreSQL keeps 63 and would cut the rest",
        ],
        [
            "64 bytes in 22 characters",
            `${"日".repeat(21)}x`,
            "is 64 bytes long; PostgreSQL keeps 63 and would cut the rest",
        ],
        ["nothing", "", "must not be empty"],
        ["a NUL", "a\0b", "must not contain a NUL character"],
        ["a number", 5, "must be a string"],
        ["null", null, "must be a string"],
    ])("does not take %s", (_what, name, problem) => {
        expect(identifierProblem(name)).toBe(problem);
    });
});
