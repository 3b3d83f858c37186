/** The comment: complete where it fits, and with its verdict, rows and hazards where it does not. */
import type { Review } from "../../commands/review/document";
import { markerOf, render, type RenderOptions } from "../../commands/review/render";
import { reviewOf } from "../../commands/review/review";
import type { PlanDocument } from "../../components/timescale/provider/planDocument";
import { readPreview } from "../../components/timescale/provider/preview";
import { document, preview } from "./previews";

const limit = 65_536;
const refresh: PlanDocument["statements"][number] = {
    name: "alter_refresh_policy",
    sql: "SELECT alter_job($1, schedule_interval => $2::interval)",
    values: [1000, "5 minutes"],
    transaction: "shared",
    lock: null,
};

function reviewed(...documents: readonly PlanDocument[]): Review {
    return reviewOf(readPreview(preview([], documents)));
}

function rendered(options: RenderOptions, ...documents: readonly PlanDocument[]): string {
    return render(reviewed(...documents), options);
}

describe("a comment", () => {
    it("says first what it comes to, in one place of its own", () => {
        const [marker, title, , summary] = rendered(
            {},
            document("a"),
            document("x", { fill: true }),
        ).split("\n");

        expect(marker).toBe("<!-- pulumi-timescale review of llm-observatory/prod -->");
        expect(title).toBe("## 🟢 Safe · <code>llm-observatory/prod</code>");
        expect(summary).toBe("1 of 2 objects changes.");
    });

    it("tells what the program changes from what was changed in the database", () => {
        const text = rendered(
            {},
            document("x", {
                changes: [
                    {
                        code: "policy_setting",
                        property: "refreshPolicy.startOffset",
                        was: "1 day",
                        will: "3 days",
                        origin: "program",
                    },
                    {
                        code: "policy_setting",
                        property: "refreshPolicy.paused",
                        was: "true",
                        will: "false",
                        origin: "database",
                    },
                ],
                statements: [refresh],
            }),
        );

        expect(text).toContain(
            [
                "**Changed by the program**",
                "",
                "| Property | Before | After |",
                "| --- | --- | --- |",
                "| refreshPolicy.startOffset | <code>1 day</code> | <code>3 days</code> |",
                "",
                "**Changed in the database since the last `up`, and put back**",
                "",
                "| Property | Before | After |",
                "| --- | --- | --- |",
                "| refreshPolicy.paused | <code>true</code> | <code>false</code> |",
            ].join("\n"),
        );
        expect(text).toContain(
            "```SQL\nSELECT alter_job(1000, schedule_interval => '5 minutes'::interval)\n```",
        );
    });

    it("has what is at stake with its rows and times, and what is refused and why", () => {
        const text = rendered(
            {},
            document("x", {
                hazards: [
                    {
                        name: "LOSES_HISTORY",
                        message: "2 days exist only here",
                        stake: {
                            rows: 1234,
                            oldest: "2026-09-01 00:00:00+00",
                            newest: "2026-09-02 23:00:00+00",
                            estimated: true,
                        },
                    },
                ],
                refusals: [
                    {
                        code: "query_changed",
                        message: "the query has changed",
                        detail: "another sum:\n--- a\n+++ b",
                        hint: "put it back",
                    },
                ],
                statements: [refresh],
            }),
        );

        expect(text).toContain(
            "- **<code>LOSES_HISTORY</code>** 2 days exist only here (about 1,234 rows, 2026-09-01 00:00:00+00 … 2026-09-02 23:00:00+00)",
        );
        expect(text).toContain(
            "**⛔ `up` refuses this:** the query has changed (<code>query_changed</code>)\n\nDetail: another sum\n\nHint: put it back",
        );
        expect(text).not.toContain("alter_job");
    });

    it("shows waived rules, also of what does not change", () => {
        const waived = document("x", {
            result: "same",
            notes: [
                {
                    code: "waived",
                    rule: "having",
                    message: "rule having waived: only | large @models; it decides",
                },
            ],
        });
        const text = render(reviewOf(readPreview(preview([], [waived]))));

        expect(text).toContain("## ✅ No change");
        expect(text).toContain("### Waived rules");
        expect(text).toContain(
            "| <code>public.x</code> | <code>having</code> | rule having waived: only &#124; large &#64;&#8203;models; it decides |",
        );
    });

    it("links nowhere but to the web", () => {
        expect(
            rendered({ whole: "https://github.com/a/b/actions/runs/1" }, document("a")),
        ).toContain("[the JSON of this review](https://github.com/a/b/actions/runs/1)");
        expect(rendered({ whole: "javascript:alert(1)" }, document("a"))).not.toContain(
            "](javascript",
        );
    });

    it("has a marker that no stack's name ends", () => {
        expect(markerOf("a--> <b>/c")).toBe("<!-- pulumi-timescale review of a-b-/c -->");
        expect(markerOf(null)).toBe("<!-- pulumi-timescale review of unknown -->");
    });
});

