/**
 * Policies: the background jobs that refresh, drop and compress.
 *
 * What a program writes is brought to one normal form with every default filled in, so that a job
 * changed by hand differs from it in plain sight.
 */
import { sameInterval } from "../interval";

/**
 * What every policy has besides its own offsets. Every change alters the job in place: its id and its
 * statistics stay. Intervals are PostgreSQL's, such as `"90 days"` or `"1 hour 30 minutes"`; one that
 * cannot be read fails preview.
 */
export interface JobSettings {
    /**
     * First run and origin of a drift-free schedule, in ISO 8601, such as `"2026-01-01T03:00:00Z"`.
     *
     * @default - none: the next run starts one `scheduleInterval` after the last one ended
     */
    readonly initialStart?: string;
    /**
     * Time zone that keeps a fixed schedule at the same local time over daylight saving, such as `"Europe/Berlin"`.
     *
     * @default - none, as UTC
     */
    readonly timezone?: string;
    /** Keep the job without running it. @default false */
    readonly paused?: boolean;
    /** The run is cancelled after this interval; `"0"` means never. @default - "0"; of retention "5 minutes" */
    readonly maxRuntime?: string;
    /** Runs after one that failed; a whole number, -1 retries for ever. @default -1 */
    readonly maxRetries?: number;
    /** Interval between them. @default - `scheduleInterval`; of retention "5 minutes", of compression "1 hour" */
    readonly retryPeriod?: string;
}

/**
 * Refreshes the buckets between now - `startOffset` and now - `endOffset`, by `add_continuous_aggregate_policy`.
 * A window of fewer than two buckets fails preview (`two_buckets`); one that reaches below what the
 * source keeps is refused (`refresh_beyond_source_retention`).
 *
 * ```ts
 * refreshPolicy: { startOffset: "1 day", endOffset: "1 hour", scheduleInterval: "5 minutes" }
 * ```
 */
export interface RefreshPolicy extends JobSettings {
    /** An interval. Must leave at least two buckets before `endOffset`. @default - from the beginning of the data */
    readonly startOffset?: string;
    /** An interval. @default - up to the newest data, the open bucket included, which is warned of (`open_bucket`) */
    readonly endOffset?: string;
    /** Interval between runs. */
    readonly scheduleInterval: string;
}

/**
 * Drops whole chunks once all of them is older than `dropAfter`, by `add_retention_policy`.
 *
 * ```ts
 * retentionPolicy: { dropAfter: "90 days" }
 * ```
 */
export interface RetentionPolicy extends JobSettings {
    /** An interval. A shorter one than before drops data with the job's next run: preview says how many chunks. */
    readonly dropAfter: string;
    /** Interval between runs. @default "1 day" */
    readonly scheduleInterval?: string;
}

/**
 * Compresses chunks once they are older than `compressAfter`, by `add_compression_policy`, with the
 * settings of the table that it works on. Other settings hold for chunks compressed from then on.
 *
 * ```ts
 * compressionPolicy: { compressAfter: "7 days", segmentBy: ["model"], orderBy: ["ts DESC"] }
 * ```
 */
export interface CompressionPolicy extends JobSettings {
    /** An interval; on an aggregate longer than `startOffset` of its refresh. */
    readonly compressAfter: string;
    /**
     * Columns whose values are kept apart.
     *
     * @default - none on a hypertable, all grouping columns but the bucket on an aggregate
     */
    readonly segmentBy?: readonly string[];
    /**
     * `column`, `column DESC`, …
     *
     * @default - the time column, newest first on a hypertable and oldest first on an aggregate
     */
    readonly orderBy?: readonly string[];
    /** Chunks are merged up to this interval when they are compressed. @default - they are not merged */
    readonly compressChunkTimeInterval?: string;
    /** Interval between runs. @default "12 hours" */
    readonly scheduleInterval?: string;
}

export type PolicyKind = "refresh" | "retention" | "compression";

/** The procedure each policy's job runs; jobs are recognised by it and by nothing else. */
export const policyProcedures = {
    refresh: "policy_refresh_continuous_aggregate",
    retention: "policy_retention",
    compression: "policy_compression",
} as const satisfies Record<PolicyKind, string>;

export const policyProperties = {
    refresh: "refreshPolicy",
    retention: "retentionPolicy",
    compression: "compressionPolicy",
} as const satisfies Record<PolicyKind, string>;

/** A job as it should be: every field has a value. */
export interface DesiredJob {
    readonly kind: PolicyKind;
    /** The offsets, by the names they have in the job's config; null is unbounded. */
    readonly offsets: Readonly<Record<string, string | null>>;
    readonly scheduleInterval: string;
    readonly initialStart: string | null;
    readonly timezone: string | null;
    readonly scheduled: boolean;
    readonly maxRuntime: string;
    readonly maxRetries: number;
    readonly retryPeriod: string;
}

