/** How grave a change is, and the exit codes by which a pipeline decides. */

/** The gravest of all objects is the verdict of a preview; from least to most grave. */
export const verdicts = [
    "noChange",
    "safe",
    "caution",
    "notCompared",
    "refused",
    "destructive",
    "failed",
] as const;

export type Verdict = (typeof verdicts)[number];

/** Never changed in meaning. 1 is also that of an input that cannot be read. */
export const exitCodes = {
    noChange: 0,
    safe: 2,
    caution: 2,
    destructive: 3,
    notCompared: 4,
    refused: 5,
    failed: 1,
} as const satisfies Record<Verdict, number>;

export const verdictWords = {
    noChange: { sign: "✅", title: "No change" },
    safe: { sign: "🟢", title: "Safe" },
    caution: { sign: "🟡", title: "Caution" },
    notCompared: { sign: "⚪", title: "Not compared" },
    refused: { sign: "⛔", title: "Refused" },
    destructive: { sign: "🔴", title: "Destructive" },
    failed: { sign: "❌", title: "Failed" },
} as const satisfies Record<Verdict, { sign: string; title: string }>;

export function gravest(all: readonly Verdict[]): Verdict {
    return verdicts[Math.max(0, ...all.map((one) => verdicts.indexOf(one)))] ?? "noChange";
}

export function isGraver(one: Verdict, other: Verdict): boolean {
    return verdicts.indexOf(one) > verdicts.indexOf(other);
}

/** For sorting: the gravest first. */
export function byGravity(one: Verdict, other: Verdict): number {
    return verdicts.indexOf(other) - verdicts.indexOf(one);
}
