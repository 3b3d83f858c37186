/**
 * Brings a docker target's container back that was stopped or deleted by hand.
 */
import { TimescaleError } from "../../components/timescale/core/errors";
import type { Step } from "../progress";
import { containerHealth, containerState, startContainer } from "./docker";
import { containerType, type ExportedState } from "./pending";
import type { TargetStack } from "./stack";

/** Milliseconds that a start may take, recovery after a crash included. */
const patience = 180_000;

/**
 * Starts a stopped container and waits until it accepts connections. One that was deleted is dropped from
 * the state, so that `up` makes it again on its volume.
 */
export async function reviveContainer(
    stack: TargetStack,
    { deployment }: ExportedState,
    step: Pick<Step, "report" | "say">,
): Promise<void> {
    const recorded = (deployment.resources ?? []).find(({ type }) => type === containerType);
    const name = recorded?.outputs?.["name"];
    if (recorded === undefined || typeof name !== "string") {
        return;
    }
    switch (await containerState(name)) {
        case "running":
            // It may have been started by hand a moment ago.
            await untilHealthy(name, step);
            return;
        case "stopped": {
            step.report(`starting container ${name}`);
            const obstacle = await startContainer(name);
            if (obstacle !== undefined) {
                throw new TimescaleError(`container ${name} is stopped and does not start`, {
                    code: "container_stopped",
                    detail: obstacle,
                    hint: `see docker logs ${name}; docker rm ${name} makes the next start build it again on its data`,
                });
            }
            await untilHealthy(name, step);
            step.say(`container ${name} was stopped: started it`);
            return;
        }
        case "absent":
            step.report(`container ${name} is gone: telling the engine`);
            await stack.stack.refresh({ target: [recorded.urn], runProgram: false });
            step.say(`container ${name} was deleted: it is made again, on its volume`);
    }
}

async function untilHealthy(name: string, step: Pick<Step, "report">): Promise<void> {
    const started = Date.now();
    for (;;) {
        const health = await containerHealth(name);
        if (health === "healthy" || health === "running") {
            return;
        }
        if (Date.now() - started > patience) {
            throw new TimescaleError(`container ${name} does not accept connections`, {
                code: "container_unhealthy",
                detail: `its state is "${health}" after ${patience / 1000} seconds`,
                hint: `see docker logs ${name}`,
            });
        }
        step.report(`waiting for container ${name} to accept connections (${health})`);
        await new Promise((resolve) => setTimeout(resolve, 500));
    }
}
