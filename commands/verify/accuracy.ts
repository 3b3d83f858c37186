/** Check 8 on real buckets: what is stored equals what raw rows give now. Reads only. */
import { setTimeout } from "node:timers/promises";

import type { FillUnit } from "../../components/timescale/core/aggregate/fillRange";
import type { Session } from "../../components/timescale/core/connection/session";
import { displayName } from "../../components/timescale/core/identifier";
import { type Buckets, compare, type Comparison, readBuckets, undecidedColumns } from "./buckets";
import { counted } from "./result";

export interface Accuracy {
    /** Rows of aggregates that were compared. */
    readonly rows: number;
    /** Stretches of time that they lie in. */
    readonly stretches: number;
    readonly problems: readonly string[];
    readonly notes: readonly string[];
}

/**
 * @param sample how many stretches of each aggregate, spread from the oldest to the newest; "all" of them
 */
export async function realAccuracy(
    session: Session,
    all: readonly Buckets[],
    sample: number | "all",
    between: () => void,
): Promise<Accuracy> {
    const problems: string[] = [];
    const notes: string[] = [];
    let [rows, stretches] = [0, 0];
    for (const buckets of all) {
        const title = displayName(buckets.name);
        const complete = buckets.units.filter(({ pending }) => !pending);
        const without = undecidedColumns(buckets.aggregate);
        const looked = sample === "all" ? merged(complete) : spread(complete, sample);
        for (const unit of looked) {
            between();
            const found = await settled(session, buckets, unit, without);
            if (found === undefined) continue;
            stretches += 1;
            rows += found.computed;
            if (found.wrong + found.missing > 0) problems.push(describe(title, unit, found));
        }
        if (without.length > 0 && complete.length > 0) {
            notes.push(
                `${title}: ${without.join(", ")} may be of any of several rows of one moment, and was not compared`,
            );
        }
    }
    return { rows, stretches, problems, notes };
}

function describe(title: string, { start, end }: FillUnit, found: Comparison): string {
    const { stored, computed, wrong, missing, example } = found;
    return `${title} from ${start} to ${end}: ${counted(wrong, "stored row")} differ${wrong === 1 ? "s" : ""} from raw, ${missing} of raw ${missing === 1 ? "is" : "are"} not stored (${stored} stored, ${computed} computed); ${example ?? ""}`;
}

/** Milliseconds between two readings of buckets that differ. */
const pause = 1500;
const attempts = 4;

/**
 * Undefined where the buckets have become pending meanwhile. A refresh that is just running has taken its
 * invalidations away before it writes the buckets, so a difference counts when it stays.
 */
async function settled(
    session: Session,
    buckets: Buckets,
    unit: FillUnit,
    without: readonly string[],
): Promise<Comparison | undefined> {
    for (let attempt = 1; ; attempt += 1) {
        const found = await compare(session, buckets, unit, without);
        if (found.wrong + found.missing === 0) return found;
        const now = await readBuckets(session, buckets.name);
        const same = now?.units.filter(({ start, end }) => start < unit.end && end > unit.start);
        if (same === undefined || same.length === 0 || same.some(({ pending }) => pending)) {
            return undefined;
        }
        if (attempt === attempts) return found;
        await setTimeout(pause);
    }
}

/**
 * Neighbours taken together, so that thousands of short stretches are no thousands of statements.
 *
 * @param parts how many there are at least where all are neighbours, so that none of them is read for long
 */
export function merged(all: readonly FillUnit[], parts = 50): readonly FillUnit[] {
    const length = Math.ceil(all.length / parts);
    const result: FillUnit[] = [];
    let count = 0;
    for (const unit of all) {
        const last = result.at(-1);
        if (last?.end === unit.start && count < length) {
            result[result.length - 1] = { ...last, end: unit.end };
            count += 1;
        } else {
            result.push(unit);
            count = 1;
        }
    }
    return result;
}

/** Some of them, at even distances, the first and the last among them. */
export function spread<T>(all: readonly T[], sample: number): readonly T[] {
    if (all.length <= sample) return all;
    if (sample === 1) return all.slice(-1);
    const step = (all.length - 1) / (sample - 1);
    return Array.from({ length: sample }, (_, at) => all[Math.round(at * step)]).filter(
        (one) => one !== undefined,
    );
}
