/** What is wrong with a config, collected to be reported at once. */
import leven from "leven";

import { TimescaleError } from "../timescale/core/errors";

export interface Problems {
    readonly errors: TimescaleError[];
    readonly warnings: TimescaleError[];
}

interface Advice {
    readonly detail: string;
    readonly hint: string;
}

export function problem({ errors }: Problems, message: string, advice: Advice): undefined {
    errors.push(new TimescaleError(message, advice));
}

export function warning({ warnings }: Problems, message: string, advice: Advice): void {
    warnings.push(new TimescaleError(message, advice));
}

/** The known word that was probably meant: the same but for its case, or a few letters away. */
export function nearest<Word extends string>(
    word: string,
    known: readonly Word[],
): Word | undefined {
    const distances = known
        .map((candidate) => ({
            candidate,
            distance: leven(candidate.toLowerCase(), word.toLowerCase()),
        }))
        .sort((one, other) => one.distance - other.distance);
    const best = distances[0];
    return best !== undefined && best.distance <= Math.max(2, word.length / 3)
        ? best.candidate
        : undefined;
}
