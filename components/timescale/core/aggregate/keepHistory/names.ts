/** Names of the versions of an aggregate that stand beside it. */
import { cutTo, maximumIdentifierBytes, type QualifiedName, withSuffix } from "../../identifier";

/** Under which a new version is built. The same for every attempt, so that a later one finds it. */
export function buildingName(name: QualifiedName): QualifiedName {
    return { schema: name.schema, name: withSuffix(name.name, "_building") };
}

/** Under which a version that was replaced goes on standing. @param materializationId its number */
export function replacedName(
    name: QualifiedName,
    materializationId: number,
    now: Date,
): QualifiedName {
    const date = now.toISOString().slice(0, 10).replaceAll("-", "");
    return { schema: name.schema, name: `${replacedStem(name)}_${date}_${materializationId}` };
}

/** What becomes of the name of a version, replaced or begun, when its aggregate is renamed. */
export function renamedVersion(version: QualifiedName, name: QualifiedName): QualifiedName {
    const date = /_\d{8}_\d+$/.exec(version.name)?.[0];
    return date === undefined
        ? buildingName(name)
        : { schema: name.schema, name: `${replacedStem(name)}${date}` };
}

/** Bounds of the names that replacedName gives, for a search by index: from inclusive, to exclusive. */
export function replacedNames(name: QualifiedName): { readonly from: string; readonly to: string } {
    const stem = replacedStem(name);
    // The character behind the underscore.
    return { from: `${stem}_`, to: `${stem}\`` };
}

/** Cut for the longest number, so that every version of one aggregate has the same. */
function replacedStem({ name }: QualifiedName): string {
    const longest = "_replaced_20260101_2147483647";
    return `${cutTo(name, maximumIdentifierBytes - longest.length)}_replaced`;
}

/** Indexes of all aggregates lie in one schema, and the old version's have their names still. */
export function builtIndexName(name: string): string {
    return withSuffix(name, "_building");
}
