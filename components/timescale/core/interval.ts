/**
 * PostgreSQL intervals: parse, compare, print.
 *
 * The server respells what it is given ("72 hours" comes back as "72:00:00"), so intervals are
 * compared by value. A day is 24 hours. A month is 30 days where the server keeps a length, as for
 * chunks, and a month where it keeps the interval, as in policies.
 */
export interface Interval {
    readonly months: number;
    readonly days: number;
    /** Exact up to 285 years, which no policy reaches. */
    readonly microseconds: number;
}

const second = 1_000_000;
const microsecondsPerDay = 86_400 * second;

type Field = keyof Interval;

/** Units as PostgreSQL spells them on input, each with its field and how many of it one unit is. */
const units: ReadonlyMap<string, readonly [Field, number]> = new Map([
    ...names(["us", "usec", "usecs", "microsecond", "microseconds"], "microseconds", 1),
    ...names(["ms", "msec", "msecs", "millisecond", "milliseconds"], "microseconds", 1000),
    ...names(["s", "sec", "secs", "second", "seconds"], "microseconds", second),
    ...names(["m", "min", "mins", "minute", "minutes"], "microseconds", 60 * second),
    ...names(["h", "hr", "hrs", "hour", "hours"], "microseconds", 3600 * second),
    ...names(["d", "day", "days"], "days", 1),
    ...names(["w", "week", "weeks"], "days", 7),
    ...names(["mon", "mons", "month", "months"], "months", 1),
    ...names(["y", "yr", "yrs", "year", "years"], "months", 12),
    ...names(["decade", "decades"], "months", 120),
]);

function names(
    spellings: readonly string[],
    field: Field,
    factor: number,
): [string, readonly [Field, number]][] {
    const unit = [field, factor] as const;
    return spellings.map((spelling) => [spelling, unit]);
}

/** The interval that PostgreSQL would read, or `undefined` for a spelling this project does not take. */
export function parseInterval(text: string): Interval | undefined {
    if (text.startsWith("P")) return parseIso(text);
    const input = text.trim().toLowerCase();
    const ago = /\bago$/.test(input);
    const body = input
        .replace(/^@\s*/, "")
        .replace(/\s*\bago$/, "")
        .replace(/,/g, " ");

    const total = { months: 0, days: 0, microseconds: 0 };
    const token =
        /\s*(?:([+-]?)(\d+):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?|([+-]?\d*\.?\d+)\s*([a-z]+))(?=\s|$)/y;
    const given = new Set<unknown>();
    let any = false;
    while (token.lastIndex < body.length) {
        const match = token.exec(body);
        if (match === null) {
            return /^\s*0\s*$/.test(body) ? { months: 0, days: 0, microseconds: 0 } : undefined;
        }
        any = true;
        const [, sign, hours, minutes, seconds, amount, unit] = match;
        if (hours !== undefined) {
            const clock = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds ?? 0);
            total.microseconds += Math.round((sign === "-" ? -1 : 1) * clock * second);
            continue;
        }
        const entry = units.get(unit ?? "");
        if (entry === undefined || amount === undefined || given.has(entry)) return undefined;
        given.add(entry);
        add(total, entry[0], Number(amount), entry[1]);
    }
    if (!any) return undefined;
    return ago ? negate(total) : total;
}

/**
 * Fractions spill into the next smaller field, as in PostgreSQL: 1.5 days is 1 day 12 hours. Those
 * of years and decades are rounded to whole months.
 */
function add(
    total: { -readonly [F in Field]: number },
    field: Field,
    count: number,
    factor: number,
): void {
    const amount = count * factor;
    const whole = Math.trunc(amount);
    const rest = amount - whole;
    if (field === "microseconds") {
        total.microseconds += Math.round(amount);
    } else if (field === "days") {
        total.days += whole;
        total.microseconds += Math.round(rest * microsecondsPerDay);
    } else if (factor > 1) {
        total.months += Math.round(amount);
    } else {
        total.months += whole;
        add(total, "days", rest, 30);
    }
}

const isoNumber = String.raw`(-?(?:\d+\.?\d*|\.\d+))`;
const isoInterval = new RegExp(
    `^P(?:${isoNumber}Y)?(?:${isoNumber}M)?(?:${isoNumber}W)?(?:${isoNumber}D)?` +
        `(?:T(?:${isoNumber}H)?(?:${isoNumber}M)?(?:${isoNumber}S)?)?$`,
);

function parseIso(text: string): Interval | undefined {
    const match = isoInterval.exec(text);
    if (match === null || text === "P" || text.endsWith("T")) return undefined;
    const part = (index: number): number => Number(match[index] ?? 0);
    const total = { months: 0, days: 0, microseconds: 0 };
    add(total, "months", part(1), 12);
    add(total, "months", part(2), 1);
    add(total, "days", part(3), 7);
    add(total, "days", part(4), 1);
    add(total, "microseconds", part(5) * 3600 + part(6) * 60 + part(7), second);
    return total;
}

function negate(interval: Interval): Interval {
    return {
        months: -interval.months,
        days: -interval.days,
        microseconds: -interval.microseconds,
    };
}

/** The length by PostgreSQL's comparison rule (30-day months, 24-hour days), in microseconds. */
export function lengthOf(interval: Interval): number {
    return (interval.months * 30 + interval.days) * microsecondsPerDay + interval.microseconds;
}

/** Whether two texts are the same length; texts that do not parse are compared as they are. */
export function sameLength(one: string | null, other: string | null): boolean {
    return compared(one, other, (left, right) => lengthOf(left) === lengthOf(right));
}

/** Whether two texts lead from any day to the same one: a year does not lead where 360 days do. */
export function sameInterval(one: string | null, other: string | null): boolean {
    return compared(
        one,
        other,
        (left, right) => left.months === right.months && lengthOf(left) === lengthOf(right),
    );
}

function compared(
    one: string | null,
    other: string | null,
    same: (left: Interval, right: Interval) => boolean,
): boolean {
    if (one === null || other === null) return one === other;
    const left = parseInterval(one);
    const right = parseInterval(other);
    if (left === undefined || right === undefined) return one.trim() === other.trim();
    return same(left, right);
}

/** `90 minutes` style text of a length in microseconds, in the largest units that keep it exact. */
export function describeLength(microseconds: number): string {
    // PostgreSQL reads a sign for the one unit that it stands before.
    const sign = microseconds < 0 ? "-" : "";
    let rest = Math.abs(microseconds);
    const parts: string[] = [];
    for (const [name, size] of [
        ["day", microsecondsPerDay],
        ["hour", 3600 * second],
        ["minute", 60 * second],
        ["second", second],
    ] as const) {
        const count = Math.floor(rest / size);
        if (count === 0) continue;
        parts.push(`${sign}${count} ${name}${count === 1 ? "" : "s"}`);
        rest -= count * size;
    }
    if (rest > 0) parts.push(`${sign}${rest} microsecond${rest === 1 ? "" : "s"}`);
    return parts.length === 0 ? "0 seconds" : parts.join(" ");
}
