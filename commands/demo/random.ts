/** Random numbers that are the same for the same seed on every machine. */
import { createHash } from "node:crypto";

export interface Random {
    /** Uniform in [0, 1). */
    next(): number;
    /** Whole number in [0, below). */
    below(limit: number): number;
    /** True with this probability. */
    chance(probability: number): boolean;
    /** One of the items, each as likely as its weight says. */
    pick<T>(items: readonly T[], weight?: (item: T) => number): T;
    /** Log-normal with this median; `sigma` is the standard deviation of the logarithm. */
    logNormal(median: number, sigma: number): number;
    /** Pareto, at least 1: half are above 2^(1/alpha). */
    pareto(alpha: number): number;
    /** So many lowercase hexadecimal digits. */
    hex(digits: number): string;
}

export function createRandom(seed: string): Random {
    const words = createHash("sha256").update(seed).digest();
    let [a, b, c, counter] = [0, 4, 8, 12].map((at) => words.readInt32LE(at)) as Words;
    const next = () => {
        // sfc32: 128 bits of state, so that two seeds do not meet in the same sequence.
        const sum = (a + b + counter) | 0;
        counter = (counter + 1) | 0;
        a = b ^ (b >>> 9);
        b = (c + (c << 3)) | 0;
        c = (((c << 21) | (c >>> 11)) + sum) | 0;
        return (sum >>> 0) / 2 ** 32;
    };
    const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
    return {
        next,
        below: (limit) => Math.floor(next() * limit),
        chance: (probability) => next() < probability,
        pick: (items, weight = () => 1) => {
            let at = next() * items.reduce((sum, item) => sum + weight(item), 0);
            const found = items.find((item) => (at -= weight(item)) < 0) ?? items.at(-1);
            if (found === undefined) throw new Error("there is nothing to pick from");
            return found;
        },
        logNormal: (median, sigma) => median * Math.exp(sigma * normal()),
        pareto: (alpha) => (1 - next()) ** (-1 / alpha),
        hex: (digits) =>
            Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join(""),
    };
}

type Words = [number, number, number, number];
