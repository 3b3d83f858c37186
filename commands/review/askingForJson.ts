/** Previews of the Automation API as JSON, which it does not ask the engine for by itself. */
import type { automation } from "@pulumi/pulumi";

/** The part of the Automation API's command that its workspaces call. */
interface Runnable {
    readonly run: (args: string[], ...others: unknown[]) => Promise<{ readonly stdout: string }>;
}

/** The same command; what its previews print as JSON is added to `seen`. */
export function askingForJson(
    command: automation.PulumiCommand,
    seen: { text: string },
): automation.PulumiCommand {
    const original = command as automation.PulumiCommand & Runnable;
    const run = async (args: string[], ...others: unknown[]): Promise<unknown> => {
        if (args[0] !== "preview") return original.run(args, ...others);
        const [cwd, environment, onOutput, ...rest] = others;
        const keep = (text: string): void => {
            seen.text += text;
            (onOutput as ((text: string) => void) | undefined)?.(text);
        };
        return original.run([...args, "--json"], cwd, environment, keep, ...rest);
    };
    return Object.assign(Object.create(command) as automation.PulumiCommand, { run });
}

/** Every preview in this workspace from now on, whoever runs the engine for it. */
export function askForJson(workspace: automation.Workspace, seen: { text: string }): void {
    const value = askingForJson(workspace.pulumiCommand, seen);
    Object.defineProperty(workspace, "pulumiCommand", { value });
}
