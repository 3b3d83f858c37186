/** What stands under a hypertable's name, read from the catalog. */
import type { Queryable } from "../connection/session";
import type { QualifiedName } from "../identifier";
import { knownIn, type KnownObject } from "../memory/memory";
import type { ActualPolicies } from "../policies/changes";
import type { ActualGrant } from "../relation/grants";
import { inspectParts } from "../relation/hypertableParts";
import type { ActualIndex } from "../relation/indexes";
import { type ActualColumn, inspectRelation, relationKind } from "../relation/relation";
import { readSql } from "../sqlFile";

export type InspectedHypertable =
    | { readonly kind: "absent"; readonly databaseUuid: string }
    | {
          readonly kind: "other";
          readonly databaseUuid: string;
          /** "view", "plain table", … */
          readonly relation: string;
          readonly owner: string;
          /** Where the hypertable of the last apply stands now, if it does. */
          readonly movedTo?: QualifiedName;
      }
    | ({ readonly kind: "hypertable"; readonly databaseUuid: string } & ActualHypertable);

export interface ActualHypertable extends ActualPolicies {
    readonly name: QualifiedName;
    readonly owner: string;
    /** Whether the login may change owners. */
    readonly superuser: boolean;
    readonly comment: string | null;
    readonly grants: readonly ActualGrant[];
    readonly columns: readonly ActualColumn[];
    readonly indexes: readonly ActualIndex[];
    readonly hypertableId: number;
    readonly timeColumn: string;
    readonly chunkTimeInterval: string;
    /** Chunks that stand. */
    readonly chunks: number;
}

interface Row {
    readonly schema: string;
    readonly name: string;
    readonly hypertableId: number;
    readonly timeColumn: string;
    readonly chunkTimeInterval: string;
}

export async function inspectHypertable(
    client: Queryable,
    name: QualifiedName,
    known?: KnownObject,
): Promise<InspectedHypertable> {
    const named = await inspectRelation(client, name);
    const { databaseUuid, superuser } = named;
    const { rows } = await client.query<Row & Record<string, unknown>>(
        readSql("catalog/hypertable.sql"),
        [name.schema, name.name, knownIn(databaseUuid, known)],
    );
    const row = rows[0];
    const itsOwn = row !== undefined && row.schema === name.schema && row.name === name.name;
    if (named.relation !== null && !itsOwn) {
        return {
            kind: "other",
            databaseUuid,
            relation: relationKind(named.relation),
            owner: named.relation.owner,
            ...(row !== undefined && { movedTo: { schema: row.schema, name: row.name } }),
        };
    }
    if (row === undefined) return { kind: "absent", databaseUuid };
    const standing = { schema: row.schema, name: row.name };
    const relation = named.relation ?? (await inspectRelation(client, standing)).relation;
    if (relation === null) return { kind: "absent", databaseUuid };
    const { owner, comment, grants, columns } = relation;
    return {
        kind: "hypertable",
        databaseUuid,
        name: standing,
        owner,
        superuser,
        comment,
        grants,
        columns,
        hypertableId: row.hypertableId,
        timeColumn: row.timeColumn,
        chunkTimeInterval: row.chunkTimeInterval,
        ...(await inspectParts(client, row.hypertableId)),
    };
}
