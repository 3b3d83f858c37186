/** What holds between an aggregate and the one that it reads: the server's rules, without the server. */
import { TimescaleError } from "../errors";
import { describeLength, type Interval, lengthOf } from "../interval";
import type { Bucket } from "../query/query";
import type { RuleCode } from "../rules/codes";

/** One of the two, as far as its text tells. */
export interface Bucketed {
    /** Qualified, for people. */
    readonly title: string;
    /** Undefined where only the server can tell. */
    readonly bucket: Bucket | undefined;
}

/**
 * Why the server would refuse `child` over `parent`; undefined when it would not.
 *
 * It compares lengths as PostgreSQL does, a month as 30 days: so a month goes over a day, and not
 * over a week.
 */
export function hierarchyProblem(child: Bucketed, parent: Bucketed): TimescaleError | undefined {
    const [bucket, parentBucket] = [child.bucket, parent.bucket];
    if (bucket === undefined || parentBucket === undefined) return undefined;
    const width = usableLength(bucket.width);
    const parentWidth = usableLength(parentBucket.width);
    if (width === undefined || parentWidth === undefined) return undefined;
    const values = `${child.title} has buckets of ${describe(bucket)}, and ${parent.title}, which it reads, of ${describe(parentBucket)}`;
    const code: RuleCode = "bucket_not_multiple";
    const message = `the buckets of ${child.title} do not fit those of ${parent.title}`;
    const elsewhere = `let ${child.title} read what ${parent.title} reads`;
    if (isVariable(parentBucket) && !isVariable(bucket)) {
        return new TimescaleError(message, {
            code,
            detail: `${values}: months and days of a time zone differ in length, so no fixed length is a whole number of them`,
            hint: parentBucket.inTimeZone
                ? `give time_bucket in ${child.title} the time zone as well, or ${elsewhere}`
                : `write a bucket of whole months, or ${elsewhere}`,
        });
    }
    if (width >= parentWidth && width % parentWidth === 0) return undefined;
    const fitting = Math.ceil(width / parentWidth) * parentWidth;
    return new TimescaleError(message, {
        code,
        detail: `${values}: the bucket must be ${width < parentWidth ? "at least as long" : "a whole multiple"}${inDays(bucket, parentBucket)}`,
        hint: `write time_bucket('${describeMultiple(fitting, parentBucket.width)}', …) or another multiple, or ${elsewhere}`,
    });
}

/** A length that the server can compare; anything else it refuses by itself. */
function usableLength(width: Interval): number | undefined {
    const mixed = width.months !== 0 && (width.days !== 0 || width.microseconds !== 0);
    const length = lengthOf(width);
    return mixed || length <= 0 ? undefined : length;
}

function isVariable({ width, inTimeZone }: Bucket): boolean {
    return width.months !== 0 || inTimeZone;
}

function describe({ width, inTimeZone }: Bucket): string {
    return `${describeWidth(width)}${inTimeZone ? " in a time zone" : ""}`;
}

function describeWidth(width: Interval): string {
    if (width.months === 0) return describeLength(lengthOf(width));
    return `${width.months} month${width.months === 1 ? "" : "s"}`;
}

function describeMultiple(length: number, unit: Interval): string {
    if (unit.months === 0) return describeLength(length);
    return describeWidth({ ...unit, months: (length / lengthOf(unit)) * unit.months });
}

/** The rule behind the numbers, where a month is among them. */
function inDays(...buckets: readonly Bucket[]): string {
    return buckets.some(({ width }) => width.months !== 0) ? ", with months of 30 days" : "";
}
