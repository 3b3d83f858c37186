/** A review: what a preview means, as the Markdown shows it and as `--json` has it. */
import { counted } from "../../components/timescale/core/health/words";
import type { Preview } from "../../components/timescale/provider/preview";
import { pluginOnPath } from "../start/events";
import type { Message, Review, ReviewedObject } from "./document";
import { objectOf, resourceName } from "./objects";
import type { Removal } from "./removal";
import { mapTexts, secretsIn, withoutSecrets } from "./secrets";
import { byGravity, exitCodes, gravest, type Verdict } from "./verdict";

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
        .filter(({ message }) => !pluginOnPath.test(message.replace(/^warning: /, "")))
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
        told(count("destructive"), "is destructive", "are destructive"),
        told(count("refused"), `is refused by ${operation}`, `are refused by ${operation}`),
        told(
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
        return `${changing} of ${counted(all, "object")} ${changing === 1 ? "changes" : "change"}`;
    }
    if (!whole) return "no change is among it";
    return all === 1 ? "its one object is as declared" : `all ${all} objects are as declared`;
}

function goingIn(objects: readonly ReviewedObject[]): string {
    if (objects.length === 0) return "destroy would delete nothing";
    return `destroy would delete ${counted(objects.length, "object")}`;
}

function told(number: number, one: string, many: string): string {
    return number === 0 ? "" : `${number} ${number === 1 ? one : many}`;
}
