/**
 * An engine that the user has installed: `pulumi` on PATH.
 */
import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";

import { type Attempt, engineIn, executable, hasBeside, oldestVersion, shim } from "./engine";
import { folderOnPath } from "./executables";
import { isOlder } from "./versions";

export async function engineOnPath(): Promise<Attempt> {
    const directory = folderOnPath(executable);
    if (directory === undefined) {
        return { unavailable: "pulumi is not on PATH", hint: `install it: ${installHint}` };
    }
    const engine = await engineIn(directory, "path");
    if (isOlder(engine.version, oldestVersion)) {
        return {
            unavailable: `pulumi ${engine.version} on PATH is older than ${oldestVersion}`,
            hint: `upgrade it: ${installHint}`,
        };
    }
    // A link on PATH leads to the installation, where the plugins lie beside the engine.
    const installation = dirname(realpathSync(join(directory, executable)));
    if (!hasBeside(installation, shim)) {
        return {
            unavailable: `pulumi on PATH (${directory}) lacks ${shim}`,
            hint: `reinstall it: ${installHint}`,
        };
    }
    return engine;
}

const installHint = "https://www.pulumi.com/docs/install/";
