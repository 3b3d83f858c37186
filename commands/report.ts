/** `npm run report`: latency, requests, errors, cost, targets and freshness as one HTML file. */
import { dirname } from "node:path";

import { withSession } from "../components/timescale/core/connection/session";
import { openDatabase } from "./database/choice";
import { endWith } from "./ending";
import { withStep } from "./progress";
import { refuseOverwriting, writeReport } from "./report/file";
import { parseOptions } from "./report/options";
import { pageOf } from "./report/page";
import { readReport } from "./report/read";

const root = dirname(__dirname);

async function main(): Promise<void> {
    const options = parseOptions(process.argv.slice(2), process.env);
    if (options.out !== undefined) refuseOverwriting(options.out);
    const { connection, close } = await openDatabase(root, options, "reader");
    try {
        const data = await withStep(`reading ${connection.database}`, async (step) => {
            const read = await withSession(connection, (session) =>
                readReport(session, options.window, options.schema, step.report),
            );
            step.done(`read ${connection.database}, as ${connection.user}`);
            return read;
        });
        if (options.out !== undefined) {
            writeReport(options.out, pageOf(data));
            process.stderr.write(`wrote ${options.out}\n`);
        }
        if (options.json) process.stdout.write(`${JSON.stringify(data, null, 2)}\n`);
    } finally {
        await close();
    }
}

endWith(main());
