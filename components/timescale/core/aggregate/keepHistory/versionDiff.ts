/** What becomes of the versions of an aggregate that stand beside it. Pure. */
import { displayName } from "../../identifier";
import type { Note } from "../../plan";
import type { AggregateChange } from "../diff";
import type { ActualAggregate } from "../inspect";
import type { DesiredAggregate } from "../spec";

/**
 * @param versions those that read others first, so that they can be dropped in that order
 * @param changing whether the query itself is to change: nothing is given up then
 */
export function versionChanges(
    versions: readonly ActualAggregate[],
    { history }: DesiredAggregate,
    changing: boolean,
): AggregateChange[] {
    if (changing) return [];
    return versions
        .filter(
            ({ marker }) => marker.building !== undefined || history.replacedVersions === "drop",
        )
        .map((version) => ({ kind: "dropVersion", version }));
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
