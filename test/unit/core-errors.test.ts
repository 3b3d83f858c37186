import { isTransient, serverError } from "../../components/timescale/core/connection/serverErrors";
import { explain, TimescaleError } from "../../components/timescale/core/errors";
import {
    notConverged,
    refuse,
    searchPathOf,
} from "../../components/timescale/core/plan/converging";
import type { Plan } from "../../components/timescale/core/plan/plan";
import { databaseError } from "../helpers/scriptedSession";

function thrownBy(work: () => void): unknown {
    try {
        work();
    } catch (error) {
        return error;
    }
    return undefined;
}

describe("explain", () => {
    it("gives message, detail and hint lines of their own, as psql prints them", () => {
        const error = new TimescaleError("permission denied for table m", {
            code: "42501",
            statement: "add_refresh_policy",
            detail: "line one\nline two",
            hint: "grant it",
        });
        expect(explain(error)).toBe(
            [
                "permission denied for table m (in add_refresh_policy, 42501)",
                "  detail: line one",
                "line two",
                "  hint:   grant it",
            ].join("\n"),
        );
    });

    it.each([
        [{}, "it failed"],
        [{ code: "orphan" }, "it failed (orphan)"],
        [{ statement: "grant" }, "it failed (in grant)"],
        [{ hint: "try again" }, "it failed\n  hint:   try again"],
    ])("leaves out what is not there: %j", (fields, text) => {
        expect(explain(new TimescaleError("it failed", fields))).toBe(text);
    });
});

describe("isTransient", () => {
    it.each([
        ["a lock that was not free in time", "55P03", "canceling statement due to lock timeout"],
        ["a deadlock", "40P01", "deadlock detected"],
        ["a serialization failure", "40001", "could not serialize access"],
        [
            "a chunk that retention dropped meanwhile",
            "42P01",
            'relation "_timescaledb_internal._hyper_1_42_chunk" does not exist',
        ],
        ["a chunk that is gone by its number", "XX000", "could not open relation with OID 16842"],
        ["a chunk that is compressed meanwhile", "XX000", "tuple concurrently updated"],
        [
            "two that create the same view",
            "23505",
            'duplicate key value violates unique constraint "pg_type_typname_nsp_index"',
        ],
    ])("sees %s", (_what, code, message) => {
        expect(isTransient(databaseError(code, message))).toBe(true);
    });

    it.each([
        ["a table that does not exist", databaseError("42P01", 'relation "m" does not exist')],
        ["an internal error", databaseError("XX000", "cache lookup failed")],
        ["a duplicate row", databaseError("23505", 'violates unique constraint "m_pkey"')],
        ["a missing privilege", databaseError("42501", "permission denied")],
        [
            "a cancelled statement",
            databaseError("57014", "canceling statement due to user request"),
        ],
        ["a lost connection", new Error("Connection terminated unexpectedly")],
        ["what is no error", "55P03"],
    ])("does not see %s", (_what, error) => {
        expect(isTransient(error)).toBe(false);
    });
});

describe("serverError", () => {
    const at = { statement: "add_refresh_policy", object: "public.hourly" };

    it("swallows nothing that the server said", () => {
        const cause = databaseError("22023", "policy refresh window too small", {
            detail: "The start and end offsets must cover at least two buckets.",
            hint: "Use wider offsets.",
            where: "PL/pgSQL function f()",
        });
        expect(serverError(cause, at)).toMatchObject({
            message: "policy refresh window too small",
            code: "22023",
            detail: "The start and end offsets must cover at least two buckets.; PL/pgSQL function f()",
            hint: "Use wider offsets.",
            statement: "add_refresh_policy",
            object: "public.hourly",
            cause,
        });
    });

    it.each([
        ["28000", /needs LOGIN/],
        ["25006", /writable primary/],
        ["22003", /wider one/],
        ["42P07", /adopt: true/],
    ])("adds what to do about %s", (code, hint) => {
        expect(serverError(databaseError(code, "no"), at).hint).toMatch(hint);
    });

    it("adds nothing where it has nothing to add", () => {
        const error = serverError(databaseError("XX000", "no"), at);
        expect([error.detail, error.hint]).toEqual([undefined, undefined]);
    });

    it("takes anything else for a broken connection, and keeps what it said", () => {
        expect(serverError(new Error("read ECONNRESET"), at)).toMatchObject({
            message: "the connection broke while working on public.hourly",
            code: "connection_lost",
            detail: "read ECONNRESET",
        });
        expect(serverError("gone", at).detail).toBe("gone");
    });

    it("leaves an error alone that is in the user's terms already", () => {
        const error = new TimescaleError("no");
        expect(serverError(error, at)).toBe(error);
    });
});

describe("refuse", () => {
    it("lets pass what nothing is said against", () => {
        expect(thrownBy(() => refuse([]))).toBeUndefined();
    });

    it("throws a single refusal as it is", () => {
        const refusal = new TimescaleError("no");
        expect(thrownBy(() => refuse([refusal]))).toBe(refusal);
    });

    it("throws several as one, so that none hides another", () => {
        const refusals = [
            new TimescaleError("the query has changed", {
                code: "query_changed",
                detail: "- a",
                hint: "put it back",
                object: "public.hourly",
            }),
            new TimescaleError("it belongs to bob", {
                code: "another_owner",
                detail: "and not to you",
                hint: "change the owner",
            }),
        ];
        expect(thrownBy(() => refuse(refusals))).toMatchObject({
            message: "the query has changed",
            code: "query_changed",
            detail: "- a\nalso: it belongs to bob; and not to you",
            hint: "put it back; change the owner",
            object: "public.hourly",
        });
    });
});

describe("notConverged", () => {
    it("says what still differs, changes and refusals alike", () => {
        const plan: Plan = {
            lines: [{ code: "comment", property: "comment", was: "none", will: '"x"' }],
            statements: [],
            fill: false,
            refusals: [new TimescaleError("it belongs to bob", { detail: "and not to you" })],
            notes: [],
        };
        expect(notConverged("public.hourly", plan)).toMatchObject({
            message: "public.hourly still differs after the plan was applied",
            code: "not_converged",
            detail: 'comment: none → "x"; it belongs to bob: and not to you',
        });
    });
});

describe("searchPathOf", () => {
    const server = {
        timescaleVersion: "2.14.2",
        replica: false,
        embedded: false,
        altersCompressed: true,
        decompressesToDelete: false,
    };

    it.each([
        ["app", "timescale", ["app", "public", "timescale"]],
        ["public", "public", ["public"]],
        ["app", "app", ["app", "public"]],
    ])("of an object in %s with the extension in %s is %j", (schema, extensionSchema, path) => {
        expect(searchPathOf({ schema, name: "m" }, { ...server, extensionSchema })).toEqual(path);
    });
});
