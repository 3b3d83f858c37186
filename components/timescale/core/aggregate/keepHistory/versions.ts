/** Versions of an aggregate that stand beside it, by their names and what is written on them. */
import type { Queryable } from "../../connection/session";
import { displayName, type QualifiedName } from "../../identifier";
import { parseMarker } from "../../memory/marker";
import { readSql } from "../../sqlFile";
import { type ActualAggregate, inspectAggregate } from "../inspect";
import { buildingName, replacedNames } from "./names";

export interface Versions {
    /** One that an earlier attempt has begun to build. */
    readonly building?: QualifiedName;
    /** The latest first. */
    readonly replaced: readonly QualifiedName[];
}

/** @param name of the aggregate that is in use */
export async function inspectVersions(client: Queryable, name: QualifiedName): Promise<Versions> {
    const { from, to } = replacedNames(name);
    const { rows } = await client.query<QualifiedName & { marker: string | null }>(
        readSql("catalog/aggregate_versions.sql"),
        [name.schema, buildingName(name).name, from, to],
    );
    const of = displayName(name);
    const marked = rows.map((row) => ({
        name: { schema: row.schema, name: row.name },
        marker: parseMarker(row.marker),
    }));
    const building = marked.find(({ marker }) => marker.building?.of === of);
    return {
        ...(building !== undefined && { building: building.name }),
        replaced: marked
            .filter(({ marker }) => marker.replacedFrom === of)
            .map(({ name: found }) => found),
    };
}

export async function inspectStanding(
    client: Queryable,
    name: QualifiedName,
): Promise<ActualAggregate | undefined> {
    const found = await inspectAggregate(client, name);
    return found.kind === "aggregate" ? found : undefined;
}

/** A version and whatever reads it, those on top first; to be dropped in that order. */
export async function versionTree(
    client: Queryable,
    name: QualifiedName,
): Promise<ActualAggregate[]> {
    const { rows } = await client.query<QualifiedName & Record<string, unknown>>(
        readSql("catalog/aggregate_tree.sql"),
        [name.schema, name.name],
    );
    const tree: ActualAggregate[] = [];
    for (const row of rows) {
        const found = await inspectStanding(client, row);
        if (found !== undefined) tree.push(found);
    }
    return tree;
}

/**
 * Everything that stands beside an aggregate because its query was changed, those on top first.
 * What reads one of them and is no version itself is left out, so that nothing is dropped with it.
 */
export async function versionsBeside(
    client: Queryable,
    name: QualifiedName,
): Promise<ActualAggregate[]> {
    const { building, replaced } = await inspectVersions(client, name);
    const found = new Map<number, ActualAggregate>();
    for (const version of [...(building === undefined ? [] : [building]), ...replaced]) {
        for (const one of await versionTree(client, version)) {
            const { building: begun, replacedFrom } = one.marker;
            if (begun !== undefined || replacedFrom !== undefined) {
                found.set(one.materializationId, one);
            }
        }
    }
    return [...found.values()];
}

/** Whether it was in use once, and so may hold what nothing else does; not one that is being built. */
export function isReplaced({ marker }: Pick<ActualAggregate, "marker">): boolean {
    return marker.replacedFrom !== undefined;
}
