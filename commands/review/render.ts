/** The review as one comment in Markdown. */
import { cutText, type Depth, depths, leastDepth, whatIsCut } from "./depth";
import type { Message, Review, ReviewedObject } from "./document";
import { hazardVerdicts } from "./judge";
import { code, folded, prose, table } from "./markdown";
import { objectSection, stakeText } from "./objectSection";
import { verdictWords } from "./verdict";

export interface RenderOptions {
    /** Most characters. Default: 60,000, of the 65,536 that GitHub takes. */
    readonly limit?: number;
    /** Where the whole review is as JSON, such as the address of a workflow's run. Default: how to have it made. */
    readonly whole?: string | undefined;
}

const safeLimit = 60_000;

/** First in every comment, by which it is found again. One comment a stack. */
export function markerOf(stack: string | null): string {
    const name = (stack ?? "unknown").replace(/[^A-Za-z0-9_./]+|\.\.+/g, "-").replace(/-+/g, "-");
    return `<!-- pulumi-timescale review of ${name} -->`;
}

/**
 * Whole where it fits, else with less and less of the statements, then of definitions and changes.
 * Verdict, rows, hazards and refusals stay; of thousands of rows those of the gravest objects.
 */
export function render(review: Review, { limit = safeLimit, whole }: RenderOptions = {}): string {
    let text = "";
    for (const depth of depths) {
        text = renderAt(review, depth, whole);
        if (text.length <= limit) return text;
    }
    return text.length <= limit ? text : fewerRows(review, limit, whole);
}

function renderAt(review: Review, depth: Depth, whole: string | undefined): string {
    return [
        head(review),
        errors(review, depth),
        rows(review, depth),
        ...(depth.sections ? review.objects.map((object) => objectSection(object, depth)) : []),
        ...(depth.sections
            ? [waived(review.objects), remarks(review), unchanged(review.objects)]
            : []),
        foot(review, depth, whole),
    ]
        .filter((part) => part !== "")
        .join("\n\n")
        .concat("\n");
}

function head({ stack, operation = "up", verdict, summary }: Review): string {
    const { sign, title } = verdictWords[verdict];
    const of = [
        ...(stack === null ? [] : [code(stack, 100)]),
        ...(operation === "up" ? [] : [`\`${operation}\``]),
    ]
        .map((part) => ` · ${part}`)
        .join("");
    return [markerOf(stack), `## ${sign} ${title}${of}`, "", prose(summary, 1000)].join("\n");
}

function errors({ messages }: Review, depth: Depth): string {
    const all = messages.filter(({ severity }) => severity === "error");
    if (all.length === 0) return "";
    const shown = all.slice(0, depth.errors);
    const more = all.length - shown.length;
    return [
        "### Errors",
        shown.map((error) => said(error, depth.message)).join("\n"),
        ...(more > 0 ? [`and ${more} more`] : []),
    ].join("\n\n");
}

function said({ resource, message }: Message, longest: number): string {
    const about = resource === null ? "" : `${code(resource, 100)}: `;
    return `- ${about}${prose(message, longest)}`;
}

function rows({ objects, operation = "up" }: Review, depth: Depth): string {
    const changing = objects.filter(({ verdict }) => verdict !== "noChange");
    if (changing.length === 0) return "";
    return table(
        ["", "Object", `What \`${operation}\` does`, "Why a second look"],
        changing.map((object) => row(object, depth)),
    );
}

function row(object: ReviewedObject, { row: longest, sections }: Depth): string[] {
    const { sign, title } = verdictWords[object.verdict];
    const why = object.reasons.map((reason) => {
        const hazard = object.hazards.find(
            ({ name, message }) => name === reason.code && message === reason.message,
        );
        // Of what loses nothing, the part below has the message.
        if (sections && hazard !== undefined && hazardVerdicts[hazard.name] === "caution") {
            return code(reason.code, 60);
        }
        // The numbers are in the message, unless it was cut.
        const stake =
            reason.message.length > longest && hazard !== undefined ? stakeText(hazard) : "";
        return `${code(reason.code, 60)} ${prose(reason.message, longest)}${stake === "" ? "" : ` (${stake})`}`;
    });
    return [
        `${sign}&nbsp;${title.replaceAll(" ", "&nbsp;")}`,
        `${code(object.object, 130)}<br>${prose(shortKind(object.kind), 60)}`,
        prose(whatUpDoes(object), 160),
        [...new Set(why)].join("<br>"),
    ];
}

