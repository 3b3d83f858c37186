/**
 * The guard rails: what is refused or pointed out although each part of a declaration is well formed.
 * One table of all of them, so that a code can be looked up, waived and kept stable.
 */

/**
 * - `malformed`: preview fails, and nothing can waive it.
 * - `refuse`: it loses history, gives wrong numbers or makes every refresh fail. Preview shows it, and
 *   `up` refuses before the first statement on the object.
 * - `warn`: worth a second look; `up` goes on.
 */
export type RuleSeverity = "malformed" | "refuse" | "warn";

interface Rule {
    readonly severity: RuleSeverity;
    /** In one line, for the table in docs/resources.md. */
    readonly meaning: string;
}

/** Codes are never renamed and never change meaning. */
export const rules = {
    empty_query: { severity: "malformed", meaning: "a query without a statement" },
    several_statements: { severity: "malformed", meaning: "a query of more than one statement" },
    common_table_expression: { severity: "malformed", meaning: "a query that begins with WITH" },
    not_a_select: { severity: "malformed", meaning: "a query that is no SELECT" },
    no_time_bucket: { severity: "malformed", meaning: "a query without `time_bucket`" },
    mutable_functions: {
        severity: "malformed",
        meaning: "`now()`, `current_user` and others that change, also in WHERE",
    },
    duplicate_columns: { severity: "malformed", meaning: "two columns of one name" },
    unnamed_columns: { severity: "malformed", meaning: "an expression without a name" },
    invalid_query: { severity: "malformed", meaning: "what the server says no aggregate can do" },
    two_buckets: {
        severity: "malformed",
        meaning: "a refresh window of fewer than two buckets",
    },
    compression_without_refresh: {
        severity: "malformed",
        meaning: "`compressionPolicy` without a `refreshPolicy`",
    },
    compression_inside_refresh_window: {
        severity: "malformed",
        meaning: "`compressAfter` not longer than `startOffset`",
    },
    bucket_not_multiple: {
        severity: "malformed",
        meaning: "a bucket that is no multiple of the parent's",
    },
    refresh_beyond_source_retention: {
        severity: "refuse",
        meaning: "`startOffset` longer than the source's `dropAfter`",
    },
    unbounded_refresh_over_retention: {
        severity: "refuse",
        meaning: "no `startOffset` over a source with retention",
    },
    retention_inside_refresh_window: {
        severity: "refuse",
        meaning: "`dropAfter` shorter than the own `startOffset`",
    },
    integer_product: {
        severity: "refuse",
        meaning: "integers multiplied inside an aggregate: one overflow stops every refresh",
    },
    average_of_averages: { severity: "refuse", meaning: "`avg` of a parent's `avg`" },
    sum_of_distinct_counts: {
        severity: "refuse",
        meaning: "`sum` of a parent's `count(DISTINCT …)`",
    },
    percentile_of_percentiles: {
        severity: "refuse",
        meaning: "a percentile or `avg` of a parent's percentile",
    },
    decompression_limit: {
        severity: "refuse",
        meaning: "more compressed rows to refresh than a statement may decompress, before 2.17",
    },
    retention_with_unbounded_refresh: {
        severity: "warn",
        meaning: "`retentionPolicy` without a `startOffset`: late rows bring dropped buckets back",
    },
    child_window_shorter: {
        severity: "warn",
        meaning: "`startOffset` shorter than the parent's: late rows are missed",
    },
    child_ahead_of_parent: {
        severity: "warn",
        meaning: "`endOffset` before the parent's buckets are complete",
    },
    child_retention_shorter: {
        severity: "warn",
        meaning: "`dropAfter` shorter than the parent's, which is finer",
    },
    open_bucket: {
        severity: "warn",
        meaning: "no `endOffset`, or a negative one: the open bucket is served",
    },
    chunk_shorter_than_bucket: { severity: "warn", meaning: "a chunk shorter than one bucket" },
    chunk_longer_than_retention: {
        severity: "warn",
        meaning: "chunks longer than half of `dropAfter`, and only whole ones are dropped",
    },
    having: { severity: "warn", meaning: "HAVING decides when a bucket is computed" },
    order_by: { severity: "warn", meaning: "ORDER BY has no effect on what is stored" },
    schedule_too_tight: {
        severity: "warn",
        meaning: "refreshes that take longer than `scheduleInterval`, as measured",
    },
    few_background_workers: {
        severity: "warn",
        meaning: "more measured work than the background workers can do",
    },
} as const satisfies Readonly<Record<string, Rule>>;

/** The stable code of a guard rail, such as `having`. All of them, with their severities: "Guard rails" in the package's README. */
export type RuleCode = keyof typeof rules;

export const ruleCodes = Object.keys(rules) as RuleCode[];

export function isRuleCode(value: unknown): value is RuleCode {
    return typeof value === "string" && Object.hasOwn(rules, value);
}
