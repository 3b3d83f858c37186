/** Hazards that every object with rows and jobs can have. Pure: from changes and what was inspected. */
import type { PolicyChange } from "../policies/changes";
import { policyProperties } from "../policies/policy";
import { describeExtent, type Extent, stakeOf } from "../removal/extent";
import type { Hazard } from "./plan";

/** What bounds the wait of those who queue behind a statement that waits for a lock; see apply.ts. */
export const lockPatience =
    "up itself waits at most 2 s for the lock, then lets them pass and tries again";

type Changes = readonly { readonly kind: string }[];

/** A new retention of a standing object, whose job drops chunks at its next run; undefined: there is none. */
export function newRetention(changes: Changes): string | undefined {
    for (const change of changes as readonly PolicyChange[]) {
        if (change.kind !== "addPolicy" && change.kind !== "alterPolicy") continue;
        const { kind, offsets, scheduled } = change.job;
        if (kind !== "retention" || !scheduled) continue;
        const telling =
            change.kind === "addPolicy" ||
            change.differences.some(({ field }) => field === "dropAfter" || field === "paused");
        if (telling) return offsets["drop_after"] ?? undefined;
    }
    return undefined;
}

/** @param beyond chunks that are older than the retention which is new */
export function policyHazards(changes: Changes, beyond: Extent | undefined): Hazard[] {
    const retention = newRetention(changes);
    const restarted = (changes as readonly PolicyChange[]).flatMap((change): Hazard[] =>
        change.kind === "replaceJob"
            ? [
                  {
                      name: "RESTARTS_JOB",
                      message: `${policyProperties[change.policy]} gets a new job of ${change.will}: job ${change.actual.id} goes, and its statistics with it`,
                  },
              ]
            : [],
    );
    if (retention === undefined || beyond === undefined || beyond.chunks === 0) return restarted;
    return [
        {
            name: "LOSES_DATA",
            message: `the job of retentionPolicy drops what is older than ${retention} at its next run: ${describeExtent(beyond)}, from ${beyond.begins} to ${beyond.ends}`,
            stake: stakeOf(beyond),
        },
        ...restarted,
    ];
}
