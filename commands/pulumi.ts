/** `npm run pulumi -- <arguments>`: the plain CLI on this program, with an engine found, downloaded or built. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { dirname } from "node:path";

import { endWith } from "./ending";
import { pathFor } from "./start/interruptible";
import { bindToReview } from "./start/reviewedFile";
import { findEngine } from "./start/session";

const root = dirname(__dirname);

async function main(): Promise<number> {
    bindToReview(process.env);
    const { command } = (await findEngine()).command;
    return new Promise((resolve, reject) => {
        const child = spawn(command, process.argv.slice(2), {
            cwd: root,
            stdio: "inherit",
            env: { ...process.env, PATH: pathFor(command), PULUMI_SKIP_UPDATE_CHECK: "true" },
        });
        // A terminal's Ctrl-C reaches the engine by itself, and a second one would drop its work.
        process.on("SIGINT", () => undefined);
        process.on("SIGTERM", () => child.kill("SIGTERM"));
        child.once("error", reject);
        child.once("close", (code, signal) => {
            resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
        });
    });
}

endWith(main());
