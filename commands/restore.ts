/** `npm run restore`: from a backup that `backup` made before something was removed to its rows. */
import { describeRows } from "../components/timescale/core/backup/manifest";
import { describeRestored, restore } from "../components/timescale/core/backup/restore";
import { withSession } from "../components/timescale/core/connection/session";
import { displayName } from "../components/timescale/core/identifier";
import { withPassword } from "./database/password";
import { endWith } from "./ending";
import { withStep } from "./progress";
import { parseRestoreOptions } from "./restore/options";

async function main(): Promise<void> {
    const options = parseRestoreOptions(process.argv.slice(2), process.env);
    const connection = await withPassword(options.server, process.env);
    const lines = await withStep("restoring", async (step) => {
        const { folder, into, dryRun } = options;
        const restored = await withSession(connection, (session) =>
            restore(session, { folder, into, dryRun, onStatus: step.report }),
        );
        const { manifest } = restored;
        step.done(
            `verified the backup of ${manifest.kind} ${displayName(manifest.object)}: ${describeRows(manifest)}`,
        );
        return describeRestored(restored, dryRun);
    });
    process.stdout.write(`${lines.join("\n")}\n`);
}

endWith(main());
