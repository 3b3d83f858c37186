/** One comment a stack on a pull request, that is written anew and not once more. */
import { existsSync, readFileSync } from "node:fs";

import { code, prose } from "../review/markdown";
import { markerOf } from "../review/render";
import type { Comment, Forge } from "./github";
import type { CommentOptions } from "./options";
import { contentOf, reviewIn } from "./reviewed";

/** GitHub takes 65,536 characters. */
const most = 65_000;

/**
 * Says which commit was previewed, what was found, and since when this comment shows it. An approval has to
 * come after that; see approval.ts.
 */
const shownPattern = /^<!-- shown: commit ([0-9a-f]+) content ([0-9a-f]+) since (\S+) -->$/m;

export interface Shown {
    readonly head: string;
    readonly content: string;
    /** In milliseconds since the epoch. */
    readonly since: number;
}

export async function upsertComment(
    forge: Forge,
    { pr, head, stack, markdown, review: reviewFile, link }: CommentOptions,
    now = Date.now(),
): Promise<{ ok: boolean; said: string }> {
    const review = reviewIn(reviewFile);
    const text =
        review !== undefined && existsSync(markdown)
            ? readFileSync(markdown, "utf8")
            : `## ❌ Failed · ${code(stack)}\n\nThe preview did not come to a review. Its log says why.\n`;
    const marker = markerOf(stack);
    const content = review === undefined ? "0" : contentOf(review);
    const [first, ...others] = await ownComments(forge, pr, marker);
    const before = first === undefined ? undefined : shownIn(first.body);
    const since = before?.head === head && before.content === content ? before.since : now;
    const body = bodyOf(
        [
            marker,
            `<!-- shown: commit ${head} content ${content} since ${new Date(since).toISOString()} -->`,
            text.replace(marker, "").trim(),
            "",
            `<sub>Preview of ${head}${link === undefined ? "" : `, ${run(link)}`}.</sub>`,
        ].join("\n"),
    );
    // A second one, from two runs at once, would go on saying what is no longer so.
    for (const { id } of others) await forge.removeComment(id);
    if (first === undefined) await forge.addComment(pr, body);
    else if (first.body !== body) await forge.editComment(first.id, body);
    const done = first === undefined ? "written" : first.body === body ? "as it was" : "updated";
    return { ok: true, said: `the comment of ${stack} is ${done}` };
}

function run(link: string): string {
    return /^https:\/\/[A-Za-z0-9._~:/?#%&=@+-]+$/.test(link) ? `[run](${link})` : prose(link);
}

/** `render` has made it fit; this holds for what it does not write. */
function bodyOf(text: string): string {
    return text.length <= most
        ? text
        : `${text.slice(0, most)}\n\n**Cut: the whole is among the artefacts of the run.**`;
}

/** What this pipeline has written: anybody may write a comment that begins in the same way. */
export async function ownComments(forge: Forge, pr: number, marker: string): Promise<Comment[]> {
    const all = await forge.comments(pr);
    return all.filter(({ own, body }) => own && body.startsWith(marker));
}

export function shownIn(body: string): Shown | undefined {
    const [, head, content, since = ""] = shownPattern.exec(body) ?? [];
    const time = Date.parse(since);
    if (head === undefined || content === undefined || Number.isNaN(time)) return undefined;
    return { head, content, since: time };
}
