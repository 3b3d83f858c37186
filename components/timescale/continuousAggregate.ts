import type * as pulumi from "@pulumi/pulumi";

import type { History } from "./core/aggregate/keepHistory/mapping";
import type { Connection } from "./core/connection/connection";
import type { CompressionPolicy, RefreshPolicy, RetentionPolicy } from "./core/policies/policy";
import type { Grant } from "./core/relation/grants";
import type { Index } from "./core/relation/indexes";
import type { Waiver } from "./core/rules/finding";
import { type Inputs, TimescaleResource } from "./resource";

/** What a {@link ContinuousAggregate} is declared with. */
export interface ContinuousAggregateProperties {
    /** The database, and the login that will own the aggregate; kept as a secret. */
    readonly connection: Connection;
    /**
     * Identity of the database that may answer, from `_timescaledb_catalog.metadata`; `"any"` for a
     * server that is made anew with its stack.
     *
     * @default - the database that the first `up` met
     */
    readonly databaseUuid?: string;
    /** Changing it moves the aggregate there in place. @default "public" */
    readonly schema?: string;
    /** Changing it renames the aggregate in place. */
    readonly name: string;
    /**
     * One SELECT over one hypertable or aggregate, grouped by `time_bucket`. Over an aggregate the
     * bucket is a whole multiple of that one's. Preview fails for what no aggregate can compute, such as
     * `now()` in it (`mutable_functions`); what a change of it does, `onQueryChange` says.
     */
    readonly query: string;
    /**
     * Whether queries see materialized buckets only, or newer raw rows as well.
     *
     * @default true, as the server since 2.13
     */
    readonly materializedOnly?: boolean;
    /**
     * Whether the server makes an index on each grouping column and the bucket. They serve queries for
     * single values of one column over long times; on an aggregate with many and short rows they can
     * take more room than the rows do. It is looked at only when the aggregate is created, or built
     * anew by a changed `query`: what stands keeps the indexes that it has. Those that are wanted
     * beside, `indexes` declares.
     *
     * @default true, as the server
     */
    readonly createGroupIndexes?: boolean;
    /**
     * Interval, the time range of one chunk of the materialized buckets; new chunks only. Retention drops whole
     * chunks, so a shorter one keeps closer to `dropAfter`.
     *
     * @default - the server's: ten times that of the hypertable, or that of the aggregate that it reads
     */
    readonly chunkTimeInterval?: string;
    /** Altered in place; left out, its job is removed. @default - no refresh policy; the aggregate is refreshed only by hand */
    readonly refreshPolicy?: RefreshPolicy;
    /** Altered in place; left out, its job is removed. @default - no retention policy; buckets are kept for ever */
    readonly retentionPolicy?: RetentionPolicy;
    /** Altered in place; left out, job and settings go; refused while chunks are compressed. @default - no compression */
    readonly compressionPolicy?: CompressionPolicy;
    /** `COMMENT ON`, changed in place. @default - no comment */
    readonly comment?: string;
    /**
     * The role that owns the aggregate and runs its jobs, so it needs LOGIN. The login acts for it and
     * has to be a member of it.
     *
     * @default - the login itself
     */
    readonly owner?: string;
    /** Beside those that the server makes for the grouping columns. @default - none */
    readonly indexes?: readonly Index[];
    /**
     * Who may do what, as a whole: a privilege that is not listed is revoked.
     *
     * @default - nobody but the owner
     */
    readonly grants?: readonly Grant[];
    /**
     * Take over an aggregate of this name that exists already.
     *
     * @default false: only one that has the same query and owner is taken over
     */
    readonly adopt?: boolean;
    /**
     * History that deleting may lose although raw data can no longer give it, in rows.
     *
     * @default - none: such a delete is refused, with the rows and their time range
     */
    readonly acceptLoss?: {
        /** A whole number of rows. */
        readonly upToRows: number;
    };
    /**
     * `"keep"` leaves the aggregate standing under a dated name and without jobs when the resource is
     * deleted; a later `up` takes it back, with its history.
     *
     * @default "drop"
     */
    readonly onDelete?: "drop" | "keep";
    /**
     * What `up` does about a query that is really another.
     *
     * - `"refuse"` shows the difference, what is at stake and the choices, and changes nothing.
     * - `"rebuild"` drops the aggregate and creates it again in one transaction, with new jobs, then
     *   fills it from raw data; it is refused while others read it, and where more history would be
     *   lost than `acceptLoss` covers.
     * - `"keepHistory"` builds the new version beside the one that stands, under `<name>_building`,
     *   from raw data; copies what raw data can no longer give; compares both; and lets them change
     *   names in one short transaction, in which views that read it are replaced and aggregates over
     *   it are exchanged as well. Readers see no error and no missing row. The old version goes on
     *   standing, and refreshing, as `<name>_replaced_<date>_<number>`: the query that it has brings
     *   it back without building anything. An attempt that was stopped is finished by the next `up`.
     *
     * @default "refuse"
     */
    readonly onQueryChange?: "refuse" | "rebuild" | "keepHistory";
    /**
     * With `onQueryChange: "keepHistory"`: what becomes of buckets that raw data can no longer give.
     *
     * @default - columns of the same name are carried over, new ones are null, versions are kept
     */
    readonly history?: History;
    /**
     * Guard rails that are switched off here, by their codes, each with the reason that every preview
     * shows. What is malformed cannot be waived. See {@link RuleCode}.
     *
     * Example: `[{ rule: "order_by", reason: "kept as the dashboard's text" }]`
     *
     * @default - none
     */
    readonly waive?: readonly Waiver[];
    /**
     * Folder, absolute or relative to the program's, that all buckets are written to before they are
     * dropped with the resource, by a rebuild, or as a version that was replaced: into a folder of its own for each backup,
     * `<schema>.<name>-<UTC time>/`, as `rows.csv.gz` and `backup.json`. Nothing is dropped before it
     * is complete; meanwhile refreshes of this aggregate wait, and nobody else. `npm run restore`
     * puts the buckets back. Set it with `up` before a destroy.
     *
     * @default - no backup
     */
    readonly backup?: string;
}

