/** Intervals as people write them, in place of the server's `00:05:00`. */
import {
    describeLength,
    lengthOf,
    parseInterval,
    sameInterval,
} from "../../components/timescale/core/interval";

const second = 1_000_000;

/** In the units that the server has: days stay days, and 72 hours stay hours. */
export function friendlyInterval(text: string): string {
    const interval = parseInterval(text);
    if (interval === undefined) return text;
    const { months, days, microseconds } = interval;
    if (months < 0 || days < 0 || microseconds < 0) return text;
    const friendly = [
        part(Math.floor(months / 12), "year"),
        part(months % 12, "month"),
        part(days, "day"),
        part(Math.floor(microseconds / (3600 * second)), "hour"),
        part(Math.floor(microseconds / (60 * second)) % 60, "minute"),
        part(Math.floor(microseconds / second) % 60, "second"),
        part(microseconds % second, "microsecond"),
    ].filter((it) => it !== "");
    return equalOr(text, friendly.length === 0 ? "0" : friendly.join(" "));
}

/** Of a length that the server keeps in microseconds, such as a chunk's: `1 day` for `24:00:00`. */
export function friendlyLength(text: string): string {
    const interval = parseInterval(text);
    return interval === undefined ? text : equalOr(text, describeLength(lengthOf(interval)));
}

function part(count: number, unit: string): string {
    return count === 0 ? "" : `${count} ${unit}${count === 1 ? "" : "s"}`;
}

function equalOr(text: string, friendly: string): string {
    return sameInterval(text, friendly) ? friendly : text;
}
