/** What stands under a view's name, read from the catalog. */
import type { Queryable } from "../connection/session";
import type { QualifiedName } from "../identifier";
import { knownIn, type KnownObject } from "../memory/memory";
import { type ActualRelation, inspectRelation, relationKind } from "../relation/relation";
import { readSql } from "../sqlFile";

export type InspectedView =
    | { readonly kind: "absent"; readonly databaseUuid: string }
    | {
          readonly kind: "other";
          readonly databaseUuid: string;
          /** "plain table", "continuous aggregate", … */
          readonly relation: string;
          readonly owner: string;
          /** Where the view of the last apply stands now, if it does. */
          readonly movedTo?: QualifiedName;
      }
    | ({ readonly kind: "view"; readonly databaseUuid: string } & ActualView);

export interface ActualView extends Pick<
    ActualRelation,
    "oid" | "owner" | "comment" | "options" | "grants" | "columns"
> {
    readonly name: QualifiedName;
    /** Whether the login may give it to its declared owner. */
    readonly mayGiveAway: boolean;
    /** The query in the server's own words. */
    readonly definition: string;
    /** Triggers and rules of its own, which a DROP would lose. */
    readonly attached: readonly string[];
}

interface Row {
    readonly oid: string;
    readonly schema: string;
    readonly name: string;
    readonly definition: string;
    readonly aggregate: boolean;
    readonly extension: string | null;
    readonly attached: readonly string[];
    readonly mayGiveAway: boolean;
}

/**
 * @param owner whose the view is to be
 * @param known the view of the last apply, which a rename by hand does not hide
 */
export async function inspectView(
    client: Queryable,
    name: QualifiedName,
    owner: string,
    known?: KnownObject,
): Promise<InspectedView> {
    const { databaseUuid, relation: named } = await inspectRelation(client, name);
    const { rows } = await client.query<Row & Record<string, unknown>>(
        readSql("catalog/view.sql"),
        [name.schema, name.name, knownIn(databaseUuid, known), owner],
    );
    const under = rows.find((row) => row.schema === name.schema && row.name === name.name);
    const moved = rows.find((row) => row !== under && !isForeign(row));
    if (named !== null && (under === undefined || isForeign(under) || moved !== undefined)) {
        return {
            kind: "other",
            databaseUuid,
            relation: describe(under, named),
            owner: named.owner,
            ...(moved !== undefined && { movedTo: { schema: moved.schema, name: moved.name } }),
        };
    }
    const row = under ?? moved;
    if (row === undefined) return { kind: "absent", databaseUuid };
    const standing = { schema: row.schema, name: row.name };
    const relation = named ?? (await inspectRelation(client, standing)).relation;
    if (relation === null) return { kind: "absent", databaseUuid };
    const { oid, comment, options, grants, columns } = relation;
    return {
        kind: "view",
        databaseUuid,
        name: standing,
        oid,
        owner: relation.owner,
        mayGiveAway: row.mayGiveAway,
        comment,
        options,
        grants,
        columns,
        definition: row.definition,
        attached: [...row.attached, ...columns.flatMap(attachedTo)],
    };
}

/** TimescaleDB's and extensions' views are nobody else's to change. */
function isForeign({ aggregate, extension }: Row): boolean {
    return aggregate || extension !== null;
}

function describe(row: Row | undefined, named: ActualRelation): string {
    if (row === undefined) return relationKind(named);
    if (row.aggregate) return "continuous aggregate";
    return row.extension === null ? "view" : `view of extension ${row.extension}`;
}

function attachedTo(column: ActualRelation["columns"][number]): string[] {
    return [
        ...(column.default === null ? [] : [`default of column ${column.name}`]),
        ...(column.comment === null ? [] : [`comment of column ${column.name}`]),
    ];
}
