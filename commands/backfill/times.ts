/** Times on the command lines of `npm run backfill` and `npm run report`. */
import { InvalidArgumentError } from "commander";

/**
 * Reads `2026-09-01`, `2026-09-01 12:30` or ISO 8601 with a zone; without one it is in UTC.
 *
 * @returns a literal in UTC with microseconds, such as `2026-09-01T00:00:00.000000Z`; undefined for anything else
 */
export function parseTime(text: string): string | undefined {
    const match =
        /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,6})?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i.exec(
            text.trim(),
        );
    if (match === null) return undefined;
    const [, date = "", minute = "00:00", rest = ":00", zone = "Z"] = match;
    // JavaScript takes the 31st of February for the 3rd of March.
    const midnight = new Date(`${date}T00:00:00Z`);
    if (Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== date) {
        return undefined;
    }
    const [seconds = ":00", fraction = ""] = rest.split(".");
    const time = new Date(`${date}T${minute}${seconds}${isoZone(zone)}`);
    if (Number.isNaN(time.getTime())) return undefined;
    return `${time.toISOString().slice(0, 19)}.${fraction.padEnd(6, "0")}Z`;
}

/** The same for an option, which is refused by commander where it is anything else. */
export function parseTimeOption(text: string): string {
    const time = parseTime(text);
    if (time !== undefined) return time;
    throw new InvalidArgumentError(
        "a time is 2026-09-01, 2026-09-01 12:30 or ISO 8601 such as 2026-09-01T12:30:00Z",
    );
}

function isoZone(zone: string): string {
    if (/^z$/i.test(zone)) return "Z";
    const digits = zone.slice(1).replace(":", "").padEnd(4, "0");
    return `${zone.slice(0, 1)}${digits.slice(0, 2)}:${digits.slice(2)}`;
}

/** `2026-09-01 12:30 UTC`; seconds where there are some. */
export function showTime(literal: string): string {
    const seconds = /:00\.0+Z$/.test(literal) ? 16 : 19;
    return `${literal.slice(0, seconds).replace("T", " ")} UTC`;
}