/** A job as the catalog has it. Intervals are in the server's spelling. */
export interface ActualJob {
    readonly id: number;
    readonly procedure: string;
    readonly owner: string;
    /** Whether the login may act for the job's owner, and so delete the job. */
    readonly ownedByMember?: boolean;
    readonly config: Readonly<Record<string, unknown>>;
    readonly scheduleInterval: string;
    /** ISO 8601 in UTC. */
    readonly initialStart: string | null;
    readonly fixedSchedule: boolean;
    readonly timezone: string | null;
    readonly scheduled: boolean;
    readonly maxRuntime: string;
    readonly maxRetries: number;
    readonly retryPeriod: string;
}

export function desiredRefreshJob(policy: RefreshPolicy): DesiredJob {
    return {
        ...common("refresh", policy, policy.scheduleInterval, "0", policy.scheduleInterval),
        offsets: {
            start_offset: policy.startOffset ?? null,
            end_offset: policy.endOffset ?? null,
        },
    };
}

export function desiredRetentionJob(policy: RetentionPolicy): DesiredJob {
    return {
        ...common(
            "retention",
            policy,
            policy.scheduleInterval ?? "1 day",
            "5 minutes",
            "5 minutes",
        ),
        offsets: { drop_after: policy.dropAfter },
    };
}

export function desiredCompressionJob(policy: CompressionPolicy): DesiredJob {
    return {
        ...common("compression", policy, policy.scheduleInterval ?? "12 hours", "0", "1 hour"),
        offsets: { compress_after: policy.compressAfter },
    };
}

/** The defaults are the server's own (2.14), written out so that they are also put back. */
function common(
    kind: PolicyKind,
    settings: JobSettings,
    scheduleInterval: string,
    maxRuntime: string,
    retryPeriod: string,
): Omit<DesiredJob, "offsets"> {
    return {
        kind,
        scheduleInterval,
        initialStart: settings.initialStart ?? null,
        timezone: settings.timezone ?? null,
        scheduled: !(settings.paused ?? false),
        maxRuntime: settings.maxRuntime ?? maxRuntime,
        maxRetries: settings.maxRetries ?? -1,
        retryPeriod: settings.retryPeriod ?? retryPeriod,
    };
}

export interface JobDifference {
    /** Field name as a program writes it, such as `scheduleInterval`. */
    readonly field: string;
    readonly was: string;
    readonly will: string;
}

/** Field names of a job's config, as a program writes them. */
export const offsetFields: Readonly<Record<string, string>> = {
    start_offset: "startOffset",
    end_offset: "endOffset",
    drop_after: "dropAfter",
    compress_after: "compressAfter",
};

/** What would have to change for the job to be as desired; empty when only spellings differ. */
export function jobDifferences(
    actual: ActualJob,
    desired: DesiredJob,
    { ignoreScheduled = false }: { readonly ignoreScheduled?: boolean } = {},
): JobDifference[] {
    const differences: JobDifference[] = [];
    const interval = (field: string, was: string | null, will: string | null): void => {
        if (!sameInterval(was, will)) {
            differences.push({ field, was: was ?? "unbounded", will: will ?? "unbounded" });
        }
    };
    const value = <T extends string | number | boolean>(field: string, was: T, will: T): void => {
        if (was !== will) differences.push({ field, was: String(was), will: String(will) });
    };

    for (const [key, will] of Object.entries(desired.offsets)) {
        const was = actual.config[key];
        interval(offsetFields[key] ?? key, typeof was === "string" ? was : null, will);
    }
    interval("scheduleInterval", actual.scheduleInterval, desired.scheduleInterval);
    value(
        "initialStart",
        actual.fixedSchedule ? instant(actual.initialStart) : "none",
        desired.initialStart === null ? "none" : instant(desired.initialStart),
    );
    value("timezone", actual.timezone ?? "none", desired.timezone ?? "none");
    if (!ignoreScheduled) value("paused", !actual.scheduled, !desired.scheduled);
    interval("maxRuntime", actual.maxRuntime, desired.maxRuntime);
    value("maxRetries", actual.maxRetries, desired.maxRetries);
    interval("retryPeriod", actual.retryPeriod, desired.retryPeriod);
    return differences;
}

function instant(text: string | null): string {
    if (text === null) return "none";
    const time = parseInstant(text);
    return Number.isNaN(time) ? text : new Date(time).toISOString();
}

/**
 * Milliseconds since 1970 of an ISO 8601 time, or NaN. Without a zone it is in UTC, as the server is
 * told to read it; JavaScript would take the zone of the machine.
 */
export function parseInstant(text: string): number {
    const time = text.trim();
    if (!/^\d{4}-\d{2}-\d{2}/.test(time)) return Number.NaN;
    const complete = /(?:z|[+-]\d{2}(?::?\d{2})?|utc|gmt)$/i.test(time);
    return Date.parse(complete ? time : `${time}Z`);
}
