/**
 * Binds `up` to the preview that was reviewed: the environment variable `PULUMI_TIMESCALE_REVIEWED` names a
 * file with the output of `pulumi preview --json`, taken with `PULUMI_TIMESCALE_PLANS=json`, or with the JSON
 * that `npm run review` made of it. Nothing is done to an object that its plan there does not have. What a
 * review has that is no longer to be done is none of its business.
 */
import { readFileSync } from "node:fs";

import { TimescaleError } from "../core/errors";
import { type Fields, isFields } from "../core/fields";
import { describePlan } from "../core/plan/plan";
import {
    databaseToCome,
    type PlanDocument,
    type PlannedChange,
    type PlannedHazard,
} from "./planDocument";
import { type Preview, previewOf, readDigest, stackOf } from "./preview";

export const reviewedVariable = "PULUMI_TIMESCALE_REVIEWED";

export interface Reviewed {
    /** As the variable names it. */
    readonly file: string;
    /** `project/stack`, where it says it. */
    readonly stack: string | undefined;
    /** By URN. */
    readonly documents: ReadonlyMap<string, ReviewedPlan>;
    /** Why its plan cannot be read, by URN: it is taken for none. */
    readonly unreadable: ReadonlyMap<string, string>;
    /** URNs that the preview deletes. */
    readonly deleted: ReadonlySet<string>;
}

type ReviewedPlan = Pick<PlanDocument, "result" | "reason" | "changes" | "hazards">;

let last: Reviewed | undefined;

/**
 * The preview that this run is bound to; undefined: to none.
 *
 * @throws TimescaleError when the file cannot be read, or is no such preview
 */
export function reviewedPreview(environment: NodeJS.ProcessEnv): Reviewed | undefined {
    const file = environment[reviewedVariable] ?? "";
    if (file === "") return undefined;
    if (last?.file !== file) last = { file, ...read(file) };
    return last;
}

function read(file: string): Omit<Reviewed, "file"> {
    try {
        const digest = readDigest(readFileSync(file, "utf8"));
        return "timescaleReview" in digest ? readReview(digest) : readPlans(previewOf(digest));
    } catch (error) {
        const why =
            error instanceof TimescaleError
                ? [error.message, error.detail].filter(Boolean).join(": ")
                : String(error);
        throw new TimescaleError(`${reviewedVariable} names no preview that can be read`, {
            code: "reviewed_preview",
            detail: `${file}: ${why}`,
            hint: "write it by PULUMI_TIMESCALE_PLANS=json pulumi preview --json > reviewed.json, or by npm run review with --json-out",
        });
    }
}

function readPlans({ stack, documents, steps }: Preview): Omit<Reviewed, "file"> {
    const plans = new Map<string, ReviewedPlan>();
    const unreadable = new Map<string, string>();
    for (const [urn, all] of documents) {
        for (const one of all) {
            if ("unreadable" in one) unreadable.set(urn, one.unreadable);
            else plans.set(urn, one);
        }
    }
    const deleted = [...steps].filter(([, all]) => all.some(({ op }) => op === "delete"));
    return {
        ...{ stack, unreadable, documents: plans },
        deleted: new Set(deleted.map(([urn]) => urn)),
    };
}

/** Source: commands/review/document.ts */
function readReview(review: Fields): Omit<Reviewed, "file"> {
    const { timescaleReview: format, objects, stack } = review;
    if (format !== 1) {
        throw new TimescaleError(
            `it is a review of format ${JSON.stringify(format)}, and this version reads format 1`,
        );
    }
    const documents = new Map<string, ReviewedPlan>();
    const unreadable = new Map<string, string>();
    const deleted = new Set<string>();
    for (const object of fields(objects)) {
        const urn = textOf(object["urn"]);
        const plan = planIn(object);
        if (plan !== undefined) documents.set(urn, plan);
        const why = fields(object["reasons"]).find(({ code }) => code === "unreadable_plan");
        if (why !== undefined) unreadable.set(urn, textOf(why["message"]));
        if (object["action"] === "delete") deleted.add(urn);
    }
    return {
        stack: typeof stack === "string" ? stack : undefined,
        ...{ documents, unreadable, deleted },
    };
}

/** Where a review says these of an object, no plan of it was in the preview. */
const planless = ["no_plan", "unreadable_plan"];

