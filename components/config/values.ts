/** The texts of a config, and what can be read from one of them alone. */
import { type KeyName, keys } from "./keys";
import { nearest, problem, type Problems } from "./problems";

export interface RawConfig {
    readonly stack: string;
    /** Key without namespace to text, as `pulumi config` keeps it; secrets decrypted. */
    readonly values: Readonly<Record<string, string>>;
    /** Keys whose values are kept encrypted. */
    readonly secretKeys: ReadonlySet<string>;
    /** The text of a file; throws if it cannot be read. */
    readonly readText: (path: string) => string;
}

export function text(raw: RawConfig, key: KeyName): string {
    return raw.values[key] ?? String(keys[key].default);
}

/** Whether the key has a value of its own: not absent, and not the default that means "not set". */
export function isSet(raw: RawConfig, key: KeyName): boolean {
    const value = raw.values[key] ?? "";
    return value !== "" && !(keys[key].default === 0 && value === "0");
}

export function choice<Word extends string>(
    raw: RawConfig,
    problems: Problems,
    key: KeyName,
    allowed: readonly Word[],
): Word | undefined {
    const value = text(raw, key);
    const word = allowed.find((candidate) => candidate === value);
    if (word === undefined && isSet(raw, key)) {
        const meant = nearest(value, allowed);
        problem(problems, `${key} "${value}" is unknown`, {
            detail: `allowed: ${allowed.join(", ")}`,
            hint: `pulumi config set ${key} ${meant ?? allowed[0]}`,
        });
    }
    return word;
}

export function boolean(raw: RawConfig, problems: Problems, key: KeyName): boolean {
    const value = text(raw, key);
    if (value !== "true" && value !== "false") {
        problem(problems, `${key} is neither true nor false`, {
            detail: `it is "${value}"`,
            hint: `pulumi config set ${key} ${String(keys[key].default)}`,
        });
    }
    return value === "true";
}

export function integer(
    raw: RawConfig,
    problems: Problems,
    key: KeyName,
    { minimum, maximum, what }: { minimum: number; maximum: number; what: string },
): number | undefined {
    const value = text(raw, key);
    const number = /^-?\d{1,15}$/.test(value) ? Number(value) : NaN;
    if (number >= minimum && number <= maximum) {
        return number;
    }
    problem(problems, `${key} is not ${what}`, {
        detail: `it is "${value}"; allowed is a whole number from ${minimum} to ${maximum}`,
        hint: `pulumi config set ${key} ${String(keys[key].default || minimum)}`,
    });
}