/** {@link ContinuousAggregateProperties}, each value of which may still be computed. */
export type ContinuousAggregateArgs = Inputs<ContinuousAggregateProperties>;

/**
 * A TimescaleDB continuous aggregate with its refresh, retention and compression policies, comment
 * and grants. It is created in one transaction, then filled oldest buckets first; its refresh job
 * starts when the fill has reached the present.
 *
 * ```ts
 * new ContinuousAggregate("metrics-hourly", {
 *     connection,
 *     name: "metrics_hourly",
 *     query: "SELECT time_bucket('1 hour', ts) AS bucket, count(*) AS requests FROM metrics GROUP BY 1",
 *     refreshPolicy: { startOffset: "1 day", endOffset: "1 hour", scheduleInterval: "5 minutes" },
 *     retentionPolicy: { dropAfter: "210 days" },
 *     grants: [{ role: "dashboards", privileges: ["SELECT"] }],
 * });
 * ```
 *
 * | You change                                     | `up` does                            | Data |
 * |------------------------------------------------|--------------------------------------|------|
 * | spelling, spacing or comments of `query`       | nothing: the server reads it the same | kept |
 * | names of the query's columns alone             | renames the columns                  | kept |
 * | `query` itself                                 | refuses, and shows the difference    | kept |
 * | the same with `onQueryChange: "keepHistory"`   | builds the new version beside it, copies what raw data can no longer give, exchanges them | kept |
 * | the same with `onQueryChange: "rebuild"`       | drops it and fills a new one from raw data; refused where more is lost than `acceptLoss` covers | what raw data has |
 * | `refreshPolicy`, `retentionPolicy`             | alters the jobs; ids and statistics stay | kept |
 * | `compressionPolicy`                            | alters settings and job              | kept |
 * | `materializedOnly`, `chunkTimeInterval`, `comment`, `grants` | alters in place        | kept |
 * | `createGroupIndexes`                           | nothing: it is looked at when the aggregate is created | kept |
 * | `indexes`                                      | builds them chunk by chunk, drops them | kept |
 * | `waive`                                        | nothing in the database; every preview shows what is waived | kept |
 * | `owner`                                        | gives it away, as a superuser, with new jobs; others are refused | kept |
 * | `name`, `schema`                               | renames                              | kept |
 * | a policy left out                              | removes it                           | kept |
 * | the resource left out                          | drops the aggregate; refused while it holds history that raw data lost, or while others read it | **lost** |
 *
 * What `query` reads, and the same program declares on the same `connection`, is created before the
 * aggregate and deleted after it, in whatever order they are declared and without `dependsOn`. For
 * names and queries that are computed there are outputs and `dependsOn`, as for any resource; and a
 * table that is declared later than the aggregate, behind an `await`, comes too late to be waited for.
 *
 * Guard rails on windows, retention, queries and background jobs have stable codes: what loses history,
 * gives wrong numbers or fails is refused by `up`, the rest is pointed out, and `waive` switches one off.
 *
 * Malformed input fails preview, all problems of the resource at once. What `up` will refuse, preview
 * says and goes on; then nothing of this object is touched.
 *
 * A plain `pulumi preview` compares with the live database, so changes made by hand show in it.
 */
export class ContinuousAggregate extends TimescaleResource {
    /** The query as the program last gave it. */
    declare readonly query: pulumi.Output<string>;

    constructor(name: string, args: ContinuousAggregateArgs, opts?: pulumi.CustomResourceOptions) {
        super("ContinuousAggregate", name, args, opts);
    }
}