/** Without the module of a type such as `docker:index/container:Container`. */
function shortKind(kind: string): string {
    const [provider = "", , name] = kind.split(":");
    return name === undefined ? kind : `${provider} ${name}`;
}

export function whatUpDoes({
    action,
    refusals,
    changes,
    planned,
    inputs,
    kind,
}: ReviewedObject): string {
    if (refusals.length > 0) return "nothing: it is refused";
    if (action === "delete") return "deletes it";
    if (action === "replace") return "deletes it and makes a new one";
    if (action === "other") return "see Pulumi's own preview";
    if (!planned) {
        if (action === "create") return "creates it";
        return kind.includes(":") ? `updates ${inputs.join(", ") || "it"}` : "not known";
    }
    // A line of a plan may go on with its numbers.
    if (changes.length > 0)
        return [...new Set(changes.map(({ property }) => property.split(/[:;] /)[0]))].join(", ");
    if (action === "create") return "takes it over as it stands";
    return inputs.length > 0
        ? `remembers ${inputs.join(", ")}; no statement`
        : "remembers the declaration; no statement";
}

function waived(objects: readonly ReviewedObject[]): string {
    const all = objects.flatMap(({ object, notes }) =>
        notes
            .filter((note) => note.code === "waived")
            .map(({ rule, message }) => [code(object, 130), code(rule ?? "", 60), prose(message)]),
    );
    if (all.length === 0) return "";
    return `### Waived rules\n\n${table(["Object", "Rule", "Reason, and what it would say"], all)}`;
}

/** Of what does not change, and of the run. */
function remarks({ objects, messages }: Review): string {
    const notes = objects
        .filter(({ verdict }) => verdict === "noChange")
        .flatMap(({ object, notes: all }) =>
            all
                .filter((note) => note.code !== "waived")
                .map(({ message }) => `- ${code(object, 130)}: ${prose(message)}`),
        );
    const others = messages
        .filter(({ severity }) => severity !== "error")
        .map((message) => said(message, 400));
    const lines = [...others, ...notes];
    if (lines.length === 0) return "";
    return folded(
        `${lines.length} more ${lines.length === 1 ? "remark" : "remarks"}`,
        cutLines(lines, 60),
    );
}

function unchanged(objects: readonly ReviewedObject[]): string {
    const same = objects.filter(({ verdict }) => verdict === "noChange");
    if (same.length === 0 || same.length === objects.length) return "";
    const names = same.map(
        ({ object, kind }) => `- ${code(object, 130)} ${prose(shortKind(kind), 60)}`,
    );
    return folded(
        `${same.length} ${same.length === 1 ? "object is" : "objects are"} as declared`,
        cutLines(names, 200),
    );
}

function cutLines(lines: readonly string[], most: number): string {
    const more = lines.length - most;
    return [...lines.slice(0, most), ...(more > 0 ? [`- … and ${more} more`] : [])].join("\n");
}

function foot(review: Review, depth: Depth, whole: string | undefined): string {
    const cut = whatIsCut(depth);
    const place =
        whole === undefined
            ? "`npm run review -- --json` on the same preview"
            : link(whole, "the JSON of this review");
    const verdict = review.verdict === "noChange" ? "" : `Exit code ${review.exitCode}. `;
    return cut === ""
        ? `<sub>${verdict}Everything as JSON: ${place}.</sub>`
        : `**Cut to fit into a comment:** ${cut}. Everything is in ${place}.`;
}

/** Only to addresses of the web; anything else is shown. */
function link(address: string, text: string): string {
    return /^https:\/\/[A-Za-z0-9._~:/?#%&=@+-]+$/.test(address)
        ? `[${text}](${address})`
        : code(address);
}

/** Thousands of rows: the gravest that fit, one line each. */
function fewerRows(review: Review, limit: number, whole: string | undefined): string {
    const depth = leastDepth;
    const frame = renderAt({ ...review, objects: [] }, depth, whole);
    let size = frame.length + 400;
    const kept: ReviewedObject[] = [];
    for (const object of review.objects.filter(({ verdict }) => verdict !== "noChange")) {
        size += row(object, depth).join(" | ").length + 6;
        if (size > limit) break;
        kept.push(object);
    }
    const left =
        review.objects.filter(({ verdict }) => verdict !== "noChange").length - kept.length;
    const text = renderAt({ ...review, objects: kept }, depth, whole);
    return cutText(
        `${text}\n**${left} more rows, none graver than the last of these, did not fit.**\n`,
        limit,
    );
}
