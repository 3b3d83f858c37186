/**
 * The gate of a pull request. What loses nothing passes; what was not compared or is destructive passes
 * when a person has set the label after the comment began to show just this, of just this commit. So
 * neither a label that was there before nor one on an earlier commit or another finding counts.
 */
import { markerOf } from "../review/render";
import { exitCodes } from "../review/verdict";
import { ownComments, shownIn } from "./comment";
import type { Forge } from "./github";
import type { GateOptions } from "./options";
import { contentOf, reviewIn } from "./reviewed";

const harmless: readonly number[] = [exitCodes.noChange, exitCodes.safe];
const approvable: readonly number[] = [exitCodes.destructive, exitCodes.notCompared];

export async function approvalOf(
    forge: Forge,
    { pr, head, stack, review: file, label }: GateOptions,
): Promise<{ ok: boolean; said: string }> {
    const review = reviewIn(file);
    if (review === undefined) return closed("the preview did not come to a review");
    if (review.stack !== stack) return closed(`the review is of ${review.stack}, not of ${stack}`);
    // By the verdict, not by what a file says of its exit code.
    const exitCode = exitCodes[review.verdict];
    if (harmless.includes(exitCode)) return { ok: true, said: `open: ${review.summary}` };
    if (!approvable.includes(exitCode)) return closed(`${review.verdict}: ${review.summary}`);

    const { head: newest, labels } = await forge.pull(pr);
    if (newest !== head)
        return closed(`${head} is not the newest commit any more; that is ${newest}`);
    const how = `look at the comment of ${stack}, and set the label ${label} if this is meant`;
    if (!labels.includes(label)) return closed(`${review.verdict}: ${review.summary} ${how}`);

    const [comment] = await ownComments(forge, pr, markerOf(stack));
    const shown = comment === undefined ? undefined : shownIn(comment.body);
    if (shown?.head !== head || shown.content !== contentOf(review)) {
        return closed("the comment does not show this review yet");
    }
    const last = (await forge.labelings(pr)).filter((one) => one.label === label).at(-1);
    // GitHub's times are whole seconds, cut.
    const late = last?.set === true && last.at + 999 >= shown.since;
    if (late && last.person !== undefined) {
        return { ok: true, said: `open: ${last.person} has approved: ${review.summary}` };
    }
    await forge.removeLabel(pr, label);
    const why = late
        ? "it was set by no person"
        : "it was set before the comment showed this: on an earlier commit, or of another finding";
    return closed(`label ${label} does not count and is removed: ${why}; ${how}`);
}

function closed(why: string): { ok: boolean; said: string } {
    return { ok: false, said: `closed: ${why}` };
}