/** As the preview had it; undefined: it had none. */
function planIn({ planned, verdict, reasons, changes, hazards }: Fields): ReviewedPlan | undefined {
    const all = fields(reasons);
    const codes = all.map(({ code }) => textOf(code));
    if (
        planned !== true &&
        (verdict === "noChange" || codes.some((code) => planless.includes(code)))
    )
        return undefined;
    const why = all.find(({ code }) => code === databaseToCome.code) ?? all[0];
    return {
        result: planned === true ? "differs" : "notCompared",
        reason: { code: "not_compared", message: textOf(why?.["message"]) },
        changes: fields(changes) as unknown as PlannedChange[],
        hazards: fields(hazards) as unknown as PlannedHazard[],
    };
}

function textOf(value: unknown): string {
    return typeof value === "string" ? value : "";
}

function fields(list: unknown): Fields[] {
    return Array.isArray(list) ? list.filter(isFields) : [];
}

/**
 * @param now the plan as the database has it at this moment
 * @throws TimescaleError with everything in it that was not reviewed
 */
export function refuseUnreviewed(reviewed: Reviewed, now: PlanDocument): void {
    const { file, documents, unreadable, stack } = reviewed;
    const own = stackOf([now.urn]);
    if (now.result !== "same" && stack !== undefined && own !== undefined && stack !== own) {
        throw new TimescaleError(`${now.object} is not as it was reviewed`, {
            code: "not_as_reviewed",
            detail: `${file} is of stack ${stack}, and this is stack ${own}; nothing was changed`,
            hint: "run up with the review of this stack",
            object: now.object,
        });
    }
    const why = documents.has(now.urn) ? undefined : unreadable.get(now.urn);
    const unseen = departures(documents.get(now.urn), now).map((text) =>
        why === undefined ? text : `${text} in a form that can be read: ${why}`,
    );
    if (unseen.length === 0) return;
    throw new TimescaleError(`${now.object} is not as it was reviewed`, {
        code: "not_as_reviewed",
        detail: `${unseen.join("; ")}; compared with ${file}, and nothing was changed`,
        hint: "preview again, have that reviewed, and run up with it",
        object: now.object,
    });
}

/** @throws TimescaleError when the preview does not delete it */
export function refuseUnreviewedDelete(
    { file, deleted }: Reviewed,
    urn: string,
    object: string,
): void {
    if (deleted.has(urn)) return;
    throw new TimescaleError(`${object} is to be deleted, which was not reviewed`, {
        code: "not_as_reviewed",
        detail: `${file} has no step that deletes it, and nothing was changed`,
        hint: "preview again, have that reviewed, and run up with it",
        object,
    });
}

/** What is to be done now and was not in the review, in words. */
export function departures(reviewed: ReviewedPlan | undefined, now: PlanDocument): string[] {
    if (now.result === "same") return [];
    if (reviewed === undefined) return ["its plan is not in the review"];
    if (reviewed.result === "notCompared") {
        if (now.exists !== true) return [];
        const why = reviewed.reason?.message ?? "it is not said why";
        return [`the review could not compare it (${why}), and it stands`];
    }
    const seen = new Set(reviewed.changes.map(essence));
    return [
        ...now.changes.filter((change) => !seen.has(essence(change))).map(describeChange),
        ...now.hazards.flatMap((hazard) => grown(reviewed.hazards, hazard)),
    ];
}

/** Lines whose words carry a date, or numbers that grow while raw rows come in. */
const volatile: readonly PlannedChange["code"][] = [
    "keep_history",
    "rebuild",
    "replaced_version",
    "version_back",
];

function essence({ code, property, was, will }: PlannedChange): string {
    return volatile.includes(code) ? code : JSON.stringify([code, property, was, will]);
}

function describeChange({ was, will, ...line }: PlannedChange): string {
    const [text] = describePlan({
        lines: [{ ...line, was: was ?? undefined, will: will ?? undefined }],
    });
    return `only now: ${text?.split("\n")[0] ?? line.code}`;
}

/** A danger of another kind, or one of more rows than were agreed to. */
function grown(reviewed: readonly PlannedHazard[], hazard: PlannedHazard): string[] {
    const same = reviewed.filter(({ name }) => name === hazard.name);
    if (same.length === 0) return [`only now: ${hazard.name}: ${hazard.message}`];
    if (!hazard.name.startsWith("LOSES_") || hazard.stake === null) return [];
    const agreed = Math.max(...same.map(({ stake }) => stake?.rows ?? 0));
    const rows = hazard.stake.rows ?? 0;
    return rows > agreed ? [`${hazard.name}: ${agreed} rows in the review, ${rows} now`] : [];
}
