/** Whether the keys are known, mean something to the target, and are kept as they should be. */
import { isKeyName, type Key, type KeyName, keyNames, keys, type Target } from "./keys";
import { nearest, problem, type Problems, warning } from "./problems";
import { isSet, type RawConfig, text } from "./values";

export function checkNames(raw: RawConfig, problems: Problems): void {
    for (const name of Object.keys(raw.values)) {
        if (!isKeyName(name)) {
            const meant = nearest(name, keyNames);
            problem(problems, `config key "${name}" is unknown`, {
                detail: `known keys: ${keyNames.join(", ")}`,
                hint:
                    meant === undefined
                        ? `pulumi config rm ${name}`
                        : `did you mean "${meant}"? pulumi config rm ${name}, then set ${meant}`,
            });
        } else if (isSecretKey(name) && isSet(raw, name) && !raw.secretKeys.has(name)) {
            warning(problems, `${name} is kept in plain text in the stack's config`, {
                detail: "everyone who reads the file can log in with it",
                hint: `pulumi config set --secret ${name}, and change the password where the file has been shared`,
            });
        }
    }
}

function isSecretKey(name: KeyName): boolean {
    const key: Key = keys[name];
    return key.secret === true;
}

export function warnOfKeysWithoutMeaning(raw: RawConfig, problems: Problems, target: Target): void {
    for (const name of keyNames) {
        const key: Key = keys[name];
        const changed = isSet(raw, name) && text(raw, name) !== String(key.default);
        // A password that a stack keeps for another target does no harm.
        if (changed && !key.targets.includes(target) && key.secret !== true) {
            warning(problems, `${name} has no effect with target ${target}`, {
                detail: `it belongs to target ${key.targets.join(", ")}`,
                hint: `pulumi config rm ${name}`,
            });
        }
    }
}
