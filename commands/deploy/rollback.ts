/** The way back of a deploy: asked for first, and raw tables stay. */
import { TimescaleError } from "../../components/timescale/core/errors";
import { wantYes } from "../ask";
import { rollBack } from "../start/destroy";
import type { Interrupts } from "../start/interrupts";
import type { PreparedStack } from "../start/session";
import type { Workspace } from "../start/workspace";
import type { DeployOptions } from "./options";
import { isMade, type Place } from "./place";
import { print, titleOf, whereOf } from "./tell";

/** @throws TimescaleError when there is nothing to roll back, or nobody has said yes */
export async function checkRollback(
    workspace: Workspace,
    place: Place,
    { yes, dryRun }: DeployOptions,
): Promise<void> {
    if (!isMade(workspace, place)) {
        throw new TimescaleError("there is nothing to roll back", {
            code: "no_stack",
            detail: `no deploy from this folder has been made to ${titleOf(place)}`,
            hint: "deploy from here first: that takes over what stands, and can be rolled back",
        });
    }
    if (yes || dryRun) return;
    const notDone = "nothing was rolled back";
    if (!process.stdin.isTTY) {
        throw new TimescaleError(notDone, {
            code: "not_confirmed",
            detail: "a rollback removes aggregates with their rows, and without a terminal nobody can be asked",
            hint: "give --yes; --dry-run shows what would go",
        });
    }
    await wantYes(
        `Remove the aggregates and helpers of ${titleOf(place)}? Raw tables stay.`,
        notDone,
    );
}

export async function takeBack(
    place: Place,
    prepared: PreparedStack,
    { json }: DeployOptions,
    interrupts: Interrupts,
): Promise<0> {
    const summary = await rollBack(prepared, interrupts);
    if (json) print({ outcome: "rolled back", ...whereOf(place), changes: summary.changes });
    else process.stdout.write("\nRaw tables and their rows stay; the next deploy puts the rest back.\n"); // prettier-ignore
    return 0;
}
