/**
 * One `npm start` or `npm run deploy` at a time in this clone.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { lock } from "proper-lockfile";

import type { Report } from "../engine";
import type { Workspace } from "./workspace";

/** Waits for another start to end. The lock of one that was killed goes stale after ten seconds. */
export async function lockWorkspace(
    { folder }: Workspace,
    report: Report,
): Promise<() => Promise<void>> {
    mkdirSync(folder, { recursive: true });
    for (;;) {
        try {
            return await lock(folder, {
                lockfilePath: join(folder, "start.lock"),
                stale: 10_000,
                update: 2_000,
                // A machine that slept, or a folder removed by --with-data. The engine's own lock still
                // keeps two runs apart.
                onCompromised: (error) =>
                    report(`the lock of this start was lost: ${error.message}`),
            });
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "ELOCKED") {
                throw error;
            }
        }
        report("waiting for another npm start or deploy in this folder");
        await new Promise((resolve) => setTimeout(resolve, 500));
    }
}
