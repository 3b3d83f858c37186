/** What a review says of an object that goes, where its rows were counted and where not. */
import { contentOf } from "../../commands/forge/reviewed";
import type { Review, ReviewedObject } from "../../commands/review/document";
import type { Removal } from "../../commands/review/removal";
import { render } from "../../commands/review/render";
import { reviewOf } from "../../commands/review/review";
import { recordedResources } from "../../commands/review/state";
import type { HistoryAtStake } from "../../components/timescale/core/aggregate/history";
import { TimescaleError } from "../../components/timescale/core/errors";
import type { Held } from "../../components/timescale/core/removal/held";
import type { LeavingBuckets } from "../../components/timescale/core/removal/leaving";
import { readPreview } from "../../components/timescale/provider/preview";
import { document, preview, step, urnOf } from "./previews";

const held = (fields: Partial<Held> = {}): Held => ({
    ...{ chunks: 12, bytes: 1_200_000, rows: 5040, estimated: false },
    ...{ oldest: "2026-08-24 00:00:00+00", newest: "2026-11-22 23:00:00+00" },
    ...fields,
});

const stake = (rows: number): HistoryAtStake => ({
    rows,
    oldest: "2026-04-28 00:00:00+00",
    newest: "2026-08-23 23:00:00+00",
    raw: [{ begins: "2026-08-24 00:00:00+00", ends: "2026-11-25 00:00:00+00" }],
});

const loss = new TimescaleError("dropping continuous aggregate public.x would lose history", {
    code: "loses_history",
    detail: "2832 rows, and acceptLoss covers 0 rows",
});

const buckets = (rows: number, fields: Partial<LeavingBuckets> = {}): LeavingBuckets => ({
    source: { schema: "public", name: "raw" },
    history: rows === 0 ? [] : [{ stake: stake(rows) }],
    refusals: [],
    ...fields,
});

function leaving(
    fields: { held?: Held; buckets?: LeavingBuckets } = {},
    others: Partial<Extract<Removal, { readonly leaving: object }>> = {},
): Removal {
    const leaving = { databaseUuid: "u", held: held(), readers: [], ...fields };
    return { leaving, refusals: [], sourceGoes: false, ...others };
}

function reviewed(kind: string, removal: Removal | undefined, inputs: object = {}): Review {
    const states = { oldState: { custom: true, inputs: { name: "x", ...inputs } } };
    const text = preview([step("delete", kind, "x", states)], [document("other")]);
    const removals = removal === undefined ? undefined : new Map([[urnOf(kind, "x"), removal]]);
    return reviewOf(readPreview(text), { removals });
}

function object(kind: string, removal: Removal | undefined, inputs: object = {}): ReviewedObject {
    const found = reviewed(kind, removal, inputs).objects.find((one) => one.action === "delete");
    if (found === undefined) throw new Error("nothing is deleted");
    return found;
}

const said = (kind: string, removal: Removal | undefined, inputs: object = {}): string[] =>
    object(kind, removal, inputs).reasons.map(({ code, message }) => `${code}: ${message}`);

