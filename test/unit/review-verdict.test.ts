/** What a preview comes to: the verdict that a pipeline decides by. */
import type { Review } from "../../commands/review/document";
import { reviewOf } from "../../commands/review/review";
import type { PlanDocument } from "../../components/timescale/provider/planDocument";
import { readPreview } from "../../components/timescale/provider/preview";
import { document, preview, step, type TestStep, urnOf } from "./previews";

function review(
    steps: readonly TestStep[],
    documents: readonly object[],
    fields: Readonly<Record<string, unknown>> = {},
): Review {
    return reviewOf(readPreview(preview(steps, documents, fields)));
}

function planned(fields: Partial<PlanDocument>): Review {
    return review(
        [step("update", "ContinuousAggregate", "hourly")],
        [document("hourly", fields), document("raw", {})],
    );
}

const hazard = (name: string): PlanDocument["hazards"][number] => ({
    name: name as "REBUILDS",
    message: "it does",
    stake: null,
});
const change = (code: string, property: string): PlanDocument["changes"][number] => ({
    code: code as "comment",
    property,
    was: "a",
    will: "b",
});
const refusal = { code: "query_changed", message: "it has changed", detail: null, hint: null };

describe("the verdict on a plan", () => {
    it.each<[string, Partial<PlanDocument>, Review["verdict"], number]>([
        ["a comment", { changes: [change("comment", "comment")] }, "safe", 2],
        ["a wait", { hazards: [hazard("BLOCKS_WRITES")] }, "caution", 2],
        ["a rebuild", { hazards: [hazard("REBUILDS")] }, "caution", 2],
        [
            "lost history",
            { hazards: [hazard("REBUILDS"), hazard("LOSES_HISTORY")] },
            "destructive",
            3,
        ],
        ["lost data", { hazards: [hazard("LOSES_DATA")] }, "destructive", 3],
        ["a hazard of a later version", { hazards: [hazard("MELTS")] }, "destructive", 3],
        [
            "a replaced version that is dropped",
            { changes: [change("drop_version", "history.replacedVersions")] },
            "destructive",
            3,
        ],
        [
            "an unfinished version that is dropped",
            { changes: [change("drop_version", "building")] },
            "safe",
            2,
        ],
        [
            "another retention",
            { changes: [change("policy_setting", "retentionPolicy.dropAfter")] },
            "caution",
            2,
        ],
        [
            "a retention on a new object",
            { exists: false, changes: [change("policy_missing", "retentionPolicy")] },
            "safe",
            2,
        ],
        ["a refusal", { refusals: [refusal] }, "refused", 5],
        [
            "a refusal of what would lose data",
            { refusals: [refusal], hazards: [hazard("LOSES_DATA")] },
            "refused",
            5,
        ],
        ["an object that is gone", { notes: [{ code: "gone", message: "gone" }] }, "caution", 2],
        [
            "no comparison",
            {
                result: "notCompared",
                reason: { code: "connection_refused", message: "nobody answers" },
            },
            "notCompared",
            4,
        ],
        [
            "an object of a database that is still to come",
            {
                ...{ result: "notCompared", exists: false },
                reason: { code: "new_database", message: "its database does not exist yet" },
            },
            "safe",
            2,
        ],
        ["a result of a later version", { result: "perhaps" as "same" }, "notCompared", 4],
        ["a plan of a later format", { timescalePlan: 2 as 1 }, "notCompared", 4],
        ["a plan without its hazards", { hazards: undefined as never }, "notCompared", 4],
        ["a state that is remembered", { result: "same" }, "safe", 2],
    ])("of %s", (_what, fields, verdict, exitCode) => {
        expect(planned(fields)).toMatchObject({ verdict, exitCode });
    });

    it("is no change only where every object was compared and is as declared", () => {
        expect(review([], [document("hourly"), document("daily")])).toMatchObject({
            verdict: "noChange",
            exitCode: 0,
            summary: "All 2 objects are as declared.",
        });
    });

    it("is that of the gravest object, which comes first", () => {
        const found = review(
            [],
            [
                document("a"),
                document("b", { changes: [change("comment", "comment")] }),
                document("c", { hazards: [hazard("LOSES_DATA")] }),
                document("d", { refusals: [refusal] }),
            ],
        );

        expect(found.verdict).toBe("destructive");
        expect(found.objects.map(({ object }) => object)).toEqual([
            "public.c",
            "public.d",
            "public.b",
            "public.a",
        ]);
        expect(found.summary).toBe("3 of 4 objects change; 1 is destructive; 1 is refused by up.");
    });

    it("takes the gravest of what was said of one object", () => {
        const said = [document("a", { hazards: [hazard("LOSES_DATA")] }), document("a")];
        expect(review([], said).verdict).toBe("destructive");
        expect(review([], said.reverse()).verdict).toBe("destructive");
    });
});

