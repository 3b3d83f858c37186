/** A review: what a preview means, as the Markdown shows it and as `--json` has it. */
import type {
    PlanDocument,
    PlannedChange,
    PlannedHazard,
    PlannedRefusal,
    PlannedStatement,
} from "../../components/timescale/provider/planDocument";
import type { Preview } from "../../components/timescale/provider/preview";
import type { Action } from "./elsewhere";
import { objectOf, resourceName } from "./objects";
import type { Removal } from "./removal";
import { mapTexts, secretsIn, withoutSecrets } from "./secrets";
import { byGravity, exitCodes, gravest, type Verdict } from "./verdict";

/** Fields are never renamed; a reader passes over those it does not know. */
export interface Review {
    /** Format of this document. */
    readonly timescaleReview: 1;
    /** `project/stack`; null where the preview names none. */
    readonly stack: string | null;
    /** What is reviewed. Absent in reviews of earlier versions: `up`. */
    readonly operation?: "up" | "destroy";
    readonly verdict: Verdict;
    /** That of `npm run review`. */
    readonly exitCode: number;
    /** In one sentence. */
    readonly summary: string;
    /** The gravest first; those of one verdict in the order of the program. */
    readonly objects: readonly ReviewedObject[];
    /** What the engine and other providers said, errors first; plans are in the objects. */
    readonly messages: readonly Message[];
}

export interface Message {
    readonly severity: "info" | "warning" | "error";
    /** Name of the resource that it is about; null: of the run. */
    readonly resource: string | null;
    readonly message: string;
}

export interface ReviewedObject {
    readonly urn: string;
    /** Qualified name in the database, or the resource's name. */
    readonly object: string;
    /** Such as `ContinuousAggregate`, or a type of another provider. */
    readonly kind: string;
    /** What Pulumi does with the resource. `same` with a plan that differs: only the database does. */
    readonly action: Action;
    readonly verdict: Verdict;
    /** Why it is graver than safe. */
    readonly reasons: readonly Reason[];
    /** Whether a plan tells what `up` does: not of other providers, nor of what is deleted. */
    readonly planned: boolean;
    readonly changes: readonly PlannedChange[];
    readonly statements: readonly PlannedStatement[];
    readonly hazards: readonly PlannedHazard[];
    readonly refusals: readonly PlannedRefusal[];
    readonly notes: PlanDocument["notes"];
    /** What goes with an object with rows that is deleted or replaced. Absent: no rows go with it by that. */
    readonly removed?: RemovedRows;
    /** Inputs that the program declares otherwise than at the last `up`; values are in the changes. */
    readonly inputs: readonly string[];
}

export interface RemovedRows {
    /** Null where they were not counted, or where the server has no statistics to estimate them from. */
    readonly rows: number | null;
    /** Times as the server prints them, in UTC. */
    readonly oldest: string | null;
    readonly newest: string | null;
    /** False: counted. True: rows by statistics, times by the edges of chunks. */
    readonly estimated: boolean;
    readonly chunks: number | null;
    /** On disk, indexes included. */
    readonly bytes: number | null;
    /** Why the rows are not known, or which of them raw data no longer has; null where all is. */
    readonly notCounted: string | null;
}

export interface Reason {
    /** Stable, such as the name of a hazard. */
    readonly code: string;
    readonly message: string;
}

export interface ReviewContext {
    /** Values that must not come out, beside those found in the preview itself. */
    readonly secrets?: ReadonlySet<string>;
    /** Why the preview is not to be trusted, where whoever ran it knows. */
    readonly failure?: string | undefined;
    /** What was found of objects that go, by URN. Default: nobody has looked. */
    readonly removals?: ReadonlyMap<string, Removal> | undefined;
    /** Whether it is a preview of `pulumi destroy`, which makes no plans. Default false. */
    readonly destroy?: boolean;
}

