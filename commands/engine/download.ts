/**
 * The official download of the engine, by the npm package `pulumi`: it fetches the release into
 * PULUMI_HOME on its first run.
 */
import { homedir } from "node:os";
import { join } from "node:path";

import {
    type Attempt,
    type Engine,
    engineIn,
    engineVersion,
    executable,
    type Report,
} from "./engine";
import { isExecutable } from "./executables";
import { runBounded } from "./runBounded";

/** Seconds without a sign of life after which the download counts as blocked. */
const silence = 20;

/** Seconds that the whole download may take: 100 MB over a slow line. */
const limit = 600;

/** The engine that an earlier download has left, or undefined. */
export async function downloadedEngine(): Promise<Engine | undefined> {
    if (!isExecutable(join(directory(), executable))) {
        return undefined;
    }
    try {
        return await engineIn(directory(), "download");
    } catch {
        // Half a download does not run; the next attempt to download says so.
        return undefined;
    }
}

export async function downloadEngine(report: Report): Promise<Attempt> {
    const { PULUMI_VERSION: _overridesThePin, ...environment } = process.env;
    const ended = await runBounded(
        "npm",
        [
            ...["exec", "--yes", "--loglevel=error", `--package=pulumi@${engineVersion}`],
            ...["--", "pulumi", "version"],
        ],
        { env: environment, silence, limit },
        (line) =>
            report(
                `downloading Pulumi ${engineVersion} by the npm package "pulumi": ${line ?? "waiting for the npm registry"}`,
            ),
    );
    const engine = ended.ok ? await downloadedEngine() : undefined;
    if (engine !== undefined) {
        return engine;
    }
    return {
        unavailable: `the official download of Pulumi ${engineVersion} failed: ${ended.reason}`,
        hint: `let this machine reach get.pulumi.com, or install Pulumi by hand: https://www.pulumi.com/docs/install/`,
    };
}

/** Where the npm package keeps this version. */
function directory(): string {
    const home = process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
    return join(home, "versions", engineVersion, "bin");
}
