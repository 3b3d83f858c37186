/** `npm run verify`: the ten checks of the Observatory, each of which can fail. */
import { writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

import { TimescaleError } from "../components/timescale/core/errors";
import { openDatabase } from "./database/choice";
import { endWith } from "./ending";
import { coloursOf } from "./progress";
import { interruptedExitCode, listenForInterrupts } from "./start/interrupts";
import { verifyDatabase } from "./verify/command";
import { junit } from "./verify/junit";
import { parseOptions } from "./verify/options";
import { describeResults, resultsAsJson, withoutStack } from "./verify/report";
import { exitCodeOf } from "./verify/result";

const root = dirname(__dirname);

async function main(): Promise<number> {
    const options = parseOptions(process.argv.slice(2), process.env);
    const interrupts = listenForInterrupts();
    interrupts.force.addEventListener("abort", () => process.exit(interruptedExitCode));
    const { connection, close, overrides } = await openDatabase(root, options);
    const started = new Date();
    try {
        const declared = await overrides?.();
        const schema = options.schema ?? declared?.schema;
        const found = await verifyDatabase(connection, { ...declared, schema, sample: options.sample }, interrupts); // prettier-ignore
        const results = declared === undefined ? withoutStack(found) : found;
        if (options.junit !== undefined) {
            const { host, port, database } = connection;
            write(options.junit, junit(results, `${database} at ${host}:${port}`, started));
        }
        const colours = coloursOf(process.stdout);
        process.stdout.write(
            `${options.json ? JSON.stringify(resultsAsJson(results), null, 2) : describeResults(results, colours)}\n`,
        );
        return exitCodeOf(results);
    } finally {
        await close();
    }
}

/** @throws TimescaleError when the file cannot be written */
function write(file: string, text: string): void {
    try {
        // npm runs this in the repository; the path counts from where the user stands.
        writeFileSync(resolve(process.env["INIT_CWD"] ?? process.cwd(), file), text);
    } catch (error) {
        throw new TimescaleError("the JUnit file cannot be written", {
            code: "invalid_option",
            detail: error instanceof Error ? error.message : String(error),
            hint: "give --junit the path of a file in a folder that is there",
            cause: error,
        });
    }
}

endWith(main());
