/**
 * What a database lacks, by the same comparison that preview makes but without a state: for a first deploy,
 * where the engine calls everything new, and for what is refused before anything is begun.
 */
import type { Session } from "../../components/timescale/core/connection/session";
import { TimescaleError } from "../../components/timescale/core/errors";
import type { ChangeCode } from "../../components/timescale/core/plan/plan";
import { type ObjectOptions, observatoryObjects } from "../verify/objects";
import { inWords, readStanding } from "../verify/standing";

export interface Difference {
    /** Such as `public.llm_metrics_1min`. */
    readonly object: string;
    readonly lines: readonly string[];
}

export interface Compared {
    readonly differences: readonly Difference[];
    readonly refusals: readonly TimescaleError[];
}

/** Somebody's own, which is told and kept. */
const kept: ReadonlySet<ChangeCode> = new Set([
    "grant_unexpected",
    "index_undeclared",
    "policy_undeclared",
    "replaced_version",
]);

/** Reads only, but for temporary views that are rolled back. */
export async function compareDatabase(session: Session, options: ObjectOptions): Promise<Compared> {
    const objects = observatoryObjects(options).map((object) => ({
        ...object,
        inputs: { ...object.inputs, adopt: true },
    }));
    const standing = await readStanding(session, objects, () => undefined);
    const refusals: TimescaleError[] = [];
    const differences: Difference[] = [];
    /** Objects of others, by their owners. */
    const owned = new Map<string, readonly string[]>();
    for (const { title, exists, lines, refusals: refused } of standing) {
        const owner = lines.find(({ code }) => code === "owner")?.was;
        if (owner !== undefined) owned.set(owner, [...(owned.get(owner) ?? []), title]);
        refusals.push(...refused);
        const changing = lines.filter(({ code }) => !kept.has(code));
        if (!exists || changing.length > 0) {
            const words = exists ? changing.map((line) => inWords(line)) : ["does not stand yet"];
            differences.push({ object: title, lines: words });
        }
    }
    const { user } = session.connection;
    const others = [...owned].map(([owner, titles]) => another(owner, titles, user));
    return { differences, refusals: [...others, ...refusals] };
}

/** A superuser could give them away, and then their applications could not use them any more. */
function another(owner: string, titles: readonly string[], user: string): TimescaleError {
    return new TimescaleError("what stands belongs to another role than the one that deploys", {
        code: "owner",
        detail: `${titles.join(", ")}: of ${owner}, and the login is ${user}; what is deployed belongs to its login`,
        hint: `deploy as its owner: --db-user ${owner}`,
    });
}
