import type * as pulumi from "@pulumi/pulumi";

import type { Connection } from "./core/connection/connection";
import type { FunctionGrant } from "./core/relation/grants";
import { type Inputs, TimescaleResource } from "./resource";

/** What a {@link SqlFunction} is declared with. */
export interface SqlFunctionProperties {
    /** The database, and the login that will own the function; kept as a secret. */
    readonly connection: Connection;
    /**
     * Identity of the database that may answer, from `_timescaledb_catalog.metadata`; `"any"` for a
     * server that is made anew with its stack.
     *
     * @default - the database that the first `up` met
     */
    readonly databaseUuid?: string;
    /** Where a name without a schema is created, and looked up first. @default "public" */
    readonly schema?: string;
    /**
     * The whole `CREATE [OR REPLACE] FUNCTION` text, in any language. Its name and argument types say
     * which function it is, so overloads are resources of their own.
     */
    readonly definition: string;
    /** `COMMENT ON`, changed in place. @default - no comment */
    readonly comment?: string;
    /**
     * The role that owns the function, with whose rights a SECURITY DEFINER one runs. The login acts
     * for it and has to be a member of it.
     *
     * @default - the login itself
     */
    readonly owner?: string;
    /**
     * Who may call it, as a whole: a right that is not listed is revoked, also the one that PostgreSQL
     * gives to everyone; `public` is everyone.
     *
     * @default - nobody but the owner
     */
    readonly grants?: readonly FunctionGrant[];
    /**
     * Take over a function of this name and these argument types that exists and differs.
     *
     * @default false: only one that does the same and has the same owner is taken over
     */
    readonly adopt?: boolean;
}

/** {@link SqlFunctionProperties}, each value of which may still be computed. */
export type SqlFunctionArgs = Inputs<SqlFunctionProperties>;

/**
 * A function with its comment and grants, made in one transaction.
 *
 * ```ts
 * new SqlFunction("spent", {
 *     connection,
 *     definition: `CREATE FUNCTION spent(since timestamptz) RETURNS numeric
 *                  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
 *                  AS $$ SELECT sum(cost) FROM requests WHERE ts >= since $$`,
 *     grants: [{ role: "dashboards", privileges: ["EXECUTE"] }],
 * });
 * ```
 *
 * | You change                                    | `up` does                                   |
 * |-----------------------------------------------|---------------------------------------------|
 * | case, spacing or comments of the text, and of SQL its spelling | nothing                    |
 * | the body, a default, volatility, security, `SET` and the like  | replaces it in place       |
 * | result, names of arguments, a default less    | drops and makes it again, in one transaction; refused while others use it |
 * | types of arguments                            | makes the new function and drops the old one; refused while others use that |
 * | `comment`, `grants`                           | alters in place                             |
 * | `owner`                                       | gives it away, as a superuser or member of both roles; others are refused |
 * | its name, `schema`                            | renames; refused while jobs run it          |
 * | the resource left out                         | drops the function; refused while others use it |
 *
 * Malformed input fails preview, all problems of the resource at once. What `up` will refuse, preview
 * says and goes on; then nothing of this object is touched.
 *
 * A plain `pulumi preview` compares with the live database, so changes made by hand show in it. What
 * a body reads may be made by the same deployment.
 */
export class SqlFunction extends TimescaleResource {
    /** The text as the program last gave it. */
    declare readonly definition: pulumi.Output<string>;
    /** The text says it; `signature` has it as an output. */
    declare readonly name: never;
    /** What the last `up` made, by which it is found again. */
    declare readonly signature: pulumi.Output<{
        /** Where it lies. */
        readonly schema: string;
        /** Without schema and arguments. */
        readonly name: string;
    }>;

    constructor(name: string, args: SqlFunctionArgs, opts?: pulumi.CustomResourceOptions) {
        super("SqlFunction", name, { ...args, signature: undefined } as SqlFunctionArgs, opts);
    }
}
