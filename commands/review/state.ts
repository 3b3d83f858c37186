/** What `pulumi stack export --show-secrets` writes, as far as a review needs it. */
import { TimescaleError } from "../../components/timescale/core/errors";
import { type Fields, isFields } from "../../components/timescale/core/fields";
import { signature } from "./secrets";

export interface RecordedResource {
    readonly type: string;
    readonly id: string | undefined;
    /** Secrets in clear text. */
    readonly outputs: Fields;
    /** URN of what it goes with. */
    readonly deletedWith: string | undefined;
}

/**
 * By URN; of several the one in use, not those that a replacement has left to be deleted.
 *
 * @throws TimescaleError where the text is no state
 */
export function recordedResources(text: string): ReadonlyMap<string, RecordedResource> {
    const state = parse(text);
    const deployment = isFields(state) ? state["deployment"] : undefined;
    if (!isFields(deployment)) throw noState("it has no deployment");
    const { resources } = deployment;
    const found = new Map<string, RecordedResource>();
    for (const one of Array.isArray(resources) ? (resources as unknown[]) : []) {
        if (!isFields(one) || typeof one["urn"] !== "string") continue;
        if (one["delete"] === true && found.has(one["urn"])) continue;
        const outputs = inClear(one["outputs"]);
        found.set(one["urn"], {
            type: textOf(one["type"]) ?? "",
            id: textOf(one["id"]),
            outputs: isFields(outputs) ? outputs : {},
            deletedWith: textOf(one["deletedWith"]),
        });
    }
    return found;
}

function parse(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        // The parser's message quotes the text, which has secrets.
        throw noState("it is no JSON");
    }
}

function noState(detail: string): TimescaleError {
    return new TimescaleError("this is not the export of a stack", { code: "no_state", detail });
}

function textOf(value: unknown): string | undefined {
    return typeof value === "string" && value !== "" ? value : undefined;
}

function inClear(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(inClear);
    if (!isFields(value)) return value;
    if (signature in value && typeof value["plaintext"] === "string") {
        return inClear(parse(value["plaintext"]));
    }
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, inClear(one)]));
}
