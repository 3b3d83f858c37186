/** `npm run backfill`: computes an aggregate's buckets by hand, in the windows of a fill. */
import { dirname } from "node:path";

import { withSession } from "../components/timescale/core/connection/session";
import { parseOptions } from "./backfill/options";
import { describeResult, type Result, resultAsJson } from "./backfill/report";
import { backfill } from "./backfill/run";
import { openDatabase } from "./database/choice";
import { endWith } from "./ending";
import { withStep } from "./progress";
import { type Interrupts, listenForInterrupts } from "./start/interrupts";

const root = dirname(__dirname);

async function main(): Promise<void> {
    const options = parseOptions(process.argv.slice(2), process.env);
    const interrupts = listenForInterrupts();
    interrupts.force.addEventListener("abort", () => process.exit(1));
    const { connection, close } = await openDatabase(root, options);
    try {
        const result = await withSession(connection, (session) =>
            withStep(`backfilling ${options.aggregate}`, async (step) => {
                const hooks = { onStatus: step.report, onClamp: step.say, stop: interrupts.stop };
                const done = await stoppable(interrupts, () => backfill(session, options, hooks));
                step.done(
                    done.windows === 0 ? `read ${done.aggregate}` : `computed ${done.aggregate}`,
                );
                return done;
            }),
        );
        write(result, options.json);
    } finally {
        await close();
    }
}

function stoppable<T>({ whileStoppable }: Interrupts, work: () => Promise<T>): Promise<T> {
    return whileStoppable(() => undefined, work);
}

function write(result: Result, json: boolean): void {
    const text = json ? JSON.stringify(resultAsJson(result), null, 2) : describeResult(result);
    process.stdout.write(`${text}\n`);
}

endWith(main());
