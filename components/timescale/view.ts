import type * as pulumi from "@pulumi/pulumi";

import type { Connection } from "./core/connection/connection";
import type { Grant } from "./core/relation/grants";
import { type Inputs, TimescaleResource } from "./resource";

/** What a {@link View} is declared with. */
export interface ViewProperties {
    /** The database, and the login that will own the view; kept as a secret. */
    readonly connection: Connection;
    /**
     * Identity of the database that may answer, from `_timescaledb_catalog.metadata`; `"any"` for a
     * server that is made anew with its stack.
     *
     * @default - the database that the first `up` met
     */
    readonly databaseUuid?: string;
    /** Changing it moves the view there in place. @default "public" */
    readonly schema?: string;
    /** Changing it renames the view in place. */
    readonly name: string;
    /** One SELECT; unqualified names are looked up in `schema`, then in `public`. */
    readonly query: string;
    /** `COMMENT ON`, changed in place. @default - no comment */
    readonly comment?: string;
    /**
     * The role that owns the view, with whose rights it reads. The login acts for it and has to be a
     * member of it.
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
     * Take over a view of this name that exists and differs.
     *
     * @default false: only one that has the same query and owner is taken over
     */
    readonly adopt?: boolean;
    /**
     * Whether it reads with the rights of whoever queries it, not with its owner's; PostgreSQL 15 or
     * newer.
     *
     * @default false
     */
    readonly securityInvoker?: boolean;
    /**
     * Whether its conditions are checked before any function that could tell of rows they hide.
     *
     * @default false
     */
    readonly securityBarrier?: boolean;
}

/** {@link ViewProperties}, each value of which may still be computed. */
export type ViewArgs = Inputs<ViewProperties>;

/**
 * A view with its options, comment and grants, made in one transaction.
 *
 * ```ts
 * new View("latest", {
 *     connection,
 *     name: "latest",
 *     query: "SELECT model, max(ts) AS seen FROM requests GROUP BY model",
 *     grants: [{ role: "dashboards", privileges: ["SELECT"] }],
 * });
 * ```
 *
 * | You change                                  | `up` does                                     |
 * |---------------------------------------------|-----------------------------------------------|
 * | spelling, spacing or comments of `query`    | nothing: the server reads it the same         |
 * | names of the query's columns alone          | renames the columns                           |
 * | what the columns hold, columns more at the end | replaces the view in place                 |
 * | columns less, in another order, of another type | drops and makes it again, in one transaction; refused while others use it |
 * | `securityInvoker`, `securityBarrier`, `comment`, `grants` | alters in place                 |
 * | `owner`                                     | gives it away, as a superuser or member of both roles; others are refused |
 * | `name`, `schema`                            | renames                                       |
 * | the resource left out                       | drops the view; refused while others use it   |
 *
 * Malformed input fails preview, all problems of the resource at once. What `up` will refuse, preview
 * says and goes on; then nothing of this object is touched.
 *
 * A plain `pulumi preview` compares with the live database, so changes made by hand show in it. A
 * table or continuous aggregate of its name is never touched.
 */
export class View extends TimescaleResource {
    /** The query as the program last gave it. */
    declare readonly query: pulumi.Output<string>;

    constructor(name: string, args: ViewArgs, opts?: pulumi.CustomResourceOptions) {
        super("View", name, args, opts);
    }
}
