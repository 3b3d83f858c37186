/** `npm run review`: a preview as a comment for a pull request, and an exit code for its pipeline. */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { text as readAll } from "node:stream/consumers";

import { TimescaleError } from "../components/timescale/core/errors";
import { endWith } from "./ending";
import type { LivePreview } from "./review/live";
import { parseOptions, type ReviewOptions } from "./review/options";
import { readPreview } from "./review/preview";
import { render } from "./review/render";
import { reviewOf } from "./review/review";
import { secretsOf } from "./review/secrets";

const root = dirname(__dirname);

async function main(): Promise<number> {
    const options = parseOptions(process.argv.slice(2));
    const { text, failure } = await read(options.source);
    const review = reviewOf(readPreview(text), { secrets: secretsOf(process.env), failure });
    const markdown = render(review, { whole: options.whole });
    const json = `${JSON.stringify(review, null, 2)}\n`;
    if (options.markdownFile !== undefined) writeFileSync(options.markdownFile, markdown);
    if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, json);
    await written(options.json ? json : markdown);
    return review.exitCode;
}

/** A pipe may take what is written in parts, and the process ends at once after it. */
function written(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
        process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
    });
}

async function read(source: ReviewOptions["source"]): Promise<LivePreview> {
    if (source.kind === "stack") {
        // With all of Pulumi, which a file does not need.
        const { livePreview } = await import("./review/live.js");
        const live = await livePreview(root, source.name);
        return { ...live, failure: live.failure && `the preview failed: ${live.failure}` };
    }
    if (source.kind === "input") return { text: await readAll(process.stdin), failure: undefined };
    try {
        return { text: readFileSync(source.path, "utf8"), failure: undefined };
    } catch (error) {
        throw new TimescaleError(`the preview ${source.path} cannot be read`, {
            code: "not_a_preview",
            detail: error instanceof Error ? error.message : String(error),
            hint: "give the file that pulumi preview --json was written to",
            cause: error,
        });
    }
}

endWith(main());
