/** `npm run status`: how aggregates, hypertables and jobs of a database are doing, once or again and again. */
import { dirname } from "node:path";

import picocolors from "picocolors";

import { serverError } from "../components/timescale/core/connection/serverErrors";
import { type Session, withSession } from "../components/timescale/core/connection/session";
import { inspectHealth } from "../components/timescale/core/health/inspect";
import { openDatabase } from "./database/choice";
import { endWith } from "./ending";
import { type Interrupts, listenForInterrupts } from "./start/interrupts";
import { statusJson } from "./status/json";
import { parseOptions, type StatusOptions } from "./status/options";
import { statusText } from "./status/text";

const root = dirname(__dirname);

async function main(): Promise<void> {
    const options = parseOptions(process.argv.slice(2), process.env);
    const interrupts = listenForInterrupts();
    interrupts.force.addEventListener("abort", () => process.exit(1));
    const { connection, close } = await openDatabase(root, options);
    try {
        await withSession(connection, (session) => show(session, options, interrupts));
    } finally {
        await close();
    }
}

async function show(
    session: Session,
    { watch, json }: StatusOptions,
    { stop, whileStoppable }: Interrupts,
): Promise<void> {
    const { stdout } = process;
    const colours = picocolors.createColors(picocolors.isColorSupported && stdout.isTTY);
    const look = async (): Promise<string> => {
        const health = await inspectHealth(session).catch((error: unknown) => {
            throw serverError(error, { statement: "read", object: "the state of the database" });
        });
        if (!json) return statusText(health, session.connection, colours);
        return JSON.stringify(
            statusJson(health, session.connection),
            null,
            watch === undefined ? 2 : 0,
        );
    };
    if (watch === undefined) {
        stdout.write(`${await look()}\n`);
        return;
    }
    const redraws = stdout.isTTY && !json;
    await whileStoppable(
        () => undefined,
        async () => {
            for (let first = true; !stop.aborted; first = false) {
                const text = await look();
                if (redraws) stdout.write(`\u001b[H\u001b[2J${text}\n`);
                else stdout.write(`${first || json ? "" : "\n"}${text}\n`);
                await pause(watch, stop);
            }
        },
    );
}

function pause(seconds: number, stop: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
        const timer = setTimeout(done, seconds * 1000);
        function done(): void {
            clearTimeout(timer);
            stop.removeEventListener("abort", done);
            resolve();
        }
        if (stop.aborted) done();
        else stop.addEventListener("abort", done);
    });
}

endWith(main());
