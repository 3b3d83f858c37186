/** How much a hypertable or the buckets of an aggregate hold. Pure; see inspectExtent.ts. */
import type { Stake } from "../plan/plan";

export interface Extent {
    /** By which people know it; `buckets of …` where it is an aggregate. */
    readonly object: string;
    readonly chunks: number;
    /** First and last edge of chunks, as the server prints them; null where there is none. */
    readonly begins: string | null;
    readonly ends: string | null;
    /** Null where they were not asked for, or where the server has no statistics. */
    readonly rows: number | null;
    readonly bytes: number | null;
}

/** Such as `13 chunks, about 1200 rows, 1.5 MB`; what is not known is left out. */
export function describeExtent({ chunks, rows, bytes }: Extent): string {
    return [
        chunks === 1 ? "1 chunk" : `${chunks} chunks`,
        ...(rows === null ? [] : [`about ${rows} rows`]),
        ...(bytes === null ? [] : [describeBytes(bytes)]),
    ].join(", ");
}

export function stakeOf({ rows, begins, ends }: Extent): Stake {
    return { rows, oldest: begins, newest: ends, estimated: true };
}

/** Such as `1.5 MB`. */
export function describeBytes(bytes: number): string {
    const units = ["bytes", "kB", "MB", "GB", "TB"];
    let [value, unit] = [bytes, 0];
    while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
    return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** Midnight goes without saying. @param time as the server prints it in UTC */
export function describeTime(time: string): string {
    return time.replace(/ 00:00:00\+00$/, "");
}
