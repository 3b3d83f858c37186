/** What `pulumi preview --json` has written, read with distrust: anything missing is said, never taken for "no change". */
import { TimescaleError } from "../core/errors";
import { type Fields, isFields } from "../core/fields";
import { grouped } from "../core/grouped";
import type { PlanDocument } from "./planDocument";

export interface Preview {
    /** From the URNs: `project/stack`; undefined where there are none. */
    readonly stack: string | undefined;
    /** By URN; several where it is a replacement. Components and providers are left out. */
    readonly steps: ReadonlyMap<string, readonly Step[]>;
    /** By URN. */
    readonly documents: ReadonlyMap<string, readonly (PlanDocument | Unreadable)[]>;
    /** The stack's, as far as the preview has it. */
    readonly config: unknown;
    /** What else was said. */
    readonly diagnostics: readonly Diagnostic[];
    /** Why the preview is no whole one; undefined when it is. */
    readonly broken: string | undefined;
}

export interface Step {
    readonly op: string;
    readonly urn: string;
    readonly type: string;
    readonly old: State | undefined;
    readonly new: State | undefined;
}

export interface State {
    readonly custom: boolean;
    readonly inputs: Fields;
    readonly outputs: Fields;
    readonly retainOnDelete: boolean;
    readonly initErrors: readonly string[];
}

export interface Diagnostic {
    readonly urn: string;
    readonly severity: "info" | "warning" | "error";
    readonly message: string;
}

/** A plan that this version cannot read. */
export interface Unreadable {
    readonly unreadable: string;
}

/**
 * @param text of standard output; lines of a wrapper around the JSON are passed over
 * @throws TimescaleError when it is not the JSON of a preview
 */
export function readPreview(text: string): Preview {
    return previewOf(readDigest(text));
}

/** @throws TimescaleError when it has not the parts of a preview */
export function previewOf(digest: Fields): Preview {
    const { steps, changeSummary } = digest;
    if (!Array.isArray(steps) && !isFields(changeSummary)) {
        throw notAPreview(
            `it has neither steps nor a changeSummary, but ${Object.keys(digest).slice(0, 8).join(", ") || "nothing"}`,
        );
    }
    if (steps !== undefined && steps !== null && !Array.isArray(steps)) {
        throw notAPreview("its steps are no list");
    }
    const all = ((steps ?? []) as unknown[]).map(readStep);
    const { documents, diagnostics } = readDiagnostics(digest["diagnostics"]);
    const shown = all.filter(({ type, old, new: will }) => {
        return !type.startsWith("pulumi:") && (will ?? old)?.custom !== false;
    });
    return {
        stack: stackOf([...all.map(({ urn }) => urn), ...documents.keys()]),
        steps: grouped(shown, ({ urn }) => urn),
        documents,
        diagnostics,
        config: digest["config"],
        broken: brokenBy(digest, all, diagnostics),
    };
}

