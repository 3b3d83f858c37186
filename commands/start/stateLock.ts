/**
 * The lock that the engine holds on a stack's state while it works. A killed engine leaves it behind,
 * and every later run would be refused.
 */
import { readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

import { namespace } from "../../components/config/keys";
import { TimescaleError } from "../../components/timescale/core/errors";
import type { Step } from "../progress";
import type { TargetStack } from "./stack";
import type { Workspace } from "./workspace";

export interface StateLock {
    readonly pid: number;
    readonly hostname: string;
}

/** Seconds to wait for an engine that is at work. */
const patience = 900;

/**
 * Waits for an engine that works on the stack, and removes the lock of one that is gone.
 *
 * @throws TimescaleError if another machine holds the lock, or the engine does not end
 */
export async function clearStateLock(
    workspace: Workspace,
    stack: TargetStack,
    step: Pick<Step, "report" | "say">,
): Promise<void> {
    const started = Date.now();
    for (;;) {
        const locks = stateLocks(workspace, stack.name);
        const holder = locks[0];
        if (holder === undefined) {
            return;
        }
        if (holder.hostname !== hostname()) {
            throw heldBy(holder, "on another machine");
        }
        const alive = await Promise.all(locks.map(({ pid }) => isEngine(pid)));
        if (!alive.includes(true)) {
            await stack.stack.cancel();
            step.say(
                `an earlier run (process ${holder.pid}) was killed and left its lock on the state: removed it`,
            );
            return;
        }
        if (Date.now() - started > patience * 1000) {
            throw heldBy(holder, `still, after ${patience} seconds`);
        }
        step.report(`waiting for another run of Pulumi on this stack (process ${holder.pid})`);
        await new Promise((resolve) => setTimeout(resolve, 500));
    }
}

/** The locks on this stack, as the `file://` backend keeps them. */
export function stateLocks({ stateFolder }: Workspace, name: string): readonly StateLock[] {
    const folder = join(stateFolder, ".pulumi", "locks", "organization", namespace, name);
    return namesIn(folder)
        .filter((name) => name.endsWith(".json"))
        .flatMap((name) => readLock(join(folder, name)));
}

function namesIn(folder: string): readonly string[] {
    try {
        return readdirSync(folder);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") {
            return [];
        }
        throw error;
    }
}

/** None if the engine removes its lock between the listing and the reading. */
function readLock(file: string): readonly StateLock[] {
    try {
        return [JSON.parse(readFileSync(file, "utf8")) as StateLock];
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") {
            return [];
        }
        throw error;
    }
}

/** Whether the process lives and is a Pulumi: process ids are used again. */
async function isEngine(pid: number): Promise<boolean> {
    try {
        process.kill(pid, 0);
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM";
    }
    if (process.platform === "win32") {
        return true;
    }
    const { execa } = await import("execa");
    const asked = await execa("ps", ["-o", "stat=,comm=", "-p", String(pid)], { reject: false });
    // A zombie (Z) has ended and waits for its parent to notice.
    return asked.failed ? true : asked.stdout.includes("pulumi") && !/^\s*Z/.test(asked.stdout);
}

function heldBy({ pid, hostname: machine }: StateLock, where: string): TimescaleError {
    return new TimescaleError("another run of Pulumi holds this stack", {
        code: "stack_locked",
        detail: `process ${pid} on ${machine} holds the lock on the state, ${where}`,
        hint: "wait for it to end; if it was killed, run pulumi cancel with the environment that npm start prints",
    });
}
