/** What stands under an aggregate's name, read from the catalog. */
import type { Queryable } from "../connection/session";
import { type QualifiedName, unquote } from "../identifier";
import { type Marker, parseMarker } from "../memory/marker";
import { knownIn, type KnownObject } from "../memory/memory";
import type { ActualPolicies } from "../policies/changes";
import type { ActualGrant } from "../relation/grants";
import { inspectParts } from "../relation/hypertableParts";
import type { ActualIndex } from "../relation/indexes";
import { type ActualRelation, inspectRelation, relationKind } from "../relation/relation";
import { readSql } from "../sqlFile";

/** Where nothing stands, only the database's identity is known. */
export type InspectedAggregate =
    | { readonly kind: "absent"; readonly databaseUuid: string }
    | {
          readonly kind: "other";
          readonly databaseUuid: string;
          /** "plain table", "view", … */
          readonly relation: string;
          readonly owner: string;
          /** Where the aggregate of the last apply stands now, if it does. */
          readonly movedTo?: QualifiedName;
      }
    | ({ readonly kind: "aggregate"; readonly databaseUuid: string } & ActualAggregate);

/**
 * What became of the view that TimescaleDB made. `replaced`: someone ran CREATE OR REPLACE VIEW over
 * it; `renamed`: ALTER TABLE … RENAME took it from under its catalog entry; `missing`: it was dropped
 * after that. The materialized buckets are there in every case.
 */
export type ViewState =
    | { readonly state: "intact" }
    | {
          readonly state: "replaced";
          /** Whether the view's columns are still such that the view can be put back in its place. */
          readonly fits: boolean;
      }
    | { readonly state: "renamed"; readonly to: QualifiedName }
    | { readonly state: "missing"; readonly candidates: readonly QualifiedName[] };

export interface ActualAggregate extends ActualPolicies {
    /** By which the catalog knows it. */
    readonly name: QualifiedName;
    readonly owner: string;
    /** Whether the login may change owners. */
    readonly superuser: boolean;
    /** The query in the server's own words. */
    readonly definition: string;
    /** Columns of the query's output, with types as the server prints them. */
    readonly columns: readonly { readonly name: string; readonly type: string }[];
    /** Columns that it groups by, without the bucket. */
    readonly groupColumns: readonly string[];
    readonly view: ViewState;
    /** False for the form of aggregates from before TimescaleDB 2.7. */
    readonly finalized: boolean;
    readonly materializedOnly: boolean;
    readonly bucketWidth: string | null;
    readonly bucketTimezone: string | null;
    readonly timeColumn: string;
    readonly timeType: string;
    readonly chunkTimeInterval: string;
    /** What the server would have taken if it were created now. */
    readonly defaultChunkTimeInterval: string;
    readonly materializationId: number;
    readonly materialization: QualifiedName;
    readonly source: QualifiedName;
    readonly sourceId: number;
    /** Whether there is any index that the server made for a grouping column, or there is no such column. */
    readonly groupIndexes: boolean;
    /** Without those that the server makes for the bucket and the grouping columns. */
    readonly indexes: readonly ActualIndex[];
    readonly chunks: number;
    readonly comment: string | null;
    readonly grants: readonly ActualGrant[];
    readonly marker: Marker;
    /** What guards its history, as PostgreSQL identifies a function; null: nothing does. */
    readonly guard: string | null;
}

interface Row {
    readonly viewSchema: string;
    readonly viewName: string;
    readonly finalized: boolean;
    readonly materializationId: number;
    readonly materializationSchema: string;
    readonly materializationTable: string;
    readonly definition: string;
    readonly columns: ActualAggregate["columns"];
    readonly groupColumns: readonly string[];
    readonly intact: boolean;
    readonly strayViews: readonly QualifiedName[];
    readonly materializedOnly: boolean;
    readonly bucketWidth: string | null;
    readonly bucketTimezone: string | null;
    readonly timeColumn: string;
    readonly timeType: string;
    readonly chunkTimeInterval: string;
    readonly defaultChunkTimeInterval: string;
    readonly sourceSchema: string;
    readonly sourceName: string;
    readonly sourceId: number;
    readonly marker: string | null;
    readonly guard: string | null;
}

