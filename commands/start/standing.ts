/** What stands after an `up`, against what its state says was declared. */
import { describe, type Picture } from "../picture";
import { withStep } from "../progress";
import type { Outputs } from "./bringUp";
import { declaredIn } from "./declared";
import { exportState } from "./pending";
import type { PreparedStack } from "./session";

/** @throws TimescaleError when something that was declared does not stand */
export function checkStanding(
    { stack }: PreparedStack,
    { owner, aggregates }: Outputs,
): Promise<Picture> {
    return withStep("checking what stands", async (step) => {
        const standing = await describe(owner, declaredIn(await exportState(stack), aggregates));
        step.done("everything that was declared stands");
        return standing;
    });
}
