/** `npm run forge`: what workflows do at GitHub with a review: its comment, its gate, its issue. */
import { readFileSync } from "node:fs";

import { endWith } from "./ending";
import { approvalOf } from "./forge/approval";
import { upsertComment } from "./forge/comment";
import { confirmed } from "./forge/confirm";
import { openForge } from "./forge/github";
import { upsertIssue } from "./forge/issue";
import { type ForgeOptions, parseOptions } from "./forge/options";
import { readReview, sameAsReviewed } from "./forge/reviewed";

async function main(): Promise<number> {
    const options = parseOptions(process.argv.slice(2));
    const { said, ok } = await run(options);
    process.stdout.write(`${said}\n`);
    return ok ? 0 : 1;
}

interface Outcome {
    readonly ok: boolean;
    readonly said: string;
}

async function run(options: ForgeOptions): Promise<Outcome> {
    switch (options.command) {
        case "comment":
            return upsertComment(await openForge(process.env), options);
        case "gate":
            return approvalOf(await openForge(process.env), options);
        case "issue":
            return upsertIssue(await openForge(process.env), options);
        case "same":
            return sameAsReviewed(
                readReview(readFileSync(options.reviewed, "utf8")),
                readReview(readFileSync(options.now, "utf8")),
            );
        case "confirm":
            return confirmed(options);
    }
}

endWith(main());
