import fc from "fast-check";

import { hierarchyProblem } from "../../components/timescale/core/aggregate/hierarchy";
import { explain } from "../../components/timescale/core/errors";
import { parseInterval } from "../../components/timescale/core/interval";

/** A width, or with `in a time zone` behind it. */
function bucketed(title: string, text: string): Parameters<typeof hierarchyProblem>[0] {
    const [width = "", zone] = text.split(" in ");
    const interval = parseInterval(width);
    if (interval === undefined) throw new Error(`${width} is no interval`);
    return { title, bucket: { width: interval, inTimeZone: zone !== undefined } };
}

function problem(child: string, parent: string): string | undefined {
    const error = hierarchyProblem(bucketed("child", child), bucketed("parent", parent));
    return error === undefined ? undefined : explain(error);
}

describe("an aggregate over another one", () => {
    it.each([
        ["1 hour", "1 minute"],
        ["1 hour", "60 minutes"],
        ["1 day", "1 hour"],
        ["1 week", "24 hours"],
        ["1 month", "1 day"],
        ["1 month", "10 days"],
        ["1 year", "1 month"],
        ["6 months", "3 months"],
        ["1 year", "1 day"],
        ["1 day in a time zone", "1 hour"],
        ["1 day in a time zone", "1 day in a time zone"],
        ["1 month in a time zone", "1 day in a time zone"],
        ["1 month", "1 day in a time zone"],
    ])("may have buckets of %s over %s", (child, parent) => {
        expect(problem(child, parent)).toBeUndefined();
    });

    it.each([
        ["1 minute", "1 hour", "1 hour"],
        ["90 minutes", "1 hour", "2 hours"],
        ["1 week", "2 days", "8 days"],
        ["1 month", "1 week", "35 days"],
        ["1 year", "1 week", "364 days"],
        ["1 day in a time zone", "5 hours", "1 day 1 hour"],
        ["5 months", "2 months", "6 months"],
        ["1 month", "1 year", "12 months"],
        ["1 hour in a time zone", "1 day in a time zone", "1 day"],
    ])("may not have buckets of %s over %s, but of %3$s", (child, parent, fitting) => {
        expect(problem(child, parent)).toContain(`write time_bucket('${fitting}', …)`);
        const zone = child.includes(" in ") || fitting.includes("month") ? " in a time zone" : "";
        expect(problem(`${fitting}${zone}`, parent)).toBeUndefined();
    });

    it.each([
        ["1 day", "1 day in a time zone"],
        ["30 days", "1 month"],
        ["60 days", "1 month"],
    ])("may not have a fixed %s over %s", (child, parent) => {
        expect(problem(child, parent)).toContain("no fixed length is a whole number of them");
    });

    it("is told what, why and what to do", () => {
        expect(problem("90 minutes", "1 hour")).toBe(
            [
                "the buckets of child do not fit those of parent (bucket_not_multiple)",
                "  detail: child has buckets of 1 hour 30 minutes, and parent, which it reads, of 1 hour: the bucket must be a whole multiple",
                "  hint:   write time_bucket('2 hours', …) or another multiple, or let child read what parent reads",
            ].join("\n"),
        );
        expect(problem("1 month", "1 week")).toContain("with months of 30 days");
        expect(problem("1 day", "1 day in a time zone")).toBe(
            [
                "the buckets of child do not fit those of parent (bucket_not_multiple)",
                "  detail: child has buckets of 1 day, and parent, which it reads, of 1 day in a time zone: months and days of a time zone differ in length, so no fixed length is a whole number of them",
                "  hint:   give time_bucket in child the time zone as well, or let child read what parent reads",
            ].join("\n"),
        );
    });

    it("is left to the server where it takes no such bucket at all", () => {
        expect(problem("1 month 1 day", "1 week")).toBeUndefined();
        expect(problem("1 hour", "0 seconds")).toBeUndefined();
    });

    const minutes = fc.integer({ min: 1, max: 10_000 });

    it("fits any multiple, and what the hint proposes is the next one", () => {
        fc.assert(
            fc.property(minutes, minutes, (child, parent) => {
                const found = problem(`${child} minutes`, `${parent} minutes`);
                expect(found === undefined).toBe(child % parent === 0);
                const proposed = /time_bucket\('([^']+)'/.exec(found ?? "")?.[1];
                if (proposed === undefined) return;
                expect(problem(proposed, `${parent} minutes`)).toBeUndefined();
            }),
        );
    });

    it("fits over the grandparent whenever both steps fit", () => {
        fc.assert(
            fc.property(minutes, minutes, minutes, (base, two, three) => {
                const [a, b, c] = [base, base * (two % 50), base * (two % 50) * (three % 50)];
                fc.pre(b > 0 && c > 0);
                expect(problem(`${b} minutes`, `${a} minutes`)).toBeUndefined();
                expect(problem(`${c} minutes`, `${b} minutes`)).toBeUndefined();
                expect(problem(`${c} minutes`, `${a} minutes`)).toBeUndefined();
            }),
        );
    });
});
