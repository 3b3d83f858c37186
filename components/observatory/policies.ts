/**
 * What the policies of one environment have otherwise than those declared, as the config key `policies`
 * says it: by table or aggregate, and in the words of the resources.
 */
import leven from "leven";

import type { CompressionPolicy, RefreshPolicy, RetentionPolicy } from "../timescale";
import { isFields } from "../timescale/core/fields";
import { parseInterval } from "../timescale/core/interval";

interface Policies {
    readonly refreshPolicy?: RefreshPolicy | undefined;
    readonly retentionPolicy?: RetentionPolicy | undefined;
    readonly compressionPolicy?: CompressionPolicy | undefined;
}

/** What is left out is as declared; null takes the policy away. */
export type PolicyChange = {
    readonly [Kind in keyof Policies]?: Partial<NonNullable<Policies[Kind]>> | null;
};

/** By the name of the table or aggregate, without its schema. */
export type PolicyChanges = Readonly<Record<string, PolicyChange>>;

const intervals = ["scheduleInterval", "maxRuntime", "retryPeriod"];

/** The fields of each policy that an environment may change, and which of them are intervals. */
const fields: Readonly<Record<keyof Policies, readonly string[]>> = {
    refreshPolicy: ["startOffset", "endOffset", ...intervals, "paused"],
    retentionPolicy: ["dropAfter", ...intervals, "paused"],
    compressionPolicy: ["compressAfter", ...intervals, "paused"],
};

const kinds = Object.keys(fields) as (keyof Policies)[];

/** The declaration with its policies as this environment has them. */
export function withPolicies<D extends Policies & { readonly name: string }>(
    declaration: D,
    changes: PolicyChanges,
): D {
    const change = changes[declaration.name];
    if (change === undefined) return declaration;
    const changed = kinds.map((kind) => {
        const given = change[kind];
        if (given === null) return [kind, undefined];
        return [kind, given === undefined ? declaration[kind] : { ...declaration[kind], ...given }];
    });
    return {
        ...declaration,
        ...(Object.fromEntries(changed.filter(([, policy]) => policy !== undefined)) as Policies),
        ...(Object.fromEntries(changed.filter(([, policy]) => policy === undefined)) as Policies),
    };
}

/**
 * The changes in a JSON text, such as `{ "llm_traces": { "retentionPolicy": { "dropAfter": "30 days" } } }`.
 *
 * @param known names of all tables and aggregates that are declared
 * @returns the changes, or all that is wrong with the text
 */
export function parsePolicies(
    json: string,
    known: readonly string[],
): PolicyChanges | readonly string[] {
    if (json.trim() === "") return {};
    let parsed: unknown;
    try {
        parsed = JSON.parse(json);
    } catch (error) {
        return [`it is no JSON: ${(error as Error).message}`];
    }
    if (!isFields(parsed)) return ["it is no object of tables and aggregates"];
    const problems = Object.entries(parsed).flatMap(([name, change]) =>
        known.includes(name) ? ofChange(name, change) : [unknown(name, known)],
    );
    return problems.length > 0 ? problems : (parsed as PolicyChanges);
}

function ofChange(name: string, change: unknown): string[] {
    if (!isFields(change)) return [`${name} is no object of policies`];
    return Object.entries(change).flatMap(([kind, policy]) => {
        const path = `${name}.${kind}`;
        if (!isKind(kind)) return [unknown(path, kinds, kind)];
        if (kind === "refreshPolicy" && policy === null) {
            return [`${path} is null: what is never refreshed stays empty; paused: true stops it`];
        }
        if (policy === null) return [];
        if (!isFields(policy)) return [`${path} is neither an object nor null`];
        return Object.entries(policy).flatMap(([field, value]) =>
            ofField(`${path}.${field}`, fields[kind], field, value),
        );
    });
}

function ofField(
    path: string,
    allowed: readonly string[],
    field: string,
    value: unknown,
): string[] {
    if (!allowed.includes(field)) return [unknown(path, allowed, field)];
    if (field === "paused") {
        return typeof value === "boolean" ? [] : [`${path} is neither true nor false`];
    }
    const interval = typeof value === "string" ? parseInterval(value) : undefined;
    return interval === undefined ? [`${path} is no interval such as "30 days"`] : [];
}

function unknown(path: string, allowed: readonly string[], word = path): string {
    const [nearest] = [...allowed].sort((one, other) => leven(one, word) - leven(other, word));
    const meant = nearest !== undefined && leven(nearest, word) <= 3 ? `; did you mean ${nearest}?` : ""; // prettier-ignore
    return `${path} is not known${meant || `: there are ${allowed.join(", ")}`}`;
}

function isKind(kind: string): kind is keyof Policies {
    return Object.hasOwn(fields, kind);
}