describe("the verdict on a deletion", () => {
    const inputs = { schema: "public", name: "hourly" };
    const old = (more: object, state: object = {}): Partial<TestStep> => ({
        oldState: { custom: true, inputs: { ...inputs, ...more }, ...state },
    });

    it.each<[string, TestStep, Review["verdict"]]>([
        ["an aggregate", step("delete", "ContinuousAggregate", "x", old({})), "destructive"],
        ["a hypertable", step("delete", "Hypertable", "x", old({})), "destructive"],
        [
            "one with a backup",
            step("delete", "Hypertable", "x", old({ backup: "b" })),
            "destructive",
        ],
        [
            "one that is kept",
            step("delete", "ContinuousAggregate", "x", old({ onDelete: "keep" })),
            "caution",
        ],
        [
            "one that is retained",
            step("delete", "Hypertable", "x", old({}, { retainOnDelete: true })),
            "caution",
        ],
        ["a view", step("delete", "View", "x", old({})), "caution"],
        ["a kind of a later version", step("delete", "Tablespace", "x", old({})), "destructive"],
        ["a volume", step("delete", "docker:index/volume:Volume", "x"), "destructive"],
        [
            "a volume that is retained",
            step("delete", "docker:index/volume:Volume", "x", old({}, { retainOnDelete: true })),
            "caution",
        ],
        ["a container", step("delete", "docker:index/container:Container", "x"), "caution"],
        ["a database", step("delete", "postgresql:index/database:Database", "x"), "destructive"],
        ["a role", step("delete", "postgresql:index/role:Role", "x"), "destructive"],
        ["a grant", step("delete", "postgresql:index/grant:Grant", "x"), "caution"],
        ["anything else", step("delete", "aws:rds/instance:Instance", "x"), "destructive"],
    ])("of %s", (_what, deletion, verdict) => {
        expect(review([deletion], [document("other")]).verdict).toBe(verdict);
    });

    it.each([["create-replacement"], ["replace"], ["delete-replaced"]])(
        "is the same of %s",
        (op) => {
            const volume = step(
                op,
                "docker:index/volume:Volume",
                "data",
                old({}, { retainOnDelete: true }),
            );
            expect(review([volume], [document("other")]).verdict).toBe("destructive");
            const container = step(op, "docker:index/container:Container", "server");
            expect(review([container], [document("other")]).verdict).toBe("caution");
            // Though the provider says of its new self that it is the same.
            const table = step(op, "Hypertable", "raw", old({}));
            expect(
                review([table], [document("raw", { kind: "Hypertable", result: "same" })]).verdict,
            ).toBe("destructive");
        },
    );

    it("names the object by its inputs, since there is no plan", () => {
        const [object] = review([step("delete", "Hypertable", "x", old({}))], []).objects;
        expect(object).toMatchObject({ object: "public.hourly", action: "delete", planned: false });
    });
});

describe("a preview that is not whole", () => {
    it.each([
        ["nothing", ""],
        ["blanks", " \n"],
        ["no JSON", "Previewing update (prod):"],
        ["half of it", preview([], [document("a")]).slice(0, -20)],
        ["another JSON", '{"resources": []}'],
        ["a list", "[]"],
        ["a step without its operation", '{"steps": [{"urn": "x"}], "changeSummary": {}}'],
        ["steps that are none", '{"steps": "x", "changeSummary": {}}'],
    ])("is refused: %s", (_what, text) => {
        expect(() => readPreview(text)).toThrow("this is not the JSON of a pulumi preview");
    });

    it("never quotes what it cannot read, which may be a secret", () => {
        const broken = '{"password": "c4nary"';
        expect(() => readPreview(broken)).toThrow(
            expect.not.objectContaining({
                detail: expect.stringContaining("c4nary") as string,
            }) as Error,
        );
    });

    it.each([
        ["an error", { diagnostics: [{ message: "error: boom\n", severity: "error" }] }],
        ["no summary, because it was stopped", { changeSummary: undefined }],
        ["a summary that counts what no step shows", { changeSummary: { same: 1, delete: 2 } }],
        ["a state that may be corrupt", { maybeCorrupt: true }],
    ])("fails: %s", (_what, fields) => {
        expect(review([], [document("a")], fields)).toMatchObject({
            verdict: "failed",
            exitCode: 1,
        });
    });

    it("fails where whoever ran it says so, whatever is in it", () => {
        const whole = readPreview(preview([], [document("a")]));
        expect(
            reviewOf(whole, { failure: "the preview failed: it ended with code 255" }),
        ).toMatchObject({
            verdict: "failed",
            summary:
                "The preview failed: it ended with code 255, and what it shows may not be all; no change is among it.",
        });
    });

    it.each([
        ["has no plan at all", [], []],
        [
            "has none of an object that changes",
            [step("update", "ContinuousAggregate", "a")],
            [document("b")],
        ],
        ["has half of one", [], [document("b"), { timescalePlan: 1, urn: urnOf("View", "a") }]],
    ])("is not compared where it %s", (_what, steps, documents) => {
        expect(review(steps, documents)).toMatchObject({ verdict: "notCompared", exitCode: 4 });
    });

    it("is read behind the lines of a wrapper", () => {
        expect(readPreview(`> npm run x\n\n${preview([], [document("a")])}`).stack).toBe(
            "llm-observatory/prod",
        );
    });
});

describe("what the program declares otherwise", () => {
    it("is named, without its values", () => {
        const states = {
            oldState: {
                custom: true,
                inputs: {
                    __urn: "a",
                    connection: { password: "c4nary" },
                    name: "a",
                    acceptLoss: { a: 1, b: 2 },
                },
            },
            newState: {
                custom: true,
                inputs: {
                    __urn: "b",
                    connection: { password: "c4nary2" },
                    name: "a",
                    acceptLoss: { b: 2, a: 1 },
                    backup: "x",
                },
            },
        };
        const found = review(
            [step("update", "Hypertable", "a", states)],
            [document("a", { kind: "Hypertable", result: "same" })],
        );

        expect(found.objects[0]?.inputs).toEqual(["connection", "backup"]);
        expect(JSON.stringify(found)).not.toContain("c4nary");
    });
});
