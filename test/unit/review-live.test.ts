/** Previews of a stack that `npm start` has made are asked for as JSON. */
import type { automation } from "@pulumi/pulumi";

import { askForJson } from "../../commands/review/askingForJson";

type Run = (
    args: string[],
    cwd: string,
    environment: object,
    onOutput?: (text: string) => void,
) => Promise<{ stdout: string }>;

describe("a workspace that is asked for JSON", () => {
    it("asks for it in previews alone, above the command that it was opened with", async () => {
        const opened: { readonly run: Run } = {
            run: (args, _cwd, _environment, onOutput) => {
                onOutput?.(`${args.join(" ")}\n`);
                return Promise.resolve({ stdout: args.join(" ") });
            },
        };
        // As in the Automation API: the prototype has it, and nobody can set it.
        class Workspace {
            get pulumiCommand(): automation.PulumiCommand {
                return opened as unknown as automation.PulumiCommand;
            }
        }
        const workspace = new Workspace() as automation.Workspace;
        const seen = { text: "" };

        askForJson(workspace, seen);
        const { run } = workspace.pulumiCommand as unknown as { readonly run: Run };
        await run(["preview", "--exec-kind", "inline"], ".", {});

        expect(await run(["stack", "ls"], ".", {})).toEqual({ stdout: "stack ls" });
        expect(seen.text).toBe("preview --exec-kind inline --json\n");
    });
});