export function reviewOf(
    preview: Preview,
    { secrets = new Set(), failure, removals, destroy = false }: ReviewContext = {},
): Review {
    const urns = new Set([...preview.steps.keys(), ...preview.documents.keys()]);
    const objects = [...urns]
        .filter((urn) => urn !== "" || preview.documents.has(urn))
        .map((urn) =>
            objectOf(
                urn,
                preview.steps.get(urn) ?? [],
                preview.documents.get(urn) ?? [],
                removals?.get(urn),
            ),
        )
        .sort((one, other) => byGravity(one.verdict, other.verdict));
    const broken = failure ?? preview.broken;
    const uncompared = broken === undefined && preview.documents.size === 0 && !destroy;
    const verdict = gravest([
        ...(broken === undefined ? [] : ["failed" as const]),
        ...(uncompared ? ["notCompared" as const] : []),
        ...objects.map((object) => object.verdict),
    ]);
    const found: Review = {
        timescaleReview: 1,
        stack: preview.stack ?? null,
        operation: destroy ? "destroy" : "up",
        verdict,
        exitCode: exitCodes[verdict],
        summary: summaryOf(objects, { broken, uncompared, destroy }),
        objects,
        messages: messagesOf(preview),
    };
    return masked(found, preview, secrets);
}

function masked(review: Review, preview: Preview, secrets: ReadonlySet<string>): Review {
    const all = new Set(secrets);
    for (const step of [...preview.steps.values()].flat()) {
        for (const state of [step.old, step.new]) {
            secretsIn(state?.inputs, all);
            secretsIn(state?.outputs, all);
        }
    }
    secretsIn(preview.config, all);
    const { verdict, exitCode, timescaleReview, operation } = review;
    const text = mapTexts(review, withoutSecrets(all));
    return { ...text, timescaleReview, verdict, exitCode, ...(operation && { operation }) };
}

function messagesOf({ diagnostics }: Preview): Message[] {
    const order = ["error", "warning", "info"];
    return diagnostics
        .map(({ urn, severity, message }) => ({
            severity,
            resource: urn === "" ? null : resourceName(urn),
            message: message.replace(/^(?:error|warning): /, ""),
        }))
        .sort((one, other) => order.indexOf(one.severity) - order.indexOf(other.severity));
}

interface Outcome {
    readonly broken: string | undefined;
    readonly uncompared: boolean;
    readonly destroy: boolean;
}

function summaryOf(
    objects: readonly ReviewedObject[],
    { broken, uncompared, destroy }: Outcome,
): string {
    const count = (one: Verdict): number =>
        objects.filter((object) => object.verdict === one).length;
    const changing = objects.length - count("noChange");
    const operation = destroy ? "destroy" : "up";
    const parts = [
        broken === undefined ? "" : `${broken}, and what it shows may not be all`,
        uncompared
            ? "no plan of a resource inside a database is in the preview: run it with PULUMI_TIMESCALE_PLANS=json"
            : "",
        destroy ? goingIn(objects) : changesIn(objects.length, changing, broken === undefined),
        counted(count("destructive"), "is destructive", "are destructive"),
        counted(count("refused"), `is refused by ${operation}`, `are refused by ${operation}`),
        counted(
            count("notCompared"),
            "is not compared with the live database",
            "are not compared with the live database",
        ),
    ];
    const text = parts.filter((part) => part !== "").join("; ");
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function changesIn(all: number, changing: number, whole: boolean): string {
    if (all === 0) return "";
    if (changing > 0) {
        return `${changing} of ${plural(all, "object")} ${changing === 1 ? "changes" : "change"}`;
    }
    if (!whole) return "no change is among it";
    return all === 1 ? "its one object is as declared" : `all ${all} objects are as declared`;
}

function goingIn(objects: readonly ReviewedObject[]): string {
    if (objects.length === 0) return "destroy would delete nothing";
    return `destroy would delete ${plural(objects.length, "object")}`;
}

function counted(number: number, one: string, many: string): string {
    return number === 0 ? "" : `${number} ${number === 1 ? one : many}`;
}

function plural(number: number, one: string): string {
    return `${number} ${one}${number === 1 ? "" : "s"}`;
}
