/** The way back of a deploy: asked for first, and raw tables stay. */
import { TimescaleError } from "../../components/timescale/core/errors";
import { ask } from "../ask";
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
    if (!process.stdin.isTTY) {
        throw notConfirmed(
            "a rollback removes aggregates with their rows, and without a terminal nobody can be asked",
            "give --yes; --dry-run shows what would go",
        );
    }
    const answer = await ask(
        `Remove the aggregates and helpers of ${titleOf(place)}? Raw tables stay. Type yes to go on: `,
    );
    if (answer.toLowerCase() !== "yes") throw notConfirmed(`the answer was "${answer}"`);
}

function notConfirmed(detail: string, hint?: string): TimescaleError {
    return new TimescaleError("nothing was rolled back", {
        code: "not_confirmed",
        detail,
        ...(hint !== undefined && { hint }),
    });
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
