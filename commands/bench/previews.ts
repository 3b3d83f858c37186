/** Previews of one program by the real engine, with the real provider and with one that does nothing. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { automation } from "@pulumi/pulumi";

import { changes, succeeded } from "../../test/helpers/engineRun";
import type { EngineStack } from "../../test/helpers/engineStack";
import { timed } from "./figures";
import type { ExportedState } from "./manyAggregates";

export interface Preview {
    readonly milliseconds: number;
    /** Most bytes of memory that the provider's process ever had; undefined where nothing tells. */
    readonly peakMemory: number | undefined;
}

/** @throws when the preview fails, or shows a change */
export async function preview(stack: EngineStack, program: automation.PulumiFn): Promise<Preview> {
    const memory = watchMemory(stack);
    const milliseconds = await timed(async () => {
        const run = succeeded(await stack.preview(program));
        const changed = Object.keys(changes(run));
        const said = run.diagnostics.map(({ name, message }) => `${name}: ${message}`);
        if (changed.length + said.length > 0) {
            const some = [...changed.slice(0, 3), ...said.slice(0, 3)].join("\n");
            throw new Error(`the preview is not without a change: ${some}`);
        }
    }).finally(memory.stop);
    return { milliseconds, peakMemory: memory.peak() };
}

export async function exportState(stack: EngineStack): Promise<ExportedState> {
    return JSON.parse(await stack.cli("stack", "export", "--show-secrets")) as ExportedState;
}

/** Takes over the resources; the stack keeps its own key for their secrets. */
export async function importState(
    stack: EngineStack,
    { deployment }: ExportedState,
): Promise<void> {
    const own = await exportState(stack);
    const state = { ...own, deployment: { ...own.deployment, resources: deployment.resources } };
    const file = join(stack.workDir, "state.json");
    writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
    await stack.cli("stack", "import", "--file", file);
}

/** Reads the high-water mark of the provider's process again and again: it ends without a word. */
function watchMemory(stack: EngineStack): { stop: () => void; peak: () => number | undefined } {
    let peak: number | undefined;
    let provider: number | undefined;
    const timer = setInterval(() => {
        provider ??= stack.children().find((pid) => providerProgram.test(read(pid, "cmdline")));
        if (provider === undefined) return;
        const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(read(provider, "status"))?.[1];
        if (kilobytes !== undefined) peak = Math.max(peak ?? 0, Number(kilobytes) * 1024);
    }, 200);
    return { stop: () => clearInterval(timer), peak: () => peak };
}

/** The program and the engine's address; the shell script that starts it only names the program. */
const providerProgram = /\bdynamic-provider\b[^\0]*\0[^\0]+:\d+\0/;

/** A file of Linux about a process; empty where there is none. */
function read(pid: number, name: string): string {
    try {
        return readFileSync(`/proc/${pid}/${name}`, "utf8");
    } catch {
        return "";
    }
}
