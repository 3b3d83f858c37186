/** What becomes of the versions of an aggregate that stand beside it. Pure. */
import { displayName, type QualifiedName } from "../../identifier";
import { buildingMarker, replacedMarker } from "../../memory/marker";
import type { Note } from "../../plan/plan";
import type { AggregateChange } from "../changes";
import type { ActualAggregate } from "../inspect";
import type { DesiredAggregate } from "../spec";
import { renamedVersion } from "./names";
import type { RenamedVersion } from "./replacement";

type DroppedVersion = Extract<AggregateChange, { readonly kind: "dropVersion" }>;

/**
 * @param versions those that read others first, so that they can be dropped in that order
 * @param changing whether the query itself is to change: nothing is given up then
 */
export function versionChanges(
    versions: readonly ActualAggregate[],
    { history }: DesiredAggregate,
    changing: boolean,
): DroppedVersion[] {
    if (changing) return [];
    return versions
        .filter(
            ({ marker }) => marker.building !== undefined || history.replacedVersions === "drop",
        )
        .map((version) => ({ kind: "dropVersion", version }));
}

/** @param versions of the aggregate; those of others that read it have names of their own */
export function renamedVersions(
    versions: readonly Pick<ActualAggregate, "name" | "marker">[],
    was: QualifiedName,
    will: QualifiedName,
): RenamedVersion[] {
    const [former, of] = [displayName(was), displayName(will)];
    return versions.flatMap(({ name, marker: { building, replacedFrom } }) => {
        const marker =
            building?.of === former
                ? buildingMarker({ ...building, of })
                : replacedFrom === former
                  ? replacedMarker(of)
                  : undefined;
        return marker === undefined ? [] : [{ was: name, will: renamedVersion(name, will), marker }]; // prettier-ignore
    });
}

export function versionNotes(
    versions: readonly ActualAggregate[],
    { history }: DesiredAggregate,
): Note[] {
    if (history.replacedVersions === "drop") return [];
    return versions
        .filter(({ marker }) => marker.replacedFrom !== undefined)
        .map(({ name, jobs }) => ({
            code: "replaced_version",
            message: `the version that was replaced stands as ${displayName(name)}, with ${jobs.length} ${jobs.length === 1 ? "job" : "jobs"}: the query that it has brings it back; history: { replacedVersions: "drop" } drops it`,
        }));
}
