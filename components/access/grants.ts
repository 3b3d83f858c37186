/** Rights on the database and its schema. Rights on tables and aggregates are granted with them. */
import * as postgresql from "@pulumi/postgresql";
import type * as pulumi from "@pulumi/pulumi";

export interface DatabaseGrantsArgs {
    readonly database: pulumi.Input<string>;
    readonly schema: pulumi.Input<string>;
    readonly writer: pulumi.Input<string>;
    readonly reader: pulumi.Input<string>;
}

/**
 * Only the three roles may connect, and writer and reader may look up names in the schema. The public
 * loses CONNECT and TEMPORARY on the database, and CREATE on schema public, which it has before
 * PostgreSQL 15.
 *
 * @param opts run as the database's owner
 * @param publicSchemaOpts run as a login that may grant on schema public
 */
export function databaseGrants(
    name: string,
    { database, schema, writer, reader }: DatabaseGrantsArgs,
    opts: pulumi.CustomResourceOptions,
    publicSchemaOpts: pulumi.CustomResourceOptions,
): readonly postgresql.Grant[] {
    const onDatabase = { database, objectType: "database" };
    const onSchema = { database, schema, objectType: "schema" };
    const wanted: readonly (readonly [
        string,
        postgresql.GrantArgs,
        pulumi.CustomResourceOptions,
    ])[] = [
        ["public-database", { ...onDatabase, role: "public", privileges: [] }, opts],
        ["writer-database", { ...onDatabase, role: writer, privileges: ["CONNECT"] }, opts],
        ["reader-database", { ...onDatabase, role: reader, privileges: ["CONNECT"] }, opts],
        [
            "public-schema",
            { ...onSchema, schema: "public", role: "public", privileges: ["USAGE"] },
            publicSchemaOpts,
        ],
        ["writer-schema", { ...onSchema, role: writer, privileges: ["USAGE"] }, opts],
        ["reader-schema", { ...onSchema, role: reader, privileges: ["USAGE"] }, opts],
    ];
    // One after the other: two grants on one object at once fail with "tuple concurrently updated".
    return wanted.reduce<readonly postgresql.Grant[]>(
        (before, [key, args, options]) => [
            ...before,
            new postgresql.Grant(`${name}-${key}`, args, {
                ...options,
                dependsOn: before.slice(-1),
            }),
        ],
        [],
    );
}
