/**
 * Makes sure of a Pulumi engine: what is there first, then what can be had.
 */
import { TimescaleError } from "../../components/timescale/core/errors";
import { downloadedEngine, downloadEngine } from "./download";
import type { Attempt, Engine, Report } from "./engine";
import { buildEngine, builtEngine } from "./goModule";
import { engineOnPath } from "./path";

export type { Engine, EngineSource, Report } from "./engine";

/**
 * The engine on PATH, else one that an earlier run has downloaded or built, else the official download,
 * else a build from the Go module. Takes half a second when one is there.
 *
 * @throws TimescaleError naming all ways, why each failed and what to do
 */
export async function ensureEngine(report: Report): Promise<Engine> {
    const onPath = await engineOnPath();
    if (!("unavailable" in onPath)) {
        return onPath;
    }
    const present = (await downloadedEngine()) ?? (await builtEngine());
    if (present !== undefined) {
        return present;
    }
    const failures = [onPath];
    for (const way of [downloadEngine, buildEngine]) {
        const attempt: Attempt = await way(report);
        if (!("unavailable" in attempt)) {
            return attempt;
        }
        report(attempt.unavailable);
        failures.push(attempt);
    }
    throw new TimescaleError("there is no Pulumi engine on this machine and none could be had", {
        code: "engine_missing",
        detail: failures.map(({ unavailable }) => unavailable).join("; "),
        hint: `do one of these: ${failures.map(({ hint }, i) => `${i + 1}. ${hint}`).join("; ")}`,
    });
}
