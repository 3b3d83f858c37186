import type * as pulumi from "@pulumi/pulumi";

import type { Connection } from "./core/connection/connection";
import type { Column } from "./core/hypertable/spec";
import type { CompressionPolicy, RetentionPolicy } from "./core/policies/policy";
import type { Grant } from "./core/relation/grants";
import type { Index } from "./core/relation/indexes";
import type { Waiver } from "./core/rules/finding";
import { type Inputs, TimescaleResource } from "./resource";

/** What a {@link Hypertable} is declared with. */
export interface HypertableProperties {
    /** The database, and the login that will own the table; kept as a secret. */
    readonly connection: Connection;
    /**
     * Identity of the database that may answer, from `_timescaledb_catalog.metadata`; `"any"` for a
     * server that is made anew with its stack.
     *
     * @default - the database that the first `up` met
     */
    readonly databaseUuid?: string;
    /** Changing it moves the table there in place. @default "public" */
    readonly schema?: string;
    /** Changing it renames the table in place. */
    readonly name: string;
    /** In order. A column goes only when `dropColumns` names it. */
    readonly columns: readonly Column[];
    /** The column that chunks are cut by: a timestamptz, timestamp or date. */
    readonly timeColumn: string;
    /** Names of columns, in order, the time column among them; dropped and added to change it. @default - no primary key */
    readonly primaryKey?: readonly string[];
    /** Interval, the time range of one chunk; new chunks only. @default "7 days" */
    readonly chunkTimeInterval?: string;
    /** Built and dropped as they change. @default - none beside the primary key's; the default index on the time column is not made */
    readonly indexes?: readonly Index[];
    /** Altered in place; left out, its job is removed. @default - no retention policy; rows are kept for ever */
    readonly retentionPolicy?: RetentionPolicy;
    /** Altered in place; left out, job and settings go; refused while chunks are compressed. @default - no compression */
    readonly compressionPolicy?: CompressionPolicy;
    /** `COMMENT ON`, changed in place. @default - no comment */
    readonly comment?: string;
    /**
     * The role that owns the table and runs its jobs, so it needs LOGIN. The login acts for it and has
     * to be a member of it.
     *
     * @default - the login itself
     */
    readonly owner?: string;
    /**
     * Who may do what, as a whole: a privilege that is not listed is revoked.
     *
     * @default - nobody but the owner
     */
    readonly grants?: readonly Grant[];
    /**
     * Take over a hypertable of this name that exists and differs.
     *
     * @default false: only one with the same columns, key and owner is taken over
     */
    readonly adopt?: boolean;
    /** Columns to drop with their data. @default - none; a column that is not declared is kept */
    readonly dropColumns?: readonly string[];
    /**
     * Guard rails that are switched off here, by their codes, each with the reason that every preview
     * shows. What is malformed cannot be waived. See {@link RuleCode}.
     *
     * Example: `[{ rule: "chunk_longer_than_retention", reason: "few rows a week" }]`
     *
     * @default - none
     */
    readonly waive?: readonly Waiver[];
    /**
     * Folder, absolute or relative to the program's, that all rows are written to before the table is
     * dropped with the resource: into a folder of its own for each backup, `<schema>.<name>-<UTC
     * time>/`, as `rows.csv.gz` and `backup.json`. From its beginning the table has another name, so
     * that writers are refused as they will be after the drop; when the backup fails it is renamed
     * back. `npm run restore` puts the rows back. Set it with `up` before a destroy.
     *
     * Columns of `dropColumns` are written so too before they go, with the key of their rows (the
     * whole rows where there is none), and have other names meanwhile. They are restored into a plain
     * table, by `--into`.
     *
     * @default - no backup
     */
    readonly backup?: string;
}

/** {@link HypertableProperties}, each value of which may still be computed. */
export type HypertableArgs = Inputs<HypertableProperties>;

/**
 * A TimescaleDB hypertable with its indexes, retention and compression policies, comments and
 * grants, made in one transaction.
 *
 * ```ts
 * new Hypertable("metrics", {
 *     connection,
 *     name: "metrics",
 *     columns: [
 *         { name: "ts", type: "timestamptz", nullable: false },
 *         { name: "value", type: "double precision" },
 *     ],
 *     timeColumn: "ts",
 *     chunkTimeInterval: "1 day",
 *     retentionPolicy: { dropAfter: "90 days" },
 * }, { protect: true });
 * ```
 *
 * | You change                                   | `up` does                                | Rows |
 * |----------------------------------------------|------------------------------------------|------|
 * | a column more, a default, nullability        | alters the table                         | kept |
 * | a column that was renamed by hand            | gets its name back                       | kept |
 * | a column less                                | nothing; with `dropColumns` drops it     | its values **lost** |
 * | a column's type, the time column             | refuses                                  | kept |
 * | `primaryKey`                                 | drops and adds it; before TimescaleDB 2.18 not while chunks are compressed | kept |
 * | `indexes`                                    | builds them chunk by chunk, so that writers wait for one chunk at most; drops them | kept |
 * | `chunkTimeInterval`                          | sets it for new chunks                   | kept |
 * | `retentionPolicy`, `compressionPolicy`       | alters the jobs; ids and statistics stay | kept |
 * | `comment`, `grants`                          | alters in place                          | kept |
 * | `waive`                                      | nothing in the database; every preview shows what is waived | kept |
 * | `owner`                                      | gives it away, as a superuser; others are refused | kept |
 * | `name`, `schema`                             | renames                                  | kept |
 * | the resource left out                        | drops the table; refused while others read it: use `protect` | **lost** |
 *
 * Malformed input fails preview, all problems of the resource at once. What `up` will refuse, preview
 * says and goes on; then nothing of this object is touched.
 *
 * A plain `pulumi preview` compares with the live database, so changes made by hand show in it.
 */
export class Hypertable extends TimescaleResource {
    constructor(name: string, args: HypertableArgs, opts?: pulumi.CustomResourceOptions) {
        super("Hypertable", name, args, opts);
    }
}
