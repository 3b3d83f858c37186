/** A table or view as the catalog has it, whatever kind of resource stands for it. */
import type { Queryable } from "../connection/session";
import type { QualifiedName } from "../identifier";
import { readSql } from "../sqlFile";
import type { ActualGrant } from "./grants";

export interface ActualColumn {
    readonly name: string;
    /** As the server prints it, such as `timestamp with time zone`. */
    readonly type: string;
    readonly nullable: boolean;
    readonly default: string | null;
    readonly comment: string | null;
    /** In pg_attribute; a rename leaves it as it is. */
    readonly number?: number;
}

export interface ActualRelation {
    readonly oid: string;
    /** Source: pg_class.relkind */
    readonly kind: string;
    readonly owner: string;
    readonly comment: string | null;
    /** `name=value`, as in pg_class.reloptions. */
    readonly options: readonly string[];
    readonly grants: readonly ActualGrant[];
    readonly columns: readonly ActualColumn[];
}

/** What stands under a name, and who asks. */
export interface InspectedRelation {
    readonly databaseUuid: string;
    /** Whether the login may change owners. */
    readonly superuser: boolean;
    readonly relation: ActualRelation | null;
}

export async function inspectRelation(
    client: Queryable,
    { schema, name }: QualifiedName,
): Promise<InspectedRelation> {
    const { rows } = await client.query<
        Omit<ActualRelation, "kind"> & {
            kind: string | null;
            databaseUuid: string;
            superuser: boolean;
        } & Record<string, unknown>
    >(readSql("catalog/relation.sql"), [schema, name]);
    const row = rows[0];
    if (row === undefined) return { databaseUuid: "", superuser: false, relation: null };
    const { databaseUuid, superuser, kind, oid, owner, comment, options, grants, columns } = row;
    const relation = kind === null ? null : { kind, oid, owner, comment, options, grants, columns };
    return { databaseUuid, superuser, relation };
}

/** Source: pg_class.relkind */
const relationKinds: Readonly<Record<string, string>> = {
    r: "plain table",
    p: "partitioned table",
    v: "view",
    m: "materialized view",
    S: "sequence",
    f: "foreign table",
    i: "index",
    c: "composite type",
};

/** In words, such as "view". */
export function relationKind({ kind }: Pick<ActualRelation, "kind">): string {
    return relationKinds[kind] ?? `relation of kind ${kind}`;
}
