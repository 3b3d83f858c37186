/** One issue a stack tells of its drift, and is closed when there is none any more. */
import { existsSync, readFileSync } from "node:fs";

import { markerOf } from "../review/render";
import { verdictWords } from "../review/verdict";
import type { Forge } from "./github";
import type { IssueOptions } from "./options";
import { reviewIn } from "./reviewed";

const label = "drift";

export async function upsertIssue(
    forge: Forge,
    { stack, markdown, review: file, link }: IssueOptions,
): Promise<{ ok: boolean; said: string }> {
    const review = reviewIn(file);
    const marker = markerOf(stack);
    const [open, ...others] = (await forge.openIssues(label)).filter(({ body }) =>
        body.startsWith(marker),
    );
    for (const { number } of others) await forge.editIssue(number, { state: "closed" });
    if (review?.verdict === "noChange") {
        if (open === undefined) return { ok: true, said: `${stack}: no drift` };
        await forge.editIssue(open.number, { state: "closed" });
        return { ok: true, said: `${stack}: no drift any more, issue ${open.number} is closed` };
    }
    // Nothing known is no "no drift".
    const title = `Drift of ${stack}: ${verdictWords[review?.verdict ?? "failed"].title.toLowerCase()}`;
    const text =
        review !== undefined && existsSync(markdown)
            ? readFileSync(markdown, "utf8").replace(marker, "").trim()
            : "The preview did not come to a review. Its log says why.";
    const body = [marker, text, "", link === undefined ? "" : `Run: ${link}`].join("\n").trim();
    if (open === undefined) {
        return {
            ok: false,
            said: `${stack}: issue ${await forge.openIssue(title, body, label)} is opened`,
        };
    }
    if (open.body !== body) await forge.editIssue(open.number, { title, body });
    return { ok: false, said: `${stack}: issue ${open.number} tells of it` };
}