export async function inspectAggregate(
    client: Queryable,
    name: QualifiedName,
    known?: KnownObject,
): Promise<InspectedAggregate> {
    const named = await inspectRelation(client, name);
    const { databaseUuid } = named;
    const { rows } = await client.query<Row & Record<string, unknown>>(
        readSql("catalog/continuous_aggregate.sql"),
        [name.schema, name.name, knownIn(databaseUuid, known)],
    );
    const row = rows[0];
    const stands = named.relation;
    if (row === undefined) {
        if (stands === null) return { kind: "absent", databaseUuid };
        return {
            kind: "other",
            databaseUuid,
            relation: relationKind(stands),
            owner: stands.owner,
        };
    }
    const catalogName = { schema: row.viewSchema, name: row.viewName };
    const itsOwn = catalogName.schema === name.schema && catalogName.name === name.name;
    if (stands !== null && (!itsOwn || stands.kind !== "v")) {
        return {
            kind: "other",
            databaseUuid,
            relation: relationKind(stands),
            owner: stands.owner,
            ...(!itsOwn && { movedTo: catalogName }),
        };
    }
    const found = itsOwn ? stands : (await inspectRelation(client, catalogName)).relation;
    const { view, relation } = await viewOf(client, row, found);
    const parts = await inspectParts(client, row.materializationId);
    return {
        kind: "aggregate",
        databaseUuid,
        name: catalogName,
        owner: relation.owner,
        superuser: named.superuser,
        definition: row.definition,
        columns: row.columns,
        groupColumns: row.groupColumns,
        view,
        finalized: row.finalized,
        materializedOnly: row.materializedOnly,
        bucketWidth: row.bucketWidth,
        bucketTimezone: row.bucketTimezone,
        timeColumn: row.timeColumn,
        timeType: row.timeType,
        chunkTimeInterval: row.chunkTimeInterval,
        defaultChunkTimeInterval: row.defaultChunkTimeInterval,
        materializationId: row.materializationId,
        materialization: { schema: row.materializationSchema, name: row.materializationTable },
        source: { schema: row.sourceSchema, name: row.sourceName },
        sourceId: row.sourceId,
        ...parts,
        groupIndexes:
            row.groupColumns.length === 0 ||
            parts.indexes.some((index) => index.columns.length === 2 && isGroupIndex(index, row)),
        indexes: parts.indexes.filter((index) => !isGroupIndex(index, row)),
        comment: relation.comment,
        grants: relation.grants,
        marker: parseMarker(row.marker),
        guard: row.guard,
    };
}

async function viewOf(
    client: Queryable,
    row: Row,
    found: ActualRelation | null,
): Promise<{ view: ViewState; relation: Pick<ActualRelation, "owner" | "comment" | "grants"> }> {
    if (found !== null) {
        if (row.intact) return { view: { state: "intact" }, relation: found };
        const fits = found.columns.every(
            ({ name, type }, at) =>
                row.columns[at]?.name === name && row.columns[at]?.type === type,
        );
        return { view: { state: "replaced", fits }, relation: found };
    }
    const [to, ...others] = row.strayViews;
    if (to !== undefined && others.length === 0) {
        const { relation } = await inspectRelation(client, to);
        if (relation !== null) return { view: { state: "renamed", to }, relation };
    }
    const { relation } = await inspectRelation(client, {
        schema: row.materializationSchema,
        name: row.materializationTable,
    });
    return {
        view: { state: "missing", candidates: row.strayViews },
        // A new view has no comment and no grants.
        relation: { owner: relation?.owner ?? "", comment: null, grants: [] },
    };
}

/** An index that the server made by itself: on the bucket, and on each grouping column with it. */
function isGroupIndex({ name, columns, predicate }: ActualIndex, row: Row): boolean {
    const terms = columns.map(({ expression, descending }) => ({
        column: unquote(expression),
        descending,
    }));
    const bucket = terms.at(-1);
    return (
        name.startsWith(row.materializationTable) &&
        predicate === null &&
        bucket?.column === row.timeColumn &&
        bucket.descending &&
        (terms.length === 1 ||
            (terms.length === 2 && row.groupColumns.includes(terms[0]?.column ?? "")))
    );
}
