/**
 * `npm start -- --destroy`: the rollback, and with `--with-data` the end of the stack.
 */
import { existsSync, rmSync } from "node:fs";

import { targets } from "../../components/config/keys";
import { TimescaleError } from "../../components/timescale/core/errors";
import { wantYes } from "../ask";
import type { EmbeddedServer } from "../embedded/server";
import { type Step, withStep } from "../progress";
import { removeVolume } from "./docker";
import { inWords, type Summary } from "./events";
import { Interrupted, type Interrupts } from "./interrupts";
import { runOperation } from "./operation";
import type { ExportedState } from "./pending";
import type { PreparedStack } from "./session";
import { type TargetStack, writeConfig } from "./stack";
import { rememberedTarget } from "./target";
import { embeddedDataFolder, stackFolder, type Workspace } from "./workspace";

const aggregateType = "pulumi-nodejs:dynamic/timescale:ContinuousAggregate";
const volumeType = "docker:index/volume:Volume";

/** What holds data. The container does not, and its volume outlives it. */
const dataTypes: ReadonlySet<string> = new Set([
    "pulumi-nodejs:dynamic/timescale:Hypertable",
    "postgresql:index/database:Database",
    volumeType,
]);

/**
 * Takes down what stands on top of the data: aggregates, their jobs, views and functions.
 *
 * @throws TimescaleError if data is not protected, which this would remove as well
 */
export async function rollBack(
    { stack, state }: PreparedStack,
    interrupts: Interrupts,
): Promise<Summary> {
    const exposed = unprotectedData(state);
    if (exposed.length > 0) {
        throw new TimescaleError("the data of this stack is not protected", {
            code: "data_unprotected",
            detail: `without protectData, --destroy would remove ${exposed.join(", ")}`,
            hint: "npm start -- --config protectData=true protects it; npm start -- --destroy --with-data removes everything",
        });
    }
    return withStep("rolling back", async (step) => {
        const summary = await runOperation("rolling back", step, interrupts, (options) =>
            stack.stack.destroy({ ...options, excludeProtected: true, runProgram: false }),
        );
        step.done(`rolled back: ${inWords(summary) || "nothing to take down"}`);
        return summary;
    });
}

/** Names of the resources that hold data and that nothing keeps from being deleted. */
export function unprotectedData({ deployment }: ExportedState): readonly string[] {
    return (deployment.resources ?? [])
        .filter(({ type, protect }) => dataTypes.has(type) && protect !== true)
        .map(({ urn }) => urn.split("::").at(-1) ?? urn);
}

/**
 * Removes everything: data, server, roles, state and config. On the embedded target the data folder is
 * all there is, so nothing is dropped one by one.
 */
export async function removeEverything(
    workspace: Workspace,
    { stack, config, state }: PreparedStack,
    embedded: EmbeddedServer | undefined,
    interrupts: Interrupts,
): Promise<void> {
    await withStep("removing everything", async (step) => {
        if (embedded === undefined) {
            if (config.protectData) {
                await writeConfig(stack, [{ key: "protectData", value: "false", secret: false }]);
            }
            await acceptLoss(stack, state, step, interrupts);
            step.report("removing the protection of the data");
            await stack.pulumi(["state", "unprotect", "--all", "--yes"]);
            step.report("removing everything");
            await runOperation("removing everything", step, interrupts, (options) =>
                stack.stack.destroy({ ...options, runProgram: false }),
            );
            await removeVolumes(state);
        } else {
            if (!embedded.owned) {
                throw new TimescaleError("the embedded database is in use", {
                    code: "data_folder_in_use",
                    detail: `process ${embedded.pid} serves it`,
                    hint: "end npm run serve, then run this again",
                });
            }
            step.report("closing the embedded database");
            await embedded.close();
            rmSync(embeddedDataFolder(workspace), { recursive: true, force: true });
        }
        step.report("removing the stack");
        await stack.stack.workspace.removeStack(stack.name, { force: embedded !== undefined });
        rmSync(stackFolder(workspace, stack.name), { recursive: true, force: true });
        if (rememberedTarget(workspace) === stack.target) {
            rmSync(workspace.targetFile, { force: true });
        }
        if (!targets.some((target) => existsSync(stackFolder(workspace, target)))) {
            // The last stack is gone: what is left are backups of its state and the key to their secrets.
            rmSync(workspace.stateFolder, { recursive: true, force: true });
            rmSync(workspace.passphraseFile, { force: true });
        }
        step.done(`removed everything of target ${stack.target}`);
    });
}

/**
 * Lets the aggregates go that hold more history than raw data. The engine deletes by what it has recorded
 * of them, so the program has to say so first, with `protectData` off.
 */
async function acceptLoss(
    stack: TargetStack,
    { deployment }: ExportedState,
    step: Step,
    interrupts: Interrupts,
): Promise<void> {
    const aggregates = (deployment.resources ?? []).filter(({ type }) => type === aggregateType);
    if (aggregates.length === 0) {
        return;
    }
    const what = "accepting the loss of history";
    step.report(what);
    try {
        await runOperation(what, step, interrupts, (options) =>
            stack.stack.up({ ...options, target: aggregates.map(({ urn }) => urn) }),
        );
    } catch (error) {
        if (error instanceof Interrupted) {
            throw error;
        }
        // What went wrong has been shown. Where no history is at stake, nothing hangs on this.
        step.say(`${what} failed; going on without`);
    }
}

/**
 * The engine only forgets the volume of a protected stack.
 *
 * @throws TimescaleError if one stays
 */
async function removeVolumes({ deployment }: ExportedState): Promise<void> {
    for (const { type, outputs } of deployment.resources ?? []) {
        const name = outputs?.["name"];
        if (type === volumeType && typeof name === "string") {
            const obstacle = await removeVolume(name);
            if (obstacle !== undefined) {
                throw new TimescaleError(`volume ${name} cannot be removed`, {
                    code: "volume_in_use",
                    detail: obstacle,
                    hint: `docker volume rm ${name}`,
                });
            }
        }
    }
}

/**
 * Asks on a terminal before data goes, unless `--yes` was given.
 *
 * @throws TimescaleError when the answer is no
 */
export async function confirm(what: string, yes: boolean): Promise<void> {
    // Without a terminal nobody can answer, and --with-data has said it already.
    if (yes || !process.stdin.isTTY) {
        return;
    }
    await wantYes(`Remove ${what} for good?`, "nothing was removed");
}
