/** What stands under a hypertable's name, read from the catalog in one query. */
import type { QualifiedName } from "../identifier";
import type { ActualJob } from "../policy";
import type { ActualCompression } from "../policyDiff";
import type { Queryable } from "../session";
import { readSql } from "../sqlFile";

export type InspectedHypertable =
    | { readonly kind: "absent"; readonly databaseUuid: string }
    | {
          readonly kind: "other";
          readonly databaseUuid: string;
          /** "view", "plain table", … */
          readonly relation: string;
          readonly owner: string;
      }
    | ({ readonly kind: "hypertable"; readonly databaseUuid: string } & ActualHypertable);

export interface ActualColumn {
    readonly name: string;
    readonly type: string;
    readonly nullable: boolean;
    readonly default: string | null;
    readonly comment: string | null;
}

export interface ActualIndex {
    readonly name: string;
    readonly method: string;
    readonly unique: boolean;
    readonly primary: boolean;
    /** False for what an interrupted build left behind. */
    readonly valid: boolean;
    readonly predicate: string | null;
    readonly columns: readonly {
        readonly expression: string;
        readonly descending: boolean;
        readonly nullsFirst: boolean;
    }[];
}

export interface ActualHypertable {
    readonly owner: string;
    readonly comment: string | null;
    readonly grants: readonly { readonly role: string; readonly privileges: readonly string[] }[];
    readonly columns: readonly ActualColumn[];
    readonly indexes: readonly ActualIndex[];
    readonly hypertableId: number;
    readonly timeColumn: string;
    readonly chunkTimeInterval: string;
    readonly compressed: boolean;
    readonly compression: ActualCompression | null;
    readonly jobs: readonly ActualJob[];
}

type Row = Omit<ActualHypertable, "hypertableId" | "owner"> & {
    readonly databaseUuid: string;
    readonly relationKind: string | null;
    readonly owner: string | null;
    readonly hypertableId: number | null;
};

const relationKinds: Readonly<Record<string, string>> = {
    r: "plain table",
    p: "partitioned table",
    v: "view",
    m: "materialized view",
    S: "sequence",
    f: "foreign table",
};

export async function inspectHypertable(
    client: Queryable,
    { schema, name }: QualifiedName,
): Promise<InspectedHypertable> {
    const { rows } = await client.query<Row & Record<string, unknown>>(
        readSql("catalog/hypertable.sql"),
        [schema, name],
    );
    const row = rows[0];
    if (row === undefined || row.relationKind === null || row.owner === null) {
        return { kind: "absent", databaseUuid: row?.databaseUuid ?? "" };
    }
    const { databaseUuid, owner } = row;
    if (row.hypertableId === null) {
        const relation = relationKinds[row.relationKind] ?? `relation of kind ${row.relationKind}`;
        return { kind: "other", databaseUuid, relation, owner };
    }
    return {
        kind: "hypertable",
        databaseUuid,
        owner,
        comment: row.comment,
        grants: row.grants,
        columns: row.columns,
        indexes: row.indexes,
        hypertableId: row.hypertableId,
        timeColumn: row.timeColumn,
        chunkTimeInterval: row.chunkTimeInterval,
        compressed: row.compressed,
        compression: row.compressed ? row.compression : null,
        jobs: row.jobs,
    };
}
