/** `npm run review`: a preview as a comment for a pull request, and an exit code for its pipeline. */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { text as readAll } from "node:stream/consumers";

import { TimescaleError } from "../components/timescale/core/errors";
import { type Preview, readPreview } from "../components/timescale/provider/preview";
import { endWith } from "./ending";
import type { Removals } from "./review/countRemovals";
import { parseOptions, type ReviewOptions } from "./review/options";
import { render } from "./review/render";
import { reviewOf } from "./review/review";
import { secretsOf } from "./review/secrets";

const root = dirname(__dirname);

async function main(): Promise<number> {
    const options = parseOptions(process.argv.slice(2));
    const { preview, failure, removals, destroy } = await read(options.source);
    const secrets = new Set([...secretsOf(process.env), ...(removals?.secrets ?? [])]);
    const review = reviewOf(preview, {
        secrets,
        failure,
        removals: removals?.byUrn,
        ...(destroy !== undefined && { destroy }),
    });
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

interface Source {
    readonly preview: Preview;
    readonly failure?: string | undefined;
    readonly removals?: Removals;
    readonly destroy?: boolean;
}

async function read(source: ReviewOptions["source"]): Promise<Source> {
    if (source.kind === "stack") {
        // With all of Pulumi, which a file does not need.
        const { livePreview } = await import("./review/live.js");
        const { name, destroy } = source;
        const { failure, ...live } = await livePreview(root, name, destroy);
        return { ...live, failure: failure && `the preview failed: ${failure}`, destroy };
    }
    if (source.kind === "input") return { preview: readPreview(await readAll(process.stdin)) };
    return { preview: readPreview(readFile(source.path)) };
}

function readFile(path: string): string {
    try {
        return readFileSync(path, "utf8");
    } catch (error) {
        throw new TimescaleError(`the preview ${path} cannot be read`, {
            code: "not_a_preview",
            detail: error instanceof Error ? error.message : String(error),
            hint: "give the file that pulumi preview --json was written to",
            cause: error,
        });
    }
}

endWith(main());
