/** The review that an `up` of this process, and of those it starts, is bound to. */
import { resolve } from "node:path";

import { reviewedPreview, reviewedVariable } from "../../components/timescale/provider/reviewed";

/**
 * Names the file from the folder in which the user stands, because npm and the engine run in others, and reads it
 * before anything is begun.
 *
 * @throws TimescaleError when it cannot be read, or is no such preview
 */
export function bindToReview(environment: NodeJS.ProcessEnv): void {
    const file = environment[reviewedVariable] ?? "";
    if (file === "") return;
    environment[reviewedVariable] = resolve(environment["INIT_CWD"] ?? "", file);
    reviewedPreview(environment);
}
