/** Refresh windows and retention of one aggregate, and of what it reads. */
import { describeLength, lengthOf, parseInterval } from "../interval";
import { type Finding, finding } from "./finding";

/** A policy as a program gives it, or as a job of the catalog has it; values may not be known. */
type Policy = Readonly<Record<string, unknown>> | undefined;

export interface Windowed {
    /** Qualified, for people. */
    readonly title: string;
    readonly refreshPolicy?: Policy;
    readonly retentionPolicy?: Policy;
    /** Microseconds; undefined where only the server can tell. */
    readonly bucket?: number | undefined;
}

/** In microseconds; undefined where it is not given, not known or not an interval. */
export function lengthIn(value: unknown): number | undefined {
    const parsed = typeof value === "string" ? parseInterval(value) : undefined;
    return parsed === undefined ? undefined : lengthOf(parsed);
}

/** A job that is paused refreshes nothing. */
function refreshes(policy: Policy): policy is NonNullable<Policy> {
    return policy !== undefined && policy["paused"] !== true;
}

/** How far back refreshes go; Infinity for all of it, undefined where there are none or it is not known. */
export function startOf({ refreshPolicy }: Windowed): number | undefined {
    if (!refreshes(refreshPolicy)) return undefined;
    const offset = refreshPolicy["startOffset"] ?? null;
    return offset === null ? Infinity : lengthIn(offset);
}

/** Negative and -Infinity reach beyond now. */
export function endOf({ refreshPolicy }: Windowed): number | undefined {
    if (!refreshes(refreshPolicy)) return undefined;
    const offset = refreshPolicy["endOffset"] ?? null;
    return offset === null ? -Infinity : lengthIn(offset);
}

/** After how long chunks go; undefined where they stay, or it is not known. */
export function retentionOf({ retentionPolicy }: Windowed): number | undefined {
    // A job that is paused drops nothing.
    if (retentionPolicy === undefined || retentionPolicy["paused"] === true) return undefined;
    return lengthIn(retentionPolicy["dropAfter"]);
}

/** An aggregate's own windows against each other. */
export function windowFindings(aggregate: Windowed): Finding[] {
    const found: Finding[] = [];
    const { title } = aggregate;
    const [start, end, kept] = [startOf(aggregate), endOf(aggregate), retentionOf(aggregate)];
    if (start === Infinity && kept !== undefined) {
        found.push(
            finding("retention_with_unbounded_refresh", "refreshPolicy", {
                message: `${title} refreshes what its retention has dropped`,
                detail: `refreshPolicy has no startOffset, and retentionPolicy.dropAfter is ${describeLength(kept)}: a row that comes later than that brings its bucket back until the next run of retention`,
                hint: `set refreshPolicy.startOffset to at most "${describeLength(kept)}"`,
            }),
        );
    } else if (start !== undefined && kept !== undefined && kept < start) {
        found.push(
            finding("retention_inside_refresh_window", "retentionPolicy", {
                message: `retention of ${title} lies inside its refresh window`,
                detail: `retentionPolicy.dropAfter is ${describeLength(kept)}, and refreshPolicy.startOffset ${describeLength(start)}: buckets are dropped that refreshes are to keep up to date`,
                hint: `set retentionPolicy.dropAfter to at least "${describeLength(start)}", or refreshPolicy.startOffset to at most "${describeLength(kept)}"`,
            }),
        );
    }
    if (end !== undefined && end < 0) {
        const bucket = aggregate.bucket;
        found.push(
            finding("open_bucket", "refreshPolicy", {
                message: `${title} serves the bucket that is still open`,
                detail: `refreshPolicy ${end === -Infinity ? "has no endOffset" : `has the endOffset ${describeLength(end)}`}: the newest bucket${bucket === undefined ? "" : `, of ${describeLength(bucket)},`} is materialized before it is over, and stays behind until the next refresh`,
                hint: `set refreshPolicy.endOffset to "${bucket === undefined ? "0 seconds" : describeLength(bucket)}"; for the newest rows there is materializedOnly: false`,
            }),
        );
    }
    return found;
}

/** A pair of findings: what is told at the reader, and what at the end that it reads. */
export interface PairFinding {
    readonly atReader: Finding;
    /** Undefined where a change of the source does no damage. */
    readonly atSource?: Finding;
}

