/**
 * What is generated once per clone and kept: the passphrase in a file of its own, passwords encrypted
 * with it in the stack's config.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";

import type { Generators } from "./configuration";
import type { Workspace } from "./workspace";

/** Makes the passphrase file, whole and readable by its owner alone, unless it is there. */
export function ensurePassphrase({ folder, passphraseFile }: Workspace): void {
    if (existsSync(passphraseFile)) {
        return;
    }
    mkdirSync(folder, { recursive: true });
    const unfinished = `${passphraseFile}.new`;
    writeFileSync(unfinished, `${randomBytes(32).toString("hex")}\n`, { mode: 0o600 });
    renameSync(unfinished, passphraseFile);
}

export const generators: Generators = {
    password: () => randomBytes(24).toString("hex"),
    port: async (preferred) => {
        const { default: getPort, portNumbers } = await import("get-port");
        return getPort({ port: portNumbers(preferred, preferred + 100), host: "127.0.0.1" });
    },
    suffix: () => randomBytes(3).toString("hex"),
};
