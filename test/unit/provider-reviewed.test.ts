/** What `up` finds that the reviewed preview did not have. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { reviewOf } from "../../commands/review/review";
import type {
    PlanDocument,
    PlannedChange,
    PlannedHazard,
} from "../../components/timescale/provider/planDocument";
import { readPreview } from "../../components/timescale/provider/preview";
import {
    departures,
    refuseUnreviewed,
    refuseUnreviewedDelete,
    reviewedPreview,
    reviewedVariable,
} from "../../components/timescale/provider/reviewed";

const base: PlanDocument = {
    timescalePlan: 1,
    ...{ urn: "u", kind: "ContinuousAggregate", object: "public.by_hour", result: "differs" },
    ...{ exists: true, changes: [], statements: [], fill: false },
    ...{ hazards: [], refusals: [], notes: [] },
};
const schedule: PlannedChange = {
    ...{ code: "policy_setting", property: "refreshPolicy.scheduleInterval" },
    ...{ was: "5 minutes", will: "10 minutes" },
};
const kept = (rows: number): PlannedChange => ({
    ...{ code: "keep_history", was: null, will: null },
    property: `build it beside, as public.by_hour_building, and let it take its place; ${rows} rows of history are copied`,
});
const loses = (rows: number): PlannedHazard => ({
    ...{ name: "LOSES_HISTORY", message: `${rows} rows` },
    stake: { rows, oldest: "a", newest: "b", estimated: false },
});

describe("against the review", () => {
    it("there is nothing to say where nothing is to be done, whatever was reviewed", () => {
        expect(departures(undefined, { ...base, result: "same" })).toEqual([]);
    });

    it("less may be done than was reviewed, as after an up that was cut off", () => {
        const reviewed = { ...base, changes: [schedule, kept(30)] };

        expect(departures(reviewed, { ...base, changes: [kept(35)] })).toEqual([]);
        expect(departures(reviewed, reviewed)).toEqual([]);
    });

    it("what somebody changed meanwhile is named", () => {
        const now = { ...base, changes: [{ ...schedule, was: "1 hour" }] };

        expect(departures({ ...base, changes: [schedule] }, now)).toEqual([
            "only now: refreshPolicy.scheduleInterval: 1 hour → 10 minutes",
        ]);
    });

    it("what is in no review, or could not be compared in it, is not done", () => {
        const reviewed: PlanDocument = {
            ...base,
            ...{ result: "notCompared", reason: { code: "08006", message: "nobody answered" } },
        };

        expect(departures(undefined, { ...base, changes: [schedule] })).toEqual([
            "its plan is not in the review",
        ]);
        expect(departures(reviewed, { ...base, changes: [schedule] })).toEqual([
            "the review could not compare it (nobody answered), and it stands",
        ]);
        expect(departures(reviewed, { ...base, exists: false })).toEqual([]);
    });

    it("more at stake is not what was agreed to, and less is", () => {
        const reviewed = { ...base, changes: [kept(1)], hazards: [loses(30)] };

        expect(departures(reviewed, { ...reviewed, hazards: [loses(30)] })).toEqual([]);
        expect(departures(reviewed, { ...reviewed, hazards: [loses(29)] })).toEqual([]);
        expect(departures(reviewed, { ...reviewed, hazards: [loses(31)] })).toEqual([
            "LOSES_HISTORY: 30 rows in the review, 31 now",
        ]);
        expect(departures({ ...reviewed, hazards: [] }, reviewed)).toEqual([
            "only now: LOSES_HISTORY: 30 rows",
        ]);
    });
});

describe("a review in a file", () => {
    const folder = mkdtempSync(join(tmpdir(), "reviewed-"));
    afterAll(() => rmSync(folder, { recursive: true }));

    const urnOf = (name: string): string =>
        `urn:pulumi:dev::p::pulumi-nodejs:dynamic/timescale:ContinuousAggregate::${name}`;
    const step = (op: string, name: string) => ({ op, urn: urnOf(name) });
    const planned: PlanDocument = { ...base, urn: urnOf("kept"), changes: [schedule] };
    const uncompared: PlanDocument = {
        ...base,
        ...{ urn: urnOf("new"), result: "notCompared" },
        reason: { code: "unknown_connection", message: "its connection is not known" },
    };
    const toCome: PlanDocument = {
        ...base,
        ...{ urn: urnOf("to-come"), result: "notCompared", exists: false },
        reason: { code: "new_database", message: "its database does not exist yet" },
    };
    const laterFormat = { ...planned, urn: urnOf("later-format"), timescalePlan: 2 };
    const refusal = { code: "cycle", message: "it reads itself", detail: null, hint: null };
    const ruled = { ...uncompared, urn: urnOf("ruled"), refusals: [refusal] };
    const preview = JSON.stringify({
        steps: [
            ...[step("update", "kept"), step("create", "new"), step("create", "to-come")],
            ...[step("create", "later-format"), step("create", "no-plan"), step("create", "ruled")],
            step("delete", "gone"),
        ],
        diagnostics: [planned, uncompared, toCome, laterFormat, ruled].map((document) => ({
            ...{ urn: document.urn, severity: "info", message: JSON.stringify(document) },
        })),
        changeSummary: { update: 1, create: 5, delete: 1 },
    });

    it.each([
        ["of pulumi preview --json", preview],
        ["of npm run review --json-out", JSON.stringify(reviewOf(readPreview(preview)))],
        [
            "of npm run review -- --json",
            `\n> pulumi-timescale review\n\n${JSON.stringify(reviewOf(readPreview(preview)))}`,
        ],
    ])("%s binds alike", (title, text) => {
        const file = join(folder, `${title.replaceAll(" ", "-")}.json`);
        writeFileSync(file, text);
        const reviewed = reviewedPreview({ [reviewedVariable]: file });
        if (reviewed === undefined) throw new Error("the variable is set");

        refuseUnreviewed(reviewed, planned);
        refuseUnreviewed(reviewed, { ...uncompared, result: "differs", exists: false });
        refuseUnreviewedDelete(reviewed, urnOf("gone"), "public.gone");
        const made: PlanDocument = { ...toCome, result: "differs", changes: [schedule] };
        refuseUnreviewed(reviewed, made);
        const not = (plan: PlanDocument) => () => refuseUnreviewed(reviewed, plan);
        expect(not({ ...planned, changes: [{ ...schedule, was: "1 hour" }] })).toThrow(
            "public.by_hour is not as it was reviewed",
        );
        expect(not({ ...uncompared, result: "differs", exists: true })).toThrow(
            expect.objectContaining({
                detail: expect.stringContaining("its connection is not known") as string,
            }) as Error,
        );
        expect(not({ ...made, exists: true })).toThrow(
            expect.objectContaining({
                detail: expect.stringContaining("its database does not exist yet") as string,
            }) as Error,
        );
        refuseUnreviewed(reviewed, { ...made, urn: urnOf("ruled") });
        for (const name of ["other", "later-format", "no-plan"]) {
            expect(not({ ...made, urn: urnOf(name) })).toThrow(
                expect.objectContaining({
                    code: "not_as_reviewed",
                    detail: expect.stringContaining(
                        name === "later-format"
                            ? "its plan is not in the review in a form that can be read: its plan is of format 2"
                            : "its plan is not in the review;",
                    ) as string,
                }) as Error,
            );
        }
        expect(() => refuseUnreviewedDelete(reviewed, urnOf("kept"), "public.kept")).toThrow(
            "public.kept is to be deleted, which was not reviewed",
        );
    });

    it.each([
        ["is not there", undefined, "ENOENT"],
        ["was cut off", preview.slice(0, -40), "and it ends in the middle"],
        ["is something else", "{}", "it has neither steps nor a changeSummary"],
        ["is of a later version", '{"timescaleReview": 2}', "format 2, and this version reads"],
    ])("that %s binds to nothing, and is refused", (title, text, why) => {
        const file = join(folder, `${title.replaceAll(" ", "-")}.json`);
        if (text !== undefined) writeFileSync(file, text);

        expect(() => reviewedPreview({ [reviewedVariable]: file })).toThrow(
            expect.objectContaining({
                code: "reviewed_preview",
                detail: expect.stringContaining(why) as string,
            }) as Error,
        );
    });

    it("of another stack allows nothing, and says so", () => {
        const file = join(folder, "another-stack.json");
        writeFileSync(file, preview);
        const reviewed = reviewedPreview({ [reviewedVariable]: file });
        if (reviewed === undefined) throw new Error("the variable is set");
        const elsewhere = { ...planned, urn: planned.urn.replace("pulumi:dev::", "pulumi:prod::") };

        expect(() => refuseUnreviewed(reviewed, elsewhere)).toThrow(
            expect.objectContaining({
                detail: expect.stringContaining(
                    "is of stack p/dev, and this is stack p/prod",
                ) as string,
            }) as Error,
        );
    });

    it("allows nothing of an object whose plan in it cannot be read", () => {
        const file = join(folder, "unreadable.json");
        writeFileSync(file, preview.replaceAll('timescalePlan\\":1', 'timescalePlan\\":2'));
        const reviewed = reviewedPreview({ [reviewedVariable]: file });
        if (reviewed === undefined) throw new Error("the variable is set");

        expect(() => refuseUnreviewed(reviewed, planned)).toThrow(
            expect.objectContaining({ detail: expect.stringContaining("not in the review") as string }) as Error, // prettier-ignore
        );
    });
});