/** Refreshes of an aggregate against the retention of what it reads: chunks that are gone are taken as changed to nothing. */
export function sourceFindings(reader: Windowed, source: Windowed): PairFinding[] {
    const [start, kept] = [startOf(reader), retentionOf(source)];
    if (start === undefined || kept === undefined || start <= kept) return [];
    const dropAfter = describeLength(kept);
    const consequence = `a refresh of buckets whose rows were dropped deletes them from ${reader.title}`;
    if (start === Infinity) {
        const rule = "unbounded_refresh_over_retention";
        const message = `refreshes of ${reader.title} would delete the history that ${source.title} no longer has`;
        const detail = `refreshPolicy of ${reader.title} has no startOffset, and ${source.title} drops after ${dropAfter}: ${consequence}`;
        const hint = `set refreshPolicy.startOffset of ${reader.title} to at most "${dropAfter}", or leave out retentionPolicy of ${source.title}`;
        return [both(rule, { message, detail, hint })];
    }
    return [
        both("refresh_beyond_source_retention", {
            message: `refreshes of ${reader.title} reach further back than ${source.title} is kept`,
            detail: `refreshPolicy.startOffset of ${reader.title} is ${describeLength(start)}, and ${source.title} drops after ${dropAfter}: ${consequence}`,
            hint: `set refreshPolicy.startOffset of ${reader.title} to at most "${dropAfter}", or retentionPolicy.dropAfter of ${source.title} to at least "${describeLength(start)}"`,
        }),
    ];
}

function both(
    rule: "unbounded_refresh_over_retention" | "refresh_beyond_source_retention",
    fields: Pick<Finding, "message" | "detail" | "hint">,
): PairFinding {
    return {
        atReader: finding(rule, "refreshPolicy", fields),
        atSource: finding(rule, "retentionPolicy", fields),
    };
}

/** Windows and retention of an aggregate over an aggregate. */
export function hierarchyFindings(child: Windowed, parent: Windowed): PairFinding[] {
    const found: Finding[] = [];
    const [start, parentStart] = [startOf(child), startOf(parent)];
    if (start !== undefined && parentStart !== undefined && start < parentStart) {
        const far = parentStart === Infinity;
        found.push(
            finding("child_window_shorter", "refreshPolicy", {
                message: `late rows will be missing from ${child.title}`,
                detail: `${parent.title}, which it reads, refreshes ${far ? "everything" : `the last ${describeLength(parentStart)}`}, and ${child.title} only the last ${describeLength(start)}`,
                hint: far
                    ? `leave out refreshPolicy.startOffset of ${child.title}`
                    : `set refreshPolicy.startOffset of ${child.title} to at least "${describeLength(parentStart)}", or leave it out`,
            }),
        );
    }
    const [end, parentEnd] = [endOf(child), endOf(parent)];
    if (end !== undefined && parentEnd !== undefined && parent.bucket !== undefined) {
        const complete = parentEnd + parent.bucket;
        // Without an end of its own, the child's rule on open buckets says it already.
        if (end >= 0 && Number.isFinite(complete) && end < complete) {
            found.push(
                finding("child_ahead_of_parent", "refreshPolicy", {
                    message: `the newest buckets of ${child.title} are computed before those of ${parent.title} are complete`,
                    detail: `refreshPolicy.endOffset of ${child.title} is ${describeLength(end)}; ${parent.title} ends ${describeLength(parentEnd)} ago with buckets of ${describeLength(parent.bucket)}, so it is complete up to ${describeLength(complete)} ago`,
                    hint: `set refreshPolicy.endOffset of ${child.title} to at least "${describeLength(complete)}"`,
                }),
            );
        }
    }
    const [kept, parentKept] = [retentionOf(child), retentionOf(parent)];
    const coarser =
        child.bucket !== undefined && parent.bucket !== undefined && child.bucket > parent.bucket;
    if (kept !== undefined && coarser && kept < (parentKept ?? Infinity)) {
        found.push(
            finding("child_retention_shorter", "retentionPolicy", {
                message: `${child.title} is dropped before ${parent.title}, which is finer`,
                detail: `retentionPolicy.dropAfter of ${child.title} is ${describeLength(kept)}, and ${parent.title} is kept ${parentKept === undefined ? "for ever" : describeLength(parentKept)}`,
                hint: `keep ${child.title} at least as long, or ${parent.title} shorter`,
            }),
        );
    }
    return found.map((atReader) => ({ atReader }));
}