describe("the limit", () => {
    const long = (name: string, size: number): PlanDocument =>
        document(name, {
            changes: [
                {
                    code: "query",
                    property: "query",
                    was: "a\n",
                    will: "b\n",
                    diff: "-x\n+y\n".repeat(size / 6),
                },
            ],
            statements: [{ ...refresh, sql: "SELECT 1,\n".repeat(size / 10) }],
            hazards: [
                {
                    name: "LOSES_DATA",
                    message: `${name} loses it`,
                    stake: {
                        rows: 7,
                        oldest: "2026-01-01",
                        newest: "2026-02-01",
                        estimated: false,
                    },
                },
            ],
        });

    it.each([
        [1, 1_000, ""],
        [1, 100_000, "SQL after 250 characters of a statement, definitions after 8000"],
        [20, 4_000, "plans, definitions after 1000"],
        [200, 10_000, "plans"],
    ])("holds for %s objects of %s characters, and says what was cut", (count, size, cut) => {
        const objects = Array.from({ length: count }, (_, at) => long(`object_${at}`, size));
        const text = rendered({}, ...objects);

        expect(text.length).toBeLessThan(limit - 2_000);
        objects.forEach(({ object }) => {
            expect(text).toContain(`<code>${object}</code>`);
            expect(text).toContain(`${object.replace("public.", "")} loses it`);
        });
        expect(text).toMatch(/^## 🔴 Destructive/m);
        if (cut === "") expect(text).not.toContain("Cut to fit");
        else
            expect(text).toMatch(
                new RegExp(`Cut to fit into a comment:\\*\\*.*${cut}.*Everything is in`),
            );
        expect((text.match(/<details>/g) ?? []).length).toBe(
            (text.match(/<\/details>/g) ?? []).length,
        );
        expect((text.match(/^```/gm) ?? []).length % 2).toBe(0);
    });

    it("takes statements first, and leaves definitions whole", () => {
        const object = {
            ...long("x", 1_000),
            statements: [{ ...refresh, sql: "SELECT 1,\n".repeat(10_000) }],
        };
        const text = rendered({}, object);

        expect(text).toContain("SQL after 4000 characters of a statement.");
        expect(text).toContain("… 9604 more lines");
        expect(text.match(/^-x$/gm)).toHaveLength(166);
    });

    it("keeps the rows of the gravest of thousands, and counts the rest", () => {
        const many = Array.from({ length: 2_000 }, (_, at) =>
            long(`object_${"x".repeat(50)}_${at}`, 600),
        );
        const others = Array.from({ length: 2_000 }, (_, at) =>
            document(`safe_${at}`, { fill: true }),
        );
        const text = rendered({}, ...others, ...many);

        expect(text.length).toBeLessThan(limit);
        expect(text).toContain("4000 of 4000 objects change; 2000 are destructive.");
        const rows = text.match(/^\| 🔴/gm)?.length ?? 0;
        expect(rows).toBeGreaterThan(100);
        expect(text).not.toContain("safe_");
        expect(text).toContain(`${4_000 - rows} more rows, none graver`);
    });

    it("holds for names and messages of any length", () => {
        const name = "`|".repeat(50_000);
        const text = rendered(
            {},
            document(name, { hazards: [{ name: "LOSES_DATA", message: name, stake: null }] }),
        );

        expect(text.length).toBeLessThan(limit);
        expect(text).toContain("LOSES_DATA");
    });

    it("holds for errors of any number", () => {
        const diagnostics = Array.from({ length: 5_000 }, (_, at) => ({
            severity: "error",
            message: `error ${at} ${"x".repeat(5_000)}`,
        }));
        const text = render(reviewOf(readPreview(preview([], [], { diagnostics }))));

        expect(text.length).toBeLessThan(limit);
        expect(text).toContain("error 0");
        expect(text).toMatch(/and \d+ more/);
    });
});
