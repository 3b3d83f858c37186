/** How far back raw rows and whole hours reach, which decides what percentiles can be answered from. */
import { lengthOf, parseInterval } from "../timescale/core/interval";
import { aggregates } from "./aggregates";
import { hypertables } from "./hypertables";
import { measures } from "./measures";

/** Intervals; undefined: for ever. */
export interface Kept {
    /** Raw requests. */
    readonly raw: string | undefined;
    /** Bins by hour, those of the measure that has them shortest. */
    readonly hours: string | undefined;
}

interface Declared {
    readonly name: string;
    readonly retentionPolicy?: { readonly dropAfter: string } | undefined;
}

export function keptOf(declared: readonly Declared[]): Kept {
    const shortest = (names: readonly string[]): string | undefined =>
        declared
            .filter(({ name }) => names.includes(name))
            .flatMap(({ retentionPolicy }) => retentionPolicy?.dropAfter ?? [])
            .sort((one, other) => length(one) - length(other))[0];
    return {
        raw: shortest(["llm_traces"]),
        hours: shortest(measures.map(({ bins }) => `${bins}_1hour`)),
    };
}

export const keptByDefault: Kept = keptOf([...hypertables, ...aggregates]);

function length(interval: string): number {
    const parsed = parseInterval(interval);
    return parsed === undefined ? Infinity : lengthOf(parsed);
}
