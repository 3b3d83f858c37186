import fc from "fast-check";

import {
    describeLength,
    lengthOf,
    parseInterval,
    sameInterval,
    sameLength,
} from "../../components/timescale/core/interval";

const second = 1_000_000;
const hour = 3600 * second;
const day = 24 * hour;

describe("parseInterval", () => {
    // Months, days and microseconds as PostgreSQL 17 answers for the same text.
    it.each<[string, number, number, number]>([
        ["0", 0, 0, 0],
        ["30 seconds", 0, 0, 30 * second],
        ["30 sec", 0, 0, 30 * second],
        ["30s", 0, 0, 30 * second],
        ["90 mins", 0, 0, 1.5 * hour],
        ["1 m", 0, 0, 60 * second],
        ["1 h", 0, 0, hour],
        ["72 hours", 0, 0, 72 * hour],
        ["72:00:00", 0, 0, 72 * hour],
        ["12:30", 0, 0, 12.5 * hour],
        ["00:00:00.25", 0, 0, 250_000],
        ["3 days", 0, 3, 0],
        ["1 DAY", 0, 1, 0],
        ["+1 day", 0, 1, 0],
        ["2 weeks 1 day", 0, 15, 0],
        ["1 w", 0, 7, 0],
        ["1 mon", 1, 0, 0],
        ["1 y", 12, 0, 0],
        ["2 decades", 240, 0, 0],
        ["1 us", 0, 0, 1],
        ["1 millisecond", 0, 0, 1000],
        ["0.000001 s", 0, 0, 1],
        ["1 day 02:03:04", 0, 1, 7384 * second],
        ["1 day, 2 hours", 0, 1, 2 * hour],
        ["1 year 2 mons 3 days 04:05:06.789", 14, 3, 14_706_789_000],
    ])("reads %s", (text, months, days, microseconds) => {
        expect(parseInterval(text)).toEqual({ months, days, microseconds });
    });

    it.each<[string, number, number, number]>([
        ["-1 day", 0, -1, 0],
        ["-24:00:00", 0, 0, -24 * hour],
        ["-1:30", 0, 0, -1.5 * hour],
        ["-1 days +02:00:00", 0, -1, 2 * hour],
        ["1 mon -1 days", 1, -1, 0],
        ["1 hour -30 minutes", 0, 0, 0.5 * hour],
        // The sign is of the one unit that it stands before.
        ["-1 day 2 hours", 0, -1, 2 * hour],
        ["@ 1 day 2 hours ago", 0, -1, -2 * hour],
        ["-1 day ago", 0, 1, 0],
    ])("reads the negative %s", (text, months, days, microseconds) => {
        const interval = parseInterval(text);
        const parts = [interval?.months, interval?.days, interval?.microseconds];
        // toEqual tells 0 from -0, and intervals do not.
        expect(parts.map((part) => (part ?? Number.NaN) + 0)).toEqual([months, days, microseconds]);
    });

    it.each<[string, number, number, number]>([
        ["1.5 hours", 0, 0, 1.5 * hour],
        [".5 day", 0, 0, 12 * hour],
        ["1.5 days", 0, 1, 12 * hour],
        ["0.1 weeks", 0, 0, 60_480 * second],
        ["1.5 months", 1, 15, 0],
        ["0.35 months", 0, 10, 12 * hour],
        ["1.5 years", 18, 0, 0],
        ["1.1 years", 13, 0, 0],
        ["1.5 decades", 180, 0, 0],
        ["1.5 y 1.5 mon", 19, 15, 0],
    ])("spills the fraction of %s as PostgreSQL does", (text, months, days, microseconds) => {
        expect(parseInterval(text)).toEqual({ months, days, microseconds });
    });

    it.each<[string, number, number, number]>([
        ["P1W", 0, 7, 0],
        ["P1Y2M10DT2H30M", 14, 10, 2.5 * hour],
        ["PT36H", 0, 0, 36 * hour],
        ["PT0.5H", 0, 0, 0.5 * hour],
        ["P1DT0.5S", 0, 1, 0.5 * second],
        ["P0.5M", 0, 15, 0],
        ["P1.1Y", 13, 0, 0],
        ["P-1D", 0, -1, 0],
        ["P1DT-2H", 0, 1, -2 * hour],
    ])("reads the ISO 8601 duration %s", (text, months, days, microseconds) => {
        expect(parseInterval(text)).toEqual({ months, days, microseconds });
    });

    it.each([
        "",
        " ",
        "day",
        "one day",
        "1 fortnight",
        "1 dayz",
        "1 day 1 day",
        "1 mons 1 month",
        "1day2hours",
        "1e3 s",
        "1:75",
        "1:05:61",
        "P",
        "p1d",
        " P1D",
        "P1.2.3D",
        "P1D2H",
        "1 day; DROP TABLE m",
    ])("does not read %p, which PostgreSQL refuses", (text) => {
        expect(parseInterval(text)).toBeUndefined();
    });

    it.each(["5", "1 hour 30", "1-2", "infinity"])(
        "does not read %p: PostgreSQL would, and hardly as it was meant",
        (text) => {
            expect(parseInterval(text)).toBeUndefined();
        },
    );
});