describe("of what goes, a review", () => {
    it("says of a hypertable its rows, times, chunks and size", () => {
        const found = object("Hypertable", leaving(), { backup: "backups" });

        expect(found).toMatchObject({
            verdict: "destructive",
            hazards: [{ name: "LOSES_DATA", stake: { rows: 5040, estimated: false } }],
            removed: { rows: 5040, chunks: 12, bytes: 1_200_000, notCounted: null },
        });
        expect(found.reasons).toEqual([
            {
                code: "drops_rows",
                message:
                    "it is dropped, with 5,040 rows from 2026-08-24 00:00:00+00 to 2026-11-22 23:00:00+00, in 12 chunks, 1.2 MB; a backup is written to backups first",
            },
        ]);
        expect(render(reviewed("Hypertable", leaving()))).toContain(
            "(5,040 rows, 2026-08-24 00:00:00+00 … 2026-11-22 23:00:00+00)",
        );
    });

    it.each([
        ["about 5,040 rows in chunks from", held({ estimated: true })],
        ["rows in chunks from", held({ estimated: true, rows: null })],
        ["it is dropped; it holds no rows now", held({ rows: 0, oldest: null, newest: null })],
    ])("says %s", (text, found) => {
        expect(said("Hypertable", leaving({ held: found })).join()).toContain(text);
    });

    it("says of an aggregate whether raw data can give its rows again", () => {
        const all = said("ContinuousAggregate", leaving({ buckets: buckets(0) }));
        expect(all).toHaveLength(1);
        expect(all[0]).toMatch(/^drops_rows: .*; raw data can give them again$/);

        const raw = leaving({ buckets: buckets(0) }, { sourceGoes: true });
        expect(said("ContinuousAggregate", raw)[0]).toMatch(
            /; what they are computed from goes as well$/,
        );

        const [history, rows] = said("ContinuousAggregate", leaving({ buckets: buckets(2832) }));
        expect(history).toBe(
            "LOSES_HISTORY: 2832 rows from 2026-04-28 00:00:00+00 to 2026-08-23 23:00:00+00 exist only in this aggregate; raw data begins 2026-08-24",
        );
        expect(rows).toMatch(/; raw data can give the others again$/);
    });

    it("names a version that the aggregate has replaced, and that goes as well", () => {
        const version = { version: "public.x_replaced_20260910_2", stake: stake(7) };
        const removal = leaving({ buckets: buckets(0, { history: [version] }) });
        expect(said("ContinuousAggregate", removal)[0]).toMatch(
            /^LOSES_HISTORY: public\.x_replaced_20260910_2, which it had replaced, goes as well: 7 rows /,
        );
    });

    it("is refused where up refuses, and shows what would be lost", () => {
        const removal = leaving({ buckets: buckets(2832) }, { refusals: [loss] });
        const review = reviewed("ContinuousAggregate", removal);
        const text = render(review);

        expect(review).toMatchObject({ verdict: "refused", exitCode: 5 });
        expect(text).toContain("| nothing: it is refused |");
        expect(text).toContain("Detail: 2832 rows, and acceptLoss covers 0 rows");
        expect(text).toContain("- None of it happens while it is refused.");
    });

    it("is destructive, and says why, where nobody could count", () => {
        const inputs = { acceptLoss: { upToRows: 9 } };
        expect(said("ContinuousAggregate", { notCounted: "nobody answers" }, inputs)).toEqual([
            'drops_rows: it is dropped, with all its rows; acceptLoss allows {"upToRows":9} of what raw data no longer has; rows not counted: nobody answers',
        ]);
        expect(said("Hypertable", undefined)).toEqual([
            "drops_rows: it is dropped, with all its rows; rows not counted: run npm run review with --stack",
        ]);
        const slow = leaving({ buckets: buckets(0, { notCounted: "statement timeout" }) });
        expect(object("ContinuousAggregate", slow)).toMatchObject({
            verdict: "destructive",
            removed: { rows: 5040, notCounted: "statement timeout" },
        });
        expect(said("ContinuousAggregate", slow).join()).not.toContain("can give them again");
    });

    it("is a caution where it is gone already", () => {
        expect(object("Hypertable", { gone: true })).toMatchObject({
            verdict: "caution",
            reasons: [{ code: "gone" }],
        });
    });

    it("looks at no rows of what is kept, or holds none", () => {
        expect(object("ContinuousAggregate", undefined, { onDelete: "keep" })).toMatchObject({
            verdict: "caution",
            reasons: [{ code: "forgets_resource" }],
        });
        expect(object("View", undefined).reasons).toMatchObject([{ code: "drops_object" }]);
    });
});

describe("an approval of a deletion", () => {
    const content = (removal: Removal | undefined, kind = "ContinuousAggregate"): string =>
        contentOf(reviewed(kind, removal));

    it("goes on with more rows of the same, and whether they were counted or not", () => {
        const table = content(leaving(), "Hypertable");
        expect(content(leaving({ held: held({ rows: 6000, chunks: 14 }) }), "Hypertable")).toBe(table); // prettier-ignore
        expect(content(leaving({ held: held({ rows: 0 }) }), "Hypertable")).toBe(table);
        expect(content({ notCounted: "nobody answers" }, "Hypertable")).toBe(table);
        expect(content(leaving({ buckets: buckets(2832) }))).toBe(
            content(leaving({ buckets: buckets(2833) })),
        );
    });

    it("ends where history begins to be lost, or up begins to refuse", () => {
        const rebuildable = content(leaving({ buckets: buckets(0) }));
        const losing = content(leaving({ buckets: buckets(1) }));
        const refused = content(leaving({ buckets: buckets(1) }, { refusals: [loss] }));
        expect(new Set([rebuildable, losing, refused]).size).toBe(3);
    });
});

describe("a destroy", () => {
    it("is no comparison, and says how many go", () => {
        const text = preview([step("delete", "View", "x")], []);
        expect(reviewOf(readPreview(text), { destroy: true })).toMatchObject({
            operation: "destroy",
            verdict: "caution",
            summary: "Destroy would delete 1 object.",
        });
    });

    it("of nothing is no change", () => {
        const review = reviewOf(readPreview('{"steps": [], "changeSummary": {}}'), {
            destroy: true,
        });
        expect(review).toMatchObject({
            verdict: "noChange",
            exitCode: 0,
            summary: "Destroy would delete nothing.",
        });
    });
});

describe("the export of a stack", () => {
    const secret = (value: unknown): object => ({
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
        plaintext: JSON.stringify(value),
    });
    const exported = (...resources: object[]): string =>
        JSON.stringify({ version: 3, deployment: { resources } });

    it("is read with its secrets, and without what waits to be deleted", () => {
        const connection = { host: "h", password: "p" };
        const state = { urn: "a", type: "t", outputs: { connection: secret(connection) } };
        const text = exported(state, { ...state, delete: true, outputs: {} });

        expect(recordedResources(text).get("a")?.outputs).toEqual({ connection });
    });

    it("is never quoted", () => {
        const broken = '{"deployment": "c4nary"';
        const error = (() => {
            try {
                return recordedResources(broken);
            } catch (caught) {
                return caught;
            }
        })();
        expect(error).toBeInstanceOf(TimescaleError);
        expect(JSON.stringify(error) + String(error)).not.toContain("c4nary");
    });
});