/** What a text has as JSON, without the lines of a wrapper before it, such as npm's. @throws TimescaleError */
export function readDigest(text: string): Fields {
    const trimmed = text.replace(/^\ufeff/, "").trim();
    const at = trimmed.search(/^\{/m);
    const json = at < 0 ? trimmed : trimmed.slice(at);
    if (json === "") {
        throw notAPreview("it is empty", "look at what pulumi preview wrote to standard error");
    }
    try {
        const value: unknown = JSON.parse(json);
        if (isFields(value)) return value;
    } catch (error) {
        const last = json.at(-1) === "}" ? "" : ", and it ends in the middle";
        // The parser's own message quotes the text, which may be a secret.
        const where = /position \d+/.exec(String(error))?.[0];
        throw notAPreview(
            `it is no JSON${where === undefined ? "" : ` at ${where}`}${last}`,
            "write it whole: pulumi preview --json > preview.json",
        );
    }
    throw notAPreview("it is no JSON object");
}

function notAPreview(detail: string, hint?: string): TimescaleError {
    return new TimescaleError("this is not the JSON of a pulumi preview", {
        code: "not_a_preview",
        detail,
        hint:
            hint ??
            "give what PULUMI_TIMESCALE_PLANS=json pulumi preview --json writes to standard output",
    });
}

function readStep(step: unknown): Step {
    if (!isFields(step) || typeof step["op"] !== "string" || typeof step["urn"] !== "string") {
        throw notAPreview("one of its steps has no op or no urn");
    }
    const { op, urn } = step;
    return {
        op,
        urn,
        type: typeOf(urn),
        old: readState(step["oldState"]),
        new: readState(step["newState"]),
    };
}

function readState(state: unknown): State | undefined {
    if (!isFields(state)) return undefined;
    const { inputs, outputs, initErrors } = state;
    return {
        custom: state["custom"] !== false,
        inputs: isFields(inputs) ? inputs : {},
        outputs: isFields(outputs) ? outputs : {},
        retainOnDelete: state["retainOnDelete"] === true,
        initErrors: Array.isArray(initErrors) ? initErrors.map(String) : [],
    };
}

function readDiagnostics(list: unknown): Pick<Preview, "documents" | "diagnostics"> {
    const documents = new Map<string, (PlanDocument | Unreadable)[]>();
    const diagnostics: Diagnostic[] = [];
    for (const one of Array.isArray(list) ? (list as unknown[]) : []) {
        if (!isFields(one)) continue;
        const { urn: given, message: said, severity: level } = one;
        const urn = typeof given === "string" ? given : "";
        const message = typeof said === "string" ? said.trim() : "";
        if (/^\{\s*"timescalePlan"/.test(message)) {
            const read = readDocument(message);
            const subject = urn || ("urn" in read ? read.urn : "");
            documents.set(subject, [...(documents.get(subject) ?? []), read]);
        } else if (message !== "") {
            const severity = level === "error" || level === "warning" ? level : "info";
            diagnostics.push({ urn, severity, message });
        }
    }
    return { documents, diagnostics };
}

const lists = ["changes", "statements", "hazards", "refusals", "notes"] as const;

function readDocument(message: string): PlanDocument | Unreadable {
    let document: unknown;
    try {
        document = JSON.parse(message);
    } catch {
        return { unreadable: "its plan is no whole JSON" };
    }
    if (!isFields(document)) return { unreadable: "its plan is no JSON object" };
    const format = document["timescalePlan"];
    if (format !== 1) {
        return {
            unreadable: `its plan is of format ${JSON.stringify(format)}, and this version reads format 1`,
        };
    }
    if (!["same", "differs", "notCompared"].includes(String(document["result"]))) {
        return {
            unreadable: `its plan has the result ${JSON.stringify(document["result"])}, which this version does not know`,
        };
    }
    const missing = lists.filter((name) => !isListOfFields(document[name]));
    if (missing.length > 0) return { unreadable: `its plan lacks ${missing.join(", ")}` };
    return document as unknown as PlanDocument;
}

function isListOfFields(value: unknown): boolean {
    return Array.isArray(value) && value.every(isFields);
}

/** The engine prints a digest also of a preview that failed, and says so nowhere in it but by its errors. */
function brokenBy(
    digest: Fields,
    steps: readonly Step[],
    diagnostics: readonly Diagnostic[],
): string | undefined {
    if (diagnostics.some(({ severity }) => severity === "error")) return "the preview failed";
    if (digest["maybeCorrupt"] === true) return "the engine says that its state may be corrupt";
    const { changeSummary } = digest;
    if (!isFields(changeSummary))
        return "the preview was cut off: it has no summary of its changes";
    const counted = Object.keys(changeSummary).filter((op) => op !== "same");
    if (counted.length > 0 && !steps.some(({ op }) => op !== "same")) {
        return `the preview is incomplete: it counts ${counted.join(", ")}, and has no such step`;
    }
    return undefined;
}

/** `project/stack`; undefined where no URN names one. */
export function stackOf(urns: readonly string[]): string | undefined {
    for (const urn of urns) {
        const [head = "", project] = urn.split("::");
        const stack = head.split(":")[2];
        if (stack !== undefined && project !== undefined) return `${project}/${stack}`;
    }
    return undefined;
}

/** The resource's own type, without those of the components around it. */
export function typeOf(urn: string): string {
    return urn.split("::")[2]?.split("$").at(-1) ?? "";
}
