/** How much of a review a comment shows. Statements are the first to be cut; rows and hazards never are. */

export interface Depth {
    /** Most characters of one statement; 0: its name and lock alone. */
    readonly sql: number;
    readonly plans: boolean;
    /** Most characters of one diff, or of one text of a refusal. */
    readonly diff: number;
    readonly changes: boolean;
    /** Whether changed objects have a part of their own. */
    readonly sections: boolean;
    /** Most characters of a hazard's or a refusal's message. */
    readonly message: number;
    /** The same in the table. */
    readonly row: number;
    /** How many errors. */
    readonly errors: number;
}

const everything: Depth = {
    ...{ sql: Infinity, plans: true, diff: Infinity, changes: true, sections: true },
    ...{ message: 2000, row: 400, errors: 50 },
};

/** The table alone. */
export const leastDepth: Depth = {
    ...{ sql: 0, plans: false, diff: 0, changes: false, sections: false },
    ...{ message: 200, row: 80, errors: 5 },
};

const withoutPlans: Depth = { ...everything, sql: 0, plans: false };

/** From the most to the least. */
export const depths: readonly Depth[] = [
    everything,
    { ...everything, sql: 4000 },
    { ...everything, sql: 1000 },
    { ...everything, sql: 250, diff: 8000 },
    { ...everything, sql: 0, diff: 4000 },
    { ...withoutPlans, diff: 4000 },
    { ...withoutPlans, diff: 1000, message: 600, row: 300 },
    { ...withoutPlans, diff: 0, message: 400, row: 300 },
    { ...withoutPlans, diff: 0, changes: false, message: 300, row: 250, errors: 20 },
    { ...leastDepth, message: 300, row: 200, errors: 10 },
    leastDepth,
];

/** In words; empty where nothing is. */
export function whatIsCut({ sql, plans, diff, changes, sections }: Depth): string {
    if (!sections)
        return "what is below the table: changes, definitions, plans, notes, waived rules";
    return [
        !plans ? "plans" : sql === 0 ? "the SQL of statements" : sql === Infinity ? "" : `SQL after ${sql} characters of a statement`, // prettier-ignore
        diff === 0
            ? "definitions"
            : diff === Infinity
              ? ""
              : `definitions after ${diff} characters`,
        changes ? "" : "changes of properties",
    ]
        .filter((part) => part !== "")
        .join(", ");
}

/** The lines that fit, and how many do not. */
export function cutText(text: string, longest: number): string {
    if (text.length <= longest) return text;
    const lines = text.split("\n");
    const kept: string[] = [];
    let size = 0;
    for (const line of lines) {
        size += line.length + 1;
        if (size > longest - 40) break;
        kept.push(line);
    }
    if (kept.length === 0)
        return `${text.slice(0, Math.max(0, longest - 40))}… ${text.length} characters`;
    return [...kept, `… ${lines.length - kept.length} more lines`].join("\n");
}
