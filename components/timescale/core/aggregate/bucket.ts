/** Buckets and times of an aggregate, as SQL. Arguments and results are SQL expressions. */
import { escapeLiteral } from "../identifier";
import type { ActualAggregate } from "./inspect";

export type Buckets = Pick<ActualAggregate, "bucketWidth" | "bucketTimezone">;

/** How long a bucket is. */
export function widthOf({ bucketWidth }: Pick<Buckets, "bucketWidth">): string {
    return `${escapeLiteral(bucketWidth ?? "0")}::interval`;
}

/** The bucket that a time lies in. */
export function bucketAt(buckets: Buckets, time: string): string {
    const { bucketTimezone: zone } = buckets;
    return `time_bucket(${widthOf(buckets)}, ${time}${zone === null ? "" : `, ${escapeLiteral(zone)}`})`;
}

/** The first bucket that begins at a time or after it. */
export function bucketFrom(buckets: Buckets, time: string): string {
    const at = bucketAt(buckets, time);
    return `(CASE WHEN ${at} < ${time} THEN ${at} + ${widthOf(buckets)} ELSE ${at} END)`;
}

/** @param text a literal in UTC, such as utcText gives it */
export function timeOf(text: string): string {
    return `${escapeLiteral(text)}::timestamptz`;
}

/** A time as a literal in UTC, such as `2026-08-24T00:00:00.000000Z`, whose order is that of the times. */
export function utcText(time: string): string {
    return `to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}
