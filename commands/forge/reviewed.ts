/** Reviews that were written to files, and whether two of them say the same. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";

import { TimescaleError } from "../../components/timescale/core/errors";
import type { Review } from "../review/document";
import { exitCodes, isGraver } from "../review/verdict";

/** @throws TimescaleError when it is none that this version knows */
export function readReview(text: string): Review {
    let review: unknown;
    try {
        review = JSON.parse(text);
    } catch {
        review = undefined;
    }
    const found = review as Partial<Review> | null | undefined;
    if (
        found?.timescaleReview !== 1 ||
        !Array.isArray(found.objects) ||
        !Object.hasOwn(exitCodes, String(found.verdict))
    ) {
        throw new TimescaleError("this is not the JSON of a review", {
            code: "not_a_review",
            hint: "give the file that npm run review -- --json-out wrote",
        });
    }
    return found as Review;
}

/** Undefined where there is none, or none that can be read: the preview failed. */
export function reviewIn(file: string): Review | undefined {
    if (!existsSync(file)) return undefined;
    try {
        return readReview(readFileSync(file, "utf8"));
    } catch (error) {
        if (error instanceof TimescaleError) return undefined;
        throw error;
    }
}

/**
 * What an approval covers: the verdict, and of each object that is not safe why it is not. Rows that come
 * in meanwhile are nothing new; another object, or another reason, is.
 */
export function contentOf({ verdict, objects }: Review): string {
    const grave = objects
        .filter((object) => isGraver(object.verdict, "safe"))
        .map(({ urn, verdict: one, reasons }) => [
            urn,
            one,
            [...new Set(reasons.map(({ code }) => code))].sort(),
        ])
        .sort();
    return createHash("sha256")
        .update(JSON.stringify([verdict, grave]))
        .digest("hex")
        .slice(0, 32);
}

/** Whether what is about to be run is what people have seen. */
export function sameAsReviewed(reviewed: Review, now: Review): { ok: boolean; said: string } {
    if (reviewed.stack !== now.stack) {
        return { ok: false, said: `the review is of ${reviewed.stack}, and this is ${now.stack}` };
    }
    if (isGraver(now.verdict, reviewed.verdict)) {
        return {
            ok: false,
            said: `it was ${reviewed.verdict}, and is ${now.verdict} now: ${now.summary}`,
        };
    }
    const known = new Map(reviewed.objects.map((object) => [object.urn, object]));
    const others = now.objects.filter((object) => {
        const before = known.get(object.urn);
        const changes = object.verdict !== "noChange";
        return (
            changes &&
            (before === undefined ||
                isGraver(object.verdict, before.verdict) ||
                moreReasons(object, before))
        );
    });
    return others.length === 0
        ? { ok: true, said: `as reviewed: ${now.summary}` }
        : {
              ok: false,
              said: `not as reviewed: ${others.map(({ object, verdict }) => `${object} (${verdict})`).join(", ")}`,
          };
}

function moreReasons(
    object: Review["objects"][number],
    before: Review["objects"][number],
): boolean {
    return object.reasons.some(({ code }) => !before.reasons.some((one) => one.code === code));
}
