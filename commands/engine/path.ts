/**
 * An engine that the user has installed: `pulumi` on PATH.
 */
import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";

import {
    type Attempt,
    type Engine,
    engineIn,
    executable,
    hasBeside,
    oldestVersion,
    shim,
} from "./engine";
import { folderOnPath } from "./executables";
import { isOlder } from "./versions";

export async function engineOnPath(): Promise<Attempt> {
    const directory = folderOnPath(executable);
    if (directory === undefined) {
        return { unavailable: "pulumi is not on PATH", hint: `install Pulumi: ${installHint}` };
    }
    let engine: Engine;
    try {
        engine = await engineIn(directory, "path");
    } catch (error) {
        return {
            unavailable: `pulumi on PATH (${directory}) does not run: ${firstLine(error)}`,
            hint: `reinstall it: ${installHint}`,
        };
    }
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

/** The Automation API puts the reason after its own preamble. */
function firstLine(error: unknown): string {
    const text = error instanceof Error ? error.message : String(error);
    return /stderr: *(.+)/.exec(text)?.[1] ?? text.split("\n")[0] ?? text;
}

const installHint = "https://www.pulumi.com/docs/install/";
