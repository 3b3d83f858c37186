/** What stands under an aggregate's name, read from the catalog in one query. */
import { createHash } from "node:crypto";

import type { QualifiedName } from "../identifier";
import { type Marker, parseMarker } from "../marker";
import type { ActualJob } from "../policy";
import type { ActualCompression } from "../policyDiff";
import type { Queryable } from "../session";
import { readSql } from "../sqlFile";

/** Where nothing stands, only the database's identity is known. */
export type InspectedAggregate =
    | { readonly kind: "absent"; readonly databaseUuid: string }
    | {
          readonly kind: "other";
          readonly databaseUuid: string;
          /** "table", "view", … */
          readonly relation: string;
          readonly owner: string;
      }
    /** The catalog knows the aggregate, and its view is gone or renamed behind TimescaleDB's back. */
    | { readonly kind: "orphan"; readonly databaseUuid: string }
    | ({ readonly kind: "aggregate"; readonly databaseUuid: string } & ActualAggregate);

export interface ActualAggregate {
    readonly owner: string;
    /** The query in the server's own words. */
    readonly definition: string;
    /** False when someone replaced the view by another query with the same columns. */
    readonly intact: boolean;
    readonly materializedOnly: boolean;
    readonly bucketWidth: string | null;
    readonly bucketTimezone: string | null;
    readonly timeColumn: string;
    readonly timeType: string;
    readonly chunkTimeInterval: string;
    readonly materializationId: number;
    readonly materialization: QualifiedName;
    readonly source: QualifiedName;
    readonly sourceId: number;
    readonly compressed: boolean;
    readonly compression: ActualCompression | null;
    readonly jobs: readonly ActualJob[];
    readonly comment: string | null;
    readonly grants: readonly { readonly role: string; readonly privileges: readonly string[] }[];
    readonly marker: Marker;
}

interface Row {
    readonly databaseUuid: string;
    readonly relationKind: string | null;
    readonly owner: string | null;
    readonly comment: string | null;
    readonly grants: ActualAggregate["grants"];
    readonly materializationId: number | null;
    readonly materializationSchema: string;
    readonly materializationTable: string;
    readonly definition: string;
    readonly intact: boolean;
    readonly materializedOnly: boolean;
    readonly bucketWidth: string | null;
    readonly bucketTimezone: string | null;
    readonly timeColumn: string;
    readonly timeType: string;
    readonly chunkTimeInterval: string;
    readonly sourceSchema: string;
    readonly sourceName: string;
    readonly sourceId: number;
    readonly compressed: boolean;
    readonly compression: ActualCompression | null;
    readonly jobs: readonly ActualJob[];
    readonly marker: string | null;
}

/** Source: pg_class.relkind */
const relationKinds: Readonly<Record<string, string>> = {
    r: "table",
    p: "partitioned table",
    v: "view",
    m: "materialized view",
    S: "sequence",
    f: "foreign table",
    i: "index",
    c: "composite type",
};

export async function inspectAggregate(
    client: Queryable,
    { schema, name }: QualifiedName,
): Promise<InspectedAggregate> {
    const { rows } = await client.query<Row & Record<string, unknown>>(
        readSql("catalog/continuous_aggregate.sql"),
        [schema, name],
    );
    const row = rows[0];
    if (row === undefined) return { kind: "absent", databaseUuid: "" };
    const { databaseUuid } = row;
    if (row.materializationId === null) {
        if (row.relationKind === null || row.owner === null)
            return { kind: "absent", databaseUuid };
        const relation = relationKinds[row.relationKind] ?? `relation of kind ${row.relationKind}`;
        return { kind: "other", databaseUuid, relation, owner: row.owner };
    }
    if (row.relationKind === null || row.owner === null) return { kind: "orphan", databaseUuid };
    return {
        kind: "aggregate",
        databaseUuid,
        owner: row.owner,
        definition: row.definition,
        intact: row.intact,
        materializedOnly: row.materializedOnly,
        bucketWidth: row.bucketWidth,
        bucketTimezone: row.bucketTimezone,
        timeColumn: row.timeColumn,
        timeType: row.timeType,
        chunkTimeInterval: row.chunkTimeInterval,
        materializationId: row.materializationId,
        materialization: { schema: row.materializationSchema, name: row.materializationTable },
        source: { schema: row.sourceSchema, name: row.sourceName },
        sourceId: row.sourceId,
        compressed: row.compressed,
        compression: row.compressed ? row.compression : null,
        jobs: row.jobs,
        comment: row.comment,
        grants: row.grants,
        marker: parseMarker(row.marker),
    };
}

/** Short and stable, for comparing a definition with the one of the last apply. */
export function textHash(text: string): string {
    return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
