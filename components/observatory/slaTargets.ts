/** What latency and errors are to stay under, as the config key `slaTargets` says it. */

export interface SlaTarget {
    /** @default - any model */
    readonly model?: string;
    /** @default - any environment, also none */
    readonly environment?: string;
    /** Milliseconds that the 95th percentile has to stay under. */
    readonly p95Ms: number;
    readonly p99Ms: number;
    /** Share of failed requests, from 0 to 1, that has to be stayed under. */
    readonly errorRate: number;
}

/** The original's. */
export const defaultTarget: SlaTarget = { p95Ms: 2000, p99Ms: 5000, errorRate: 0.01 };

const numbers = ["p95Ms", "p99Ms", "errorRate"] as const;
const texts = ["model", "environment"] as const;

/**
 * The targets in a JSON text, such as `[{ "model": "gpt-4o", "p95Ms": 1500 }]`. What a target leaves
 * out is the default's, and so is what no target covers.
 *
 * @returns the targets, or what is wrong with the text
 */
export function parseTargets(json: string): readonly SlaTarget[] | string {
    if (json.trim() === "") return [defaultTarget];
    let parsed: unknown;
    try {
        parsed = JSON.parse(json);
    } catch (error) {
        return `it is no JSON: ${(error as Error).message}`;
    }
    if (!Array.isArray(parsed)) return "it is no list";
    const targets: SlaTarget[] = [];
    const seen = new Set<string>();
    for (const [at, entry] of (parsed as readonly unknown[]).entries()) {
        const problem = problemOf(entry);
        if (problem !== undefined) return `entry ${at + 1} ${problem}`;
        const target = { ...defaultTarget, ...(entry as Partial<SlaTarget>) };
        const key = JSON.stringify([target.model, target.environment]);
        if (seen.has(key)) return `entry ${at + 1} has the model and environment of another`;
        seen.add(key);
        targets.push(target);
    }
    return seen.has(JSON.stringify([undefined, undefined])) ? targets : [...targets, defaultTarget];
}

function problemOf(entry: unknown): string | undefined {
    if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
        return "is no object";
    }
    const given = entry as Readonly<Record<string, unknown>>;
    const unknown = Object.keys(given).find(
        (key) => ![...numbers, ...texts].includes(key as never),
    );
    if (unknown !== undefined) {
        return `has "${unknown}"; allowed are ${[...texts, ...numbers].join(", ")}`;
    }
    const noText = texts.find((key) => key in given && typeof given[key] !== "string");
    if (noText !== undefined) return `has a ${noText} that is no text`;
    const noNumber = numbers.find(
        (key) => key in given && !(typeof given[key] === "number" && given[key] > 0),
    );
    if (noNumber !== undefined) return `has a ${noNumber} that is no number above 0`;
    return typeof given["errorRate"] === "number" && given["errorRate"] > 1
        ? "has an errorRate above 1: it is a share, and 1 % is 0.01"
        : undefined;
}
