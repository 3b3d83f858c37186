/**
 * The dynamic provider: check, diff, create, read, update and delete in terms of the core.
 *
 * State is only memory. What would change is the difference between the live database and the
 * declaration, worked out anew each time; so drift shows in a plain preview, a reformatted query is
 * no change, and running again after any failure finishes the work.
 */
import { delivered } from "./engineLog";
import { check } from "./lifecycle/check";
import { create, update } from "./lifecycle/converge";
import { diff } from "./lifecycle/diff";
import { read } from "./lifecycle/read";
import { remove } from "./lifecycle/remove";

/** The engine may be at the end of its run when it has its answer: what was said goes first. */
function answering<Args extends unknown[], Result>(
    method: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
    return async (...args) => {
        try {
            return await method(...args);
        } finally {
            await delivered();
        }
    };
}

/** What the one line of provider text in state loads. */
export const provider = {
    check: answering(check),
    diff: answering(diff),
    create: answering(create),
    update: answering(update),
    read: answering(read),
    delete: answering(remove),
};