describe("sameLength and sameInterval", () => {
    it.each([
        ["72:00:00", "3 days"],
        ["72 hours", "3 days"],
        ["P3D", "72:00:00"],
        ["1 year", "12 mons"],
        ["P1M", "1 month"],
        ["00:00:30", "30 seconds"],
        ["0", "00:00:00"],
        ["-01:00:00", "1 hour ago"],
        ["1 day -01:00:00", "23 hours"],
    ])("take %s for %s", (one, other) => {
        for (const same of [sameLength, sameInterval]) {
            expect(same(one, other)).toBe(true);
            expect(same(other, one)).toBe(true);
        }
    });

    it.each([
        ["30 days", "1 mon"],
        ["1 year", "360 days"],
        ["1 mon 30 days", "2 mons"],
    ])("take %s for the length of %s, and not for the same interval", (one, other) => {
        expect(sameLength(one, other)).toBe(true);
        expect(sameInterval(one, other)).toBe(false);
    });

    it.each([
        ["3 days", "4 days"],
        ["1 day", "-1 day"],
        ["1 hour", "1 hour 00:00:00.000001"],
        ["1 year", "365 days"],
    ])("tell %s from %s", (one, other) => {
        expect(sameLength(one, other)).toBe(false);
        expect(sameInterval(one, other)).toBe(false);
    });

    it("tell an unbounded offset from one of zero", () => {
        expect(sameInterval(null, null)).toBe(true);
        expect(sameInterval(null, "0")).toBe(false);
    });

    it("compare texts that they cannot read as they stand", () => {
        expect(sameInterval("infinity", " infinity ")).toBe(true);
        expect(sameInterval("infinity", "1 day")).toBe(false);
    });
});

describe("describeLength", () => {
    it.each<[number, string]>([
        [0, "0 seconds"],
        [second, "1 second"],
        [90 * 60 * second, "1 hour 30 minutes"],
        [37 * day, "37 days"],
        [day + 1, "1 day 1 microsecond"],
        [-hour, "-1 hour"],
        [-(day + 2 * hour), "-1 day -2 hours"],
    ])("says %d microseconds as %s", (length, text) => {
        expect(describeLength(length)).toBe(text);
    });

    it("says what parseInterval reads as the same length", () => {
        fc.assert(
            fc.property(fc.integer({ min: -100_000 * day, max: 100_000 * day }), (length) => {
                const interval = parseInterval(describeLength(length));
                expect(interval && lengthOf(interval) + 0).toBe(length + 0);
            }),
        );
    });
});

describe("an interval", () => {
    const units = [
        [second, ["s", "sec", "seconds"]],
        [60 * second, ["m", "min", "minutes"]],
        [hour, ["h", "hrs", "hour"]],
        [day, ["d", "day", "DAYS"]],
        [7 * day, ["w", "week", "weeks"]],
        [30 * day, ["mon", "months"]],
    ] as const;

    it("is as long as the sum of its parts, in whatever units and order", () => {
        const part = fc
            .constantFrom(...units)
            .chain(([size, names]) =>
                fc
                    .tuple(fc.integer({ min: -50, max: 50 }), fc.constantFrom<string>(...names))
                    .map(([count, name]) => ({ size, count, name })),
            );
        const parts = fc.uniqueArray(part, { selector: ({ size }) => size, minLength: 1 });
        fc.assert(
            fc.property(parts, (list) => {
                const text = list.map(({ count, name }) => `${count} ${name}`).join(" ");
                const interval = parseInterval(text);
                expect(interval && lengthOf(interval) + 0).toBe(
                    list.reduce((sum, { count, size }) => sum + count * size, 0) + 0,
                );
            }),
        );
    });
});
